"""The pages of rooms: they ask `selectors`, `services` and the hub, and render.

What the templates are given, beside what every template has (top of visualizer/views.py):

`rooms/index.html`, `GET /rooms/` (without an account none of what follows), and `POST /rooms/` that was refused (400)
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
    beats     for json_script: the titles of the lesson's beats and checks by id, in the reader's language
    join_url  absolute;  qr an <svg> of it, safe markup: {{ qr }} (black on white, sized by CSS: class "qr", role="img"
              and aria-label inside)
    faults    for json_script: the list of `GET /faults/`
    cast      for json_script, what targets may be in this room's clusters: `cast` of the page's hello
    watch_url the instructor's own cluster, results_url, close_url, delete_url (both POST, CSRF token),
    forget_url with 0 for the member's number ("/rooms/<id>/members/0/forget/", POST);
    a member's cluster is at /clusters/<id>/
`playground.html`, `GET /rooms/<id>/` (a learner's own cluster; when the mode is shared, the instructor's), and
`GET /rooms/<id>/watch/` (the instructor's): what visualizer.views gives it, with
    room      {"id", "title", "socket": "/ws/rooms/<id>/", "role": "instructor"|"member",
               "watching": bool, the page shows the instructor's cluster and the reader is a member,
               "mode", "own_url": "/rooms/<id>/"|None, "watch_url": "/rooms/<id>/watch/",
               "console_url": …|None (members), "leave_url": …|None (instructors; POST, CSRF token)}
    After reset and undo the page goes to `own_url` (members) or `watch_url` (instructors): they lead to the successor.
    A member in own mode who is to follow goes to `watch_url`, and back to `own_url` once nobody leads.
`error.html` for what is refused (403, 404, 429).

The instructor's `GET /rooms/<id>/` leads to the console. `POST /rooms/<id>/leave/` → 303 to /join/;
`close` → the console; `delete` → /rooms/; `forget` → the console; each answers {} to who wants JSON.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from cluster_engine import faults
from cluster_engine.cast import cast
from visualizer import access, callers, error_pages, rate_limits, views
from visualizer.addresses import address_of
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.rooms import (
    clusters,
    code_limits,
    codes,
    ending,
    instructor_actions,
    lessons,
    names,
    results,
    selectors,
    services,
)
from visualizer.rooms.models import GROUP_MAX, NAME_MAX, TITLE_MAX, Room
from visualizer.rooms.selectors import Person
from visualizer.selectors import Owner

SIGN_IN = "/account/sign-in/"

View = error_pages.View


def _for_people_of_the_room(*, instructor: bool = False) -> Callable[[View], View]:
    """Hand the view the `Person` who asks, not the room's id; 404 to who is nobody there, 403 to a member."""

    def decorate(view: View) -> View:
        @wraps(view)
        async def checked(request: HttpRequest, room: str, **kwargs: Any) -> HttpResponseBase:
            person = await _person(request, room)
            if person is None:
                raise Http404(gettext("There is no such room, or you are not in it."))
            if instructor and not person.is_instructor:
                return await _refused(request, 403, gettext("You may not do this."))
            return await view(request, person, **kwargs)

        return checked

    return decorate


# Mine, and one more ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
async def index(request: HttpRequest) -> HttpResponseBase:
    """The rooms of an account; POST opens one."""
    owner = await _known_owner(request)
    if owner.user_id is None:
        if _wants_json(request):
            return await _refused(request, 401, gettext("Please sign in first."))
        if request.method == "POST":
            return redirect_to_login(request.get_full_path(), SIGN_IN)
        return await _page(request, "rooms/index.html", {})  # what rooms are, and the way into one
    if request.method == "POST":
        return await _open(request, owner)
    return await _index(request, owner, {"title": "", "mode": Room.Mode.OWN, "lesson": ""}, {})


