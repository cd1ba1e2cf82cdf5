"""The pages of rooms: they ask `selectors`, `services` and the hub, and render.

What the templates are given, beside what every template has (top of visualizer/views.py):

`rooms/index.html`, `GET /rooms/` (an account's; others are sent to sign in), and `POST /rooms/` that was refused (400)
    rooms     [{"id", "title", "code", "mode": "own"|"shared", "lesson": {"slug", "title"}|None,
                "state": "open"|"closed", "members": count, "created_at", "closed_at": datetime|None,
                "console_url", "results_url", "close_url", "delete_url"}]      newest first
    lessons   [{"slug": "exercises/node-down", "title", "kind": "walkthrough"|"exercise"}]    in the reader's language
    form      {"title", "mode", "lesson"}: what was typed;  errors {field: words}, "" for the whole form
    rooms_max how many rooms one may have, full bool;  kept_days after which a closed room is deleted;  title_max
    `POST /rooms/` with title, mode=own|shared, lesson (may be empty) → 303 to the console;
    JSON: 201 {"id", "code", "url"}
`rooms/join.html`, `GET /join/`, `GET /join/<code>/`, and `POST /join/` that was refused (400, 404 or 429)
    code, name, group     what was typed or is known, "" if nothing
    room      {"title", "groups": [names in use]} when the code is one, else None
    member    {"name", "url"} when this browser is in that room already, else None
    errors    {"code"|"name"|"group": words};  name_max, group_max, code_length
    `POST /join/` with code, name, group (may be empty) → 303 to the room; JSON: {"url"}
`rooms/console.html`, `GET /rooms/<id>/console/` (the instructor's)
    room      as in the `room` frame (protocol.py);  socket "/ws/rooms/<id>/"
    lesson    {"slug", "title"}|None
    join_url  absolute;  qr an <svg> of it, safe markup: {{ qr }} (black on white, sized by CSS: class "qr", role="img"
              and aria-label inside)
    faults    for json_script: the list of `GET /faults/`
    places    for json_script, what targets may be in this room's clusters:
              {"hosts": ["control-plane", "worker-1", …], "workers": […], "components": ["control-plane/etcd", …]}
    watch_url the instructor's own cluster, results_url, close_url, delete_url (both POST, CSRF token),
    forget_url with 0 for the member's number ("/rooms/<id>/members/0/forget/", POST);
    a member's cluster is at /clusters/<id>/
`playground.html`, `GET /rooms/<id>/` (a learner's own cluster; when the mode is shared, the instructor's), and
`GET /rooms/<id>/watch/` (the instructor's): what visualizer.views gives it, with
    room      {"id", "title", "socket": "/ws/rooms/<id>/", "role": "instructor"|"member",
               "watching": bool, the page shows the instructor's cluster and the reader is a member,
               "mode", "own_url": "/rooms/<id>/"|None, "watch_url": "/rooms/<id>/watch/",
               "console_url": …|None (members), "leave_url": …|None (instructors; POST, CSRF token)}
    and for the learner's diagnosis  faults, places  as above (json_script "faults-data", "places-data").
    After reset and undo the page goes to `own_url` (members) or `watch_url` (instructors): they lead to the successor.
    A member in own mode who is to follow goes to `watch_url`, and back to `own_url` once nobody leads.
`error.html` for what is refused (403, 404, 429).

The instructor's `GET /rooms/<id>/` leads to the console. `POST /rooms/<id>/leave/` → 303 to /join/;
`close` → the console; `delete` → /rooms/; `forget` → the console; each answers {} to who wants JSON.
"""
