"""The pages and the small HTTP interface of a cluster. Thin: they ask `selectors`, `services` and `hosting`, and render.

What the templates are given (room H draws them; this comment is the agreement):

`playground.html` (extends `base.html`), for `GET /` and `GET /clusters/<id>/`
    cluster  {"id", "state": "starting"|"running"|"ended", "message": why it ended, "nodes", "seed"}
    urls     {"socket": "/ws/clusters/<id>/", "entries": "/clusters/<id>/entries/", "entry": "/clusters/<id>/entries/{seq}/",
              "kubeconfig": "/clusters/<id>/kubeconfig", "new": "/clusters/", "home": "/"}
             to be put into data attributes; replace the literal `{seq}` in `entry`.
    `POST urls.new` (CSRF token as form field or `X-CSRFToken` header; form fields nodes, seed are optional) makes a new cluster and redirects
    (303) to its page; with `Accept: application/json` it answers 201 {"id", "url"} instead.
`error.html`, for every error that is a page
    code 400|403|404|405|410|429|500|503, title, message (already in the reader's language)
every template
    csp_nonce (for `<script type="importmap" nonce="{{ csp_nonce }}">`: the only inline script that the policy allows; styles are files only),
    request, LANGUAGE_CODE, LANGUAGES; `{% csrf_token %}` works.
`POST /language/` with `language=de|en` and `next=/path` switches the language (Django's `set_language`, url name `set_language`).
"""