async def _open(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    assert owner.user_id is not None
    form = {
        "title": names.clean(request.POST.get("title", "")),
        "mode": request.POST.get("mode", Room.Mode.OWN),
        "lesson": request.POST.get("lesson", ""),
    }
    if errors := _room_errors(form):
        return await _index(request, owner, form, errors, 400)
    try:
        room = await in_database(services.open_room)(owner.user_id, **form)
    except services.TooManyRooms:
        words = gettext("You have as many rooms as one may have; please delete one first.")
        return await _index(request, owner, form, {"": words}, 400)
    url = reverse("rooms:console", args=[room.pk])
    if _wants_json(request):
        return JsonResponse({"id": room.pk, "code": room.code, "url": url}, status=201)
    return HttpResponseRedirect(url, status=303)


def _room_errors(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    if not form["title"]:
        errors["title"] = gettext("Please give the room a title.")
    elif len(form["title"]) > TITLE_MAX:
        errors["title"] = _too_long(TITLE_MAX)
    if form["mode"] not in Room.Mode.values:
        errors["mode"] = gettext("Please choose one of the two.")
    if form["lesson"] and lessons.about(form["lesson"]) is None:
        errors["lesson"] = gettext("There is no such lesson.")
    return errors


def _too_long(length: int) -> str:
    return gettext("At most %(length)s characters, please.") % {"length": length}


async def _index(
    request: HttpRequest, owner: Owner, form: dict[str, str], errors: dict[str, str], status: int = 200
) -> HttpResponseBase:
    if errors and _wants_json(request):
        return JsonResponse({"message": " ".join(errors.values()), "errors": errors}, status=status)
    assert owner.user_id is not None
    rooms = await in_database(selectors.rooms_of)(owner.user_id)
    context = {
        "rooms": [_listed(room) for room in rooms],
        "lessons": lessons.choices(),
        "form": form,
        "errors": errors,
        "rooms_max": services.ROOMS_MAX,
        "full": len(rooms) >= services.ROOMS_MAX,
        "kept_days": settings.RECORDINGS_KEPT_DAYS,
        "title_max": TITLE_MAX,
    }
    return await _page(request, "rooms/index.html", context, status)


def _listed(room: Any) -> dict[str, Any]:
    return {
        "id": room.pk,
        "title": room.title,
        "code": room.code,
        "mode": room.mode,
        "lesson": lessons.about(room.lesson),
        "state": room.state,
        "members": room.headcount,
        "created_at": room.created_at,
        "closed_at": room.closed_at,
        "console_url": reverse("rooms:console", args=[room.pk]),
        **_room_urls(room),
    }


def _room_urls(room: Room) -> dict[str, str]:
    return {f"{name}_url": reverse(f"rooms:{name}", args=[room.pk]) for name in ("results", "close", "delete")}


# Coming in ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
async def join(request: HttpRequest, code: str = "") -> HttpResponseBase:
    """Come in by a code; guessing one is not worth while."""
    if request.method == "POST" and not code:
        return await _join(request)
    code = codes.normal(code)
    if not code:
        return await _join_page(request, {"code": "", "name": "", "group": ""}, {})
    try:
        room = await _room_of_code(request, code)
    except rate_limits.TooOften as problem:
        return await _too_often(request, code, problem)
    errors = {} if room is not None else {"code": _no_such_code()}
    return await _join_page(request, {"code": code, "name": "", "group": ""}, errors, 200 if room else 404, room)


async def _join(request: HttpRequest) -> HttpResponseBase:
    typed = {name: request.POST.get(name, "") for name in ("code", "name", "group")}
    form = {
        "code": codes.normal(typed["code"]),
        "name": names.clean(typed["name"]),
        "group": names.clean(typed["group"]),
    }
    try:
        room = await _room_of_code(request, form["code"])
    except rate_limits.TooOften as problem:
        return await _too_often(request, form["code"], problem)
    if room is None:
        return await _join_page(request, form, {"code": _no_such_code()}, 404)
    if errors := _member_errors(form):
        return await _join_page(request, form, errors, 400, room)
    owner = await callers.owner_of(request)
    if owner.user_id != room.owner_id:  # an instructor is no learner in a room of their own
        rate_limits.JOINS.take(address_of(request))
        try:
            await clusters.join(web_process.current(), room, owner, name=form["name"], group=form["group"])
        except services.RoomFull:
            return await _join_page(request, form, {"code": gettext("This room is full.")}, 400, room)
    url = reverse("rooms:room", args=[room.pk])
    return JsonResponse({"url": url}) if _wants_json(request) else HttpResponseRedirect(url, status=303)


def _no_such_code() -> str:
    return gettext("No open room has this code. Please compare it with what your instructor shows.")


def _member_errors(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    if not form["name"]:
        errors["name"] = gettext("Please say what you want to be called.")
    elif len(form["name"]) > NAME_MAX:
        errors["name"] = _too_long(NAME_MAX)
    if len(form["group"]) > GROUP_MAX:
        errors["group"] = _too_long(GROUP_MAX)
    return errors


async def _room_of_code(request: HttpRequest, code: str) -> Room | None:
    """The open room of a code; each failure counts. Wait for one's turn where many have failed. Raise `TooOften`."""
    attempts = code_limits.attempts((await _known_owner(request)).visitor, address_of(request))
    await rate_limits.sleep(await in_database(attempts.wait)())

    def look() -> Room | None:
        room = selectors.open_room(code) if codes.is_code(code) else None
        if room is None:
            attempts.failed()
        return room

    return await in_database(look)()


async def _too_often(request: HttpRequest, code: str, problem: rate_limits.TooOften) -> HttpResponseBase:
    words = gettext("Too many wrong codes. Please try again in %(seconds)s seconds.") % {"seconds": problem.seconds}
    response = await _join_page(request, {"code": code, "name": "", "group": ""}, {"code": words}, 429)
    response.headers["Retry-After"] = str(problem.seconds)
    return response


async def _join_page(
    request: HttpRequest, form: dict[str, str], errors: dict[str, str], status: int = 200, room: Room | None = None
) -> HttpResponseBase:
    if errors and _wants_json(request):
        return JsonResponse({"message": " ".join(errors.values()), "errors": errors}, status=status)
    context: dict[str, Any] = {**form, "errors": errors, "room": None, "member": None}
    context |= {"name_max": NAME_MAX, "group_max": GROUP_MAX, "code_length": codes.LENGTH}
    if room is not None:
        context["room"] = {"title": room.title, "groups": await in_database(selectors.groups)(room)}
        member = await in_database(selectors.member_of)(room, await _known_owner(request))
        if member is not None:
            context["member"] = {"name": member.name, "url": reverse("rooms:room", args=[room.pk])}
            context["name"], context["group"] = form["name"] or member.name, form["group"] or member.group
    return await _page(request, "rooms/join.html", context, status)


# In the room ----------------------------------------------------------------------------------------------------------


@require_safe
@_for_people_of_the_room()
async def room_page(request: HttpRequest, person: Person) -> HttpResponseBase:
    """A learner's page: their own cluster, or where all watch one, that one."""
    if person.member is None:
        return HttpResponseRedirect(reverse("rooms:console", args=[person.room.pk]))
    if person.room.mode == Room.Mode.SHARED:
        return await _watch(request, person)
    cluster = await clusters.of_member(
        web_process.current(), person.room, person.member, await callers.owner_of(request)
    )
    return await _playground(request, person, cluster.pk, watching=False)


@require_safe
@_for_people_of_the_room()
async def watch(request: HttpRequest, person: Person) -> HttpResponseBase:
    """The instructor's cluster."""
    return await _watch(request, person)


async def _watch(request: HttpRequest, person: Person) -> HttpResponseBase:
    owner = await callers.owner_of(request) if person.is_instructor else None
    cluster = await clusters.of_instructor(web_process.current(), person.room, owner)
    return await _playground(request, person, cluster.pk, watching=not person.is_instructor)


async def _playground(request: HttpRequest, person: Person, cluster: str, *, watching: bool) -> HttpResponseBase:
    found = await in_database(access.find)(await callers.owner_of(request), cluster)
    if found is None:
        raise Http404(gettext("There is no such cluster, or it is not yours."))
    room, member = person.room, not person.is_instructor
    urls = {name: reverse(f"rooms:{name}", args=[room.pk]) for name in ("room", "watch", "console", "leave")}
    context = {
        "id": room.pk,
        "title": room.title,
        "socket": f"/ws/rooms/{room.pk}/",
        "role": "member" if member else "instructor",
        "watching": watching,
        "mode": room.mode,
        "own_url": urls["room"] if member else None,
        "watch_url": urls["watch"],
        "console_url": None if member else urls["console"],
        "leave_url": urls["leave"] if member else None,
    }
    return await views.playground(request, found, room=context)


@require_safe
@_for_people_of_the_room(instructor=True)
async def console(request: HttpRequest, person: Person) -> HttpResponseBase:
    """The instructor's board."""
    room = person.room
    join_url = request.build_absolute_uri(reverse("join_code", args=[room.code]))
    wanted = lessons.cluster_of(room.lesson)
    context = {
        "room": selectors.room_fields(room, with_code=True),
        "socket": f"/ws/rooms/{room.pk}/",
        "lesson": lessons.about(room.lesson),
        "beats": lessons.milestone_titles(room.lesson),
        "join_url": join_url,
        "qr": codes.qr_svg(join_url, gettext("QR code of the address %(address)s") % {"address": join_url}),
        "faults": faults.describe(),
        "cast": cast(
            wanted["nodes"], system_pods=wanted["system_pods"], etcd_members=wanted["etcd_members"]
        ).describe(),
        "watch_url": reverse("rooms:watch", args=[room.pk]),
        "workers_url": reverse("rooms:workers", args=[room.pk]),
        "forget_url": reverse("rooms:forget", args=[room.pk, 0]),
        **_room_urls(room),
    }
    return await _page(request, "rooms/console.html", context)


@require_GET
@_for_people_of_the_room(instructor=True)
async def workers(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Which machines for pods there are in this room's clusters by now: {"workers": [name]}."""
    return JsonResponse({"workers": await instructor_actions.workers(web_process.current(), person.room)})


@require_GET
@_for_people_of_the_room(instructor=True)
async def results_csv(request: HttpRequest, person: Person) -> HttpResponseBase:
    """What came of it, as a table for a spreadsheet."""
    text = await in_database(results.table)(person.room)
    response = HttpResponse(results.encoded(text), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="glassplane-{person.room.code}.csv"'
    return response


# Ends -----------------------------------------------------------------------------------------------------------------


@require_POST
@_for_people_of_the_room(instructor=True)
async def close(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Let nobody in any more; what was done stays."""
    await ending.close(web_process.current(), person.room)
    return _done(request, reverse("rooms:console", args=[person.room.pk]))


@require_POST
@_for_people_of_the_room(instructor=True)
async def delete(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Delete the room with everything that is in it."""
    await ending.delete(web_process.current(), person.room)
    return _done(request, reverse("rooms:index"))


@require_POST
@_for_people_of_the_room()
async def leave(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Leave the room, and be forgotten."""
    if person.member is None:
        return await _refused(request, 403, gettext("You may not do this."))
    await ending.forget(web_process.current(), person.room, [person.member.pk])
    return _done(request, reverse("join"))


@require_POST
@_for_people_of_the_room(instructor=True)
async def forget(request: HttpRequest, person: Person, member: int) -> HttpResponseBase:
    """Forget a learner."""
    if not await ending.forget(web_process.current(), person.room, [member]):
        raise Http404(gettext("There is nobody of this number in the room."))
    return _done(request, reverse("rooms:console", args=[person.room.pk]))


def _done(request: HttpRequest, url: str) -> HttpResponseBase:
    return JsonResponse({}) if _wants_json(request) else HttpResponseRedirect(url, status=303)


# Who asks, and how it is answered -------------------------------------------------------------------------------------


@in_database
def _known_owner(request: HttpRequest) -> Owner:
    return Owner.of(request.session, request.user)


@in_database
def _person(request: HttpRequest, room: str) -> Person | None:
    return selectors.person(Owner.of(request.session, request.user), room)


async def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return await sync_to_async(render)(request, template, context, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.accepts("application/json") and not request.accepts("text/html")


async def _refused(request: HttpRequest, status: int, message: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"message": message}, status=status)
    return await _page(request, "error.html", {"status": status, "message": message}, status)
