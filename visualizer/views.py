"""The pages and the small HTTP interface of a cluster: they ask `selectors`, `services` and `hosting`, and render.

What the templates are given (the other half of the page contract in docs/journal.md):

`playground.html`, for `GET /sandbox/`, `GET /clusters/<id>/` and the pages of rooms (`playground` below)
    cluster_id, language; and for who wants them:
    cluster {"id", "state": "starting"|"running"|"suspended"|"ended", "message", "nodes", "seed"}
    lesson  None, or {"data", "prose", "url"} (`visualizer.lessons.lesson_page`) and "title", in the reader's language
    room    what a room's page gives
    `POST /clusters/` (CSRF token; optional fields nodes, seed or lesson) makes one and redirects (303) to its page.
    `POST /clusters/<id>/undo/`, `POST /clusters/<id>/reset/` (CSRF token) redirect (303) to the successor's page;
    who wants JSON gets {"id", "url"}, or {"message"} with 403, 404, 409 or 503.
`404.html`, `500.html`, and `error.html` for every other error that is a page
    status, message (already in the reader's language)
every template
    csp_nonce, for the one inline script that the policy allows: `<script type="importmap" nonce="{{ csp_nonce }}">`;
    request, LANGUAGE_CODE, LANGUAGES. `{% csrf_token %}` works.
`POST /language/` with a `language` of LANGUAGES and `next=/path` switches it (Django's view, named `set_language`).
"""

import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from visualizer import access, gateway, hosts, rate_limits, refusals, selectors, services, successors
from visualizer.access import Access, Action
from visualizer.addresses import address_of
from visualizer.database import in_database, keeping_no_connection
from visualizer.hosting import web_process
from visualizer.hosting.batches import array
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Detail, Kubeconfig, Question
from visualizer.hosting.refused import Missing, Refused
from visualizer.lessons import cluster_options
from visualizer.models import Cluster
from visualizer.reasons import NOT_YOURS, said
from visualizer.selectors import Owner

logger = logging.getLogger(__name__)

LIST_ENTRIES = 1000
LIST_ENTRIES_MAX = 5000
NODES_MAX = 8
TOO_LARGE = "glassplane.body_too_large"  # in a scope's extensions; visualizer.connections writes it
SEED_MAX = 2**31 - 1
HOST_SHOWN_MAX = 100

SHOWS_ONLY = _("This address only shows something; nothing can be sent to it.")
DOES_ONLY = _("There is nothing to see at this address: it belongs to a button on another page.")

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


class BadForm(ValueError):  # noqa: N818
    """A number that was asked for is not one, or out of bounds; or there is no such lesson."""


class NotYours(Exception):  # noqa: N818
    """They may see the cluster, and not do this with it."""


# Pages ----------------------------------------------------------------------------------------------------------------


def _page_errors(view: View) -> View:
    """Say what cannot be as a page, or as JSON to who wants that."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except BadForm as problem:
            return await _refused(request, 400, str(problem))
        except NotYours as refusal:
            return await _refused(request, 403, str(refusal))
        except successors.CannotUndo as refusal:
            return await _refused(request, 409, str(refusal))
        except services.TooManyClusters:
            return await _refused(request, 429, gettext("You have as many clusters running as one may have at a time."))
        except Refused as refusal:
            return await _refused(request, 503, refusals.said(str(refusal)))

    return answered


@require_safe
@_page_errors
async def home(request: HttpRequest) -> HttpResponseBase:
    """The sandbox: the session's cluster, or a new one; with `cluster_options`, as ?audit=on and ?etcd_members=3."""
    if request.method == "HEAD":
        return HttpResponse()
    owner = await owner_of(request)
    options = _options(request.GET)
    cluster = await in_database(selectors.current_cluster)(owner, **options)
    if cluster is None:
        cluster = await _launch(request, owner, nodes=2, seed=1, **options)
    return await playground(request, Access(cluster, access.Role.OWNER))


@require_safe
@_page_errors
async def cluster_page(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """The page of one cluster, running or ended; one that is suspended comes back."""
    return await playground(request, await _allowed(request, cluster, Action.SEE))


@require_POST
@_page_errors
async def new_cluster(request: HttpRequest) -> HttpResponseBase:
    """Make one more cluster, perhaps of a lesson, and go to its page."""
    spec = await sync_to_async(_spec)(request.POST)
    return _go_to(request, await _launch(request, await owner_of(request), **spec))


@require_POST
@_page_errors
async def undo(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Go to a cluster in which the last thing was not done."""
    found = await _allowed(request, cluster, Action.REPLACE)
    rate_limits.CLUSTERS_OF_VISITOR.take(found.cluster.visitor)
    return _go_to(request, await successors.undo(web_process.current(), found.cluster))


@require_POST
@_page_errors
async def reset(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Go to a cluster that begins afresh."""
    found = await _allowed(request, cluster, Action.REPLACE)
    rate_limits.CLUSTERS_OF_VISITOR.take(found.cluster.visitor)
    return _go_to(request, await successors.reset(web_process.current(), found.cluster))


def _spec(form: Any) -> dict[str, Any]:
    """Read what cluster is wanted: a lesson's, or so many nodes with a seed, perhaps as kubeadm makes one."""
    if not (path := form.get("lesson", "")):
        return {
            "nodes": _number(form, "nodes", 2, 1, NODES_MAX),
            "seed": _number(form, "seed", 1, 0, SEED_MAX),
            **_options(form),
        }
    from visualizer.lessons import library

    lesson = library.find(path)
    if lesson is None:
        raise BadForm(gettext("There is no such lesson."))
    return {**lesson.cluster, "lesson": lesson.path}


def _go_to(request: HttpRequest, cluster: Cluster) -> HttpResponse:
    page = reverse("cluster", args=[cluster.pk])
    if _wants_json(request):
        return JsonResponse({"id": cluster.pk, "url": page}, status=201)
    return HttpResponseRedirect(page, status=303)


async def _launch(request: HttpRequest, owner: Owner, **spec: Any) -> Cluster:
    rate_limits.CLUSTERS_OF_VISITOR.take(owner.visitor)
    rate_limits.CLUSTERS.take(address_of(request))
    host = web_process.current()
    try:
        cluster = await in_database(services.create_cluster)(owner, **spec)
    except services.TooManyClusters:
        if not await host.placement.make_room_of(owner):
            raise
        cluster = await in_database(services.create_cluster)(owner, **spec)
    host.placement.launch(cluster)
    return cluster


async def playground(request: HttpRequest, found: Access, room: dict[str, Any] | None = None) -> HttpResponse:
    """Render the page of a cluster, which comes back if it is suspended; `room`: what a room's page has beside it."""
    cluster = found.cluster
    if request.method != "HEAD":
        cluster = await web_process.current().revival.wake(cluster)
    context = {
        "cluster_id": cluster.pk,
        "language": get_language(),
        "cluster": {
            "id": cluster.pk,
            "state": cluster.state,
            "message": said(cluster.reason),
            "nodes": cluster.nodes,
            "seed": cluster.seed,
        },
        "lesson": await sync_to_async(_lesson)(cluster.lesson),
        "room": room,
    }
    return await sync_to_async(render)(request, "playground.html", context)


def _lesson(path: str) -> dict[str, Any] | None:
    if not path:
        return None
    from visualizer.lessons import lesson_page, library

    lesson = library.find(path)
    if lesson is None:
        return None
    page = lesson_page.page(lesson)
    return {**page, "title": page["data"]["titles"][get_language() or "en"]}


# A cluster's journal and papers ---------------------------------------------------------------------------------------


def _json_errors(view: View) -> View:
    """Say errors of an interface for programs as JSON."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except (Http404, Missing) as problem:
            return JsonResponse({"message": refusals.said(str(problem))}, status=404)
        except BadForm as problem:
            return JsonResponse({"message": str(problem)}, status=400)
        except NotYours as refusal:
            return JsonResponse({"message": str(refusal)}, status=403)
        except NotRunning as refusal:
            return JsonResponse({"message": refusals.said(str(refusal))}, status=410)
        except Refused as refusal:
            return JsonResponse({"message": refusals.said(str(refusal))}, status=503)

    return answered


@require_GET
@_json_errors
async def entries(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """A part of the journal: {"entries": those after `since`, at most `limit`, "head": the last there is}."""
    owned = (await _allowed(request, cluster, Action.SEE)).cluster
    since = _number(request.GET, "since", 0, 0, 2**53)
    limit = _number(request.GET, "limit", LIST_ENTRIES, 1, LIST_ENTRIES_MAX)
    host = web_process.current()
    batches = await host.entries(owned.pk, since, limit)
    head = max([owned.recorded, host.hub.head(owned.pk), *(batch.last for batch in batches)])
    body = b'{"entries":' + array(batches) + b',"head":' + str(head).encode() + b"}"
    return HttpResponse(body, content_type="application/json")


@require_GET
@_json_errors
async def entry(request: HttpRequest, cluster: str, seq: int) -> HttpResponseBase:
    """One entry with its headers, body and bytes; the running cluster alone knows them."""
    answer = await _ask(await _allowed(request, cluster, Action.SEE), Detail(seq))
    return HttpResponse(answer, content_type="application/json")


@require_GET
@_json_errors
async def kubeconfig(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """A kubeconfig with which the real kubectl reaches this cluster."""
    found = await _allowed(request, cluster, Action.GATEWAY)
    answer = await _ask(found, Kubeconfig(gateway.name_for(request.get_host())))
    response = HttpResponse(json.loads(answer), content_type="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="glassplane.kubeconfig"'
    return response


async def _ask(found: Access, question: Question) -> bytes:
    """Ask a cluster, which comes back if it is suspended."""
    host = web_process.current()
    cluster = await host.revival.wake(found.cluster)
    try:
        return await host.clusters.ask(cluster.pk, question)
    except NotRunning:
        if cluster.state == Cluster.State.STARTING:
            raise Refused(_("This cluster is still starting; please try again in a moment.")) from None
        raise


@require_GET
async def faults(request: HttpRequest) -> HttpResponseBase:
    """What can be broken, with the fields of each fault and their bounds."""
    from cluster_engine import faults as known  # only here: pages do without the engine

    return JsonResponse(known.describe(), safe=False)


@require_safe
async def readyz(request: HttpRequest) -> HttpResponseBase:
    """Whether this server can do its work, and if not, what is wrong."""
    problems = await web_process.current().health.problems()
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


# Who asks, and what for -----------------------------------------------------------------------------------------------


@in_database
def owner_of(request: HttpRequest) -> Owner:
    """Who asks; a new visitor is made somebody. Raise `TooOften` when too many new ones come from their address."""
    if not Owner.of(request.session, request.user).visitor:
        rate_limits.VISITORS.take(address_of(request))
    return services.owner_of(request.session, request.user)


@in_database
def _find(request: HttpRequest, cluster: str) -> Access | None:
    return access.find(Owner.of(request.session, request.user), cluster)


async def _allowed(request: HttpRequest, cluster: str, action: Action) -> Access:
    """The cluster, if they may do this with it; one that they may not see is not told from none."""
    found = await _find(request, cluster)
    if found is None or not found.may(Action.SEE):
        raise Http404(gettext("There is no such cluster, or it is not yours."))
    if not found.may(action):
        raise NotYours(gettext(NOT_YOURS[action]))
    return found


def _number(form: Any, name: str, default: int, least: int, most: int) -> int:
    text = form.get(name, "")
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        bounds = {"name": name, "least": least, "most": most}
        raise BadForm(gettext("%(name)s must be a whole number from %(least)s to %(most)s.") % bounds)
    return number


def _options(form: Any) -> dict[str, Any]:
    flags = {name: bool(form.get(name)) for name, default in cluster_options.DEFAULTS.items() if default is False}
    return {**flags, "etcd_members": _etcd_members(form)}


def _etcd_members(form: Any) -> int:
    if (text := form.get("etcd_members", "")) not in ("", "1", "3"):
        raise BadForm(gettext("etcd_members must be 1 or 3, not %(text)s.") % {"text": text[:20]})
    return int(text or 1)


# Errors ---------------------------------------------------------------------------------------------------------------


def _wants_json(request: HttpRequest) -> bool:
    return request.accepts("application/json") and not request.accepts("text/html")


@keeping_no_connection  # the page's bar asks who is signed in
def _error(request: HttpRequest, status: int, message: str, template: str = "error.html") -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"message": message}, status=status)
    return render(request, template, {"status": status, "message": message}, status=status)


_refused = sync_to_async(_error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _error(request, 400, gettext("This request was not understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _error(request, 403, gettext("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form did not come from our page, or its cookie is gone."""
    return _error(request, 403, gettext("This form has expired. Please go back, reload the page and try again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _error(request, 404, gettext("There is no such page."), "404.html")


@async_only_middleware
def known_host(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 400 in words, for a Host that is not this server's (visualizer.hosts)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        host = request.headers.get("host")
        if host is not None and not hosts.is_ours(host):
            words = gettext("This server is not called %(host)s. Whoever runs it can add the name to ALLOWED_HOSTS.")
            return await _refused(request, 400, words % {"host": host[:HOST_SHOWN_MAX]})
        return await get_response(request)

    return answered


class TooOftenInWords(MiddlewareMixin):
    """Middleware: 429 in words, wherever a view has been asked too often."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer `TooOften`; everything else is not ours."""
        if not isinstance(exception, rate_limits.TooOften):
            return None
        words = gettext("Very much was asked for from where you are just now. Please try again in %(seconds)s seconds.")
        response = _error(request, 429, words % {"seconds": exception.seconds})
        response.headers["Retry-After"] = str(exception.seconds)
        return response


@async_only_middleware
def body_too_large(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 413 in words, for a request whose body the server has not taken (visualizer.connections)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        if TOO_LARGE in getattr(request, "scope", {}).get("extensions", {}):
            return await _refused(request, 413, gettext("This is more than can be sent here: at most 1 MiB."))
        return await get_response(request)

    return answered


@async_only_middleware
def method_not_allowed(get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> View:
    """Middleware: 405 in words, where Django's decorators give an empty one (a form's address typed as a page's)."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            shows = "GET" in response.headers["Allow"]
            page = await _refused(request, 405, gettext(SHOWS_ONLY if shows else DOES_ONLY))
            page.headers["Allow"] = response.headers["Allow"]
            return page
        return response

    return answered


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says nothing of what went wrong; the log does."""
    try:
        return _error(request, 500, gettext("This broke inside Glassplane; that is our mistake."), "500.html")
    except Exception:
        logger.exception("even the page that says so broke")
        return HttpResponse(
            gettext("This broke inside Glassplane; that is our mistake."), status=500, content_type="text/plain"
        )
