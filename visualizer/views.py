"""The sandbox and the page of a cluster: they ask `selectors`, `services` and `hosting`, and render.

What the templates are given (the other half of the page contract in docs/journal.md):

`playground.html`, for `GET /sandbox/`, `GET /clusters/<id>/` and the pages of rooms (`playground` below)
    cluster_id, language; and for who wants them:
    cluster {"id", "state": "starting"|"running"|"suspended"|"ended", "message", "nodes", "seed"}
    lesson  None, or {"data", "prose", "url"} (`visualizer.lessons.lesson_page`) and "title", in the reader's language
    room    what a room's page gives
    `POST /clusters/` (CSRF token; optional nodes, seed, pace or lesson) makes one and redirects (303) to its page.
    Branches, undo and reset: `visualizer.branch_pages`. What the page then fetches: `visualizer.cluster_data`.
    What errors are given: `visualizer.error_pages`.
every template
    csp_nonce, for the one inline script that the policy allows: `<script type="importmap" nonce="{{ csp_nonce }}">`;
    request, LANGUAGE_CODE, LANGUAGES. `{% csrf_token %}` works.
`POST /language/` with a `language` of LANGUAGES and `next=/path` switches it (Django's view, named `set_language`).
"""

import math
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from visualizer import access, branches, rate_limits, selectors, services
from visualizer.access import Access, Action
from visualizer.addresses import address_of
from visualizer.callers import allowed, number_in, owner_of
from visualizer.database import in_database
from visualizer.error_pages import BadForm, page_errors, wants_json
from visualizer.hosting import web_process
from visualizer.imports import selectors as recordings
from visualizer.imports.asking import NOT_MADE, NOT_TOLD
from visualizer.lessons import cluster_options
from visualizer.models import Cluster
from visualizer.reasons import IMPORTED, said
from visualizer.selectors import Owner

NODES_MAX = 8
SEED_MAX = 2**31 - 1
PACE_MIN, PACE_MAX = 0.1, 60


@require_safe
@page_errors
async def home(request: HttpRequest) -> HttpResponseBase:
    """The sandbox: the session's cluster, or a new one.

    With `cluster_options`, as ?audit=on and ?etcd_members=3, with ?nodes= or ?seed=: one that has them. A new one
    begins at ?pace=.
    """
    if request.method == "HEAD":
        return HttpResponse()
    owner = await owner_of(request)
    spec = _sandbox(request.GET)
    wanted = {name: spec[name] for name in ("nodes", "seed") if request.GET.get(name)}
    cluster = await in_database(selectors.current_cluster)(owner, wanted, **_options(request.GET))
    if cluster is None:
        cluster = await _launch(request, owner, **spec)
    return await playground(request, Access(cluster, access.Role.OWNER))


@require_safe
@page_errors
async def cluster_page(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """The page of one cluster, running or ended; one that is suspended comes back."""
    return await playground(request, await allowed(request, cluster, Action.SEE))


@require_POST
@page_errors
async def new_cluster(request: HttpRequest) -> HttpResponseBase:
    """Make one more cluster, perhaps of a lesson, and go to its page."""
    spec = await sync_to_async(_spec)(request.POST)
    return go_to(request, await _launch(request, await owner_of(request), **spec))


def _spec(form: Any) -> dict[str, Any]:
    """Read what cluster is wanted: a lesson's, or so many nodes with a seed, perhaps as kubeadm makes one."""
    if not (path := form.get("lesson", "")):
        return _sandbox(form)
    from visualizer.lessons import library

    lesson = library.find(path)
    if lesson is None:
        raise BadForm(gettext("There is no such lesson."))
    return {**lesson.cluster, "lesson": lesson.path}


def _sandbox(form: Any) -> dict[str, Any]:
    return {
        "nodes": number_in(form, "nodes", 2, 1, NODES_MAX),
        "seed": number_in(form, "seed", 1, 0, SEED_MAX),
        "pace": _pace(form),
        **_options(form),
    }


def go_to(request: HttpRequest, cluster: Cluster | None) -> HttpResponse:
    """Send them to a cluster's page, or home; who wants JSON is told which."""
    page = reverse("cluster", args=[cluster.pk]) if cluster is not None else reverse("home")
    if wants_json(request):
        return JsonResponse({"id": cluster.pk if cluster is not None else None, "url": page}, status=201)
    return HttpResponseRedirect(page, status=303)


async def _launch(request: HttpRequest, owner: Owner, **spec: Any) -> Cluster:
    rate_limits.CLUSTERS_OF_VISITOR.take(owner.visitor)
    rate_limits.CLUSTERS.take(address_of(request))
    host = web_process.current()
    cluster = await branches.with_room(host, owner, lambda: services.create_cluster(owner, **spec))
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
        **await in_database(imported)(cluster),
    }
    return await sync_to_async(render)(request, "playground.html", context)


def imported(cluster: Cluster) -> dict[str, Any]:
    """What the page of a recording that was read from a file is told besides: what could not be read, and be made."""
    if cluster.reason != IMPORTED:
        return {}
    kind, _began_ns = recordings.about(cluster.pk)
    absent = {"not_made": NOT_MADE.get(kind, {}), "not_told": NOT_TOLD.get(kind, {})}
    return {"imported": {"problems": recordings.problems(cluster.pk), "kind": kind, **absent}}


def _lesson(path: str) -> dict[str, Any] | None:
    if not path:
        return None
    from visualizer.lessons import lesson_page, library

    lesson = library.find(path)
    if lesson is None:
        return None
    page = lesson_page.page(lesson)
    return {**page, "title": page["data"]["titles"][get_language() or "en"]}


def _pace(form: Any) -> float:
    """Read how many virtual seconds are to pass in a real one; some write a decimal comma. Raise `BadForm`."""
    text = form.get("pace", "") or "1"
    try:
        pace = float(text.replace(",", "."))
    except ValueError:
        pace = math.nan
    if not PACE_MIN <= pace <= PACE_MAX:
        bounds = {"name": "pace", "least": PACE_MIN, "most": PACE_MAX}
        raise BadForm(gettext("%(name)s must be a number from %(least)s to %(most)s.") % bounds)
    return pace


def _options(form: Any) -> dict[str, Any]:
    flags = {name: bool(form.get(name)) for name, default in cluster_options.DEFAULTS.items() if default is False}
    return {**flags, "etcd_members": _etcd_members(form)}


def _etcd_members(form: Any) -> int:
    if (text := form.get("etcd_members", "")) not in ("", "1", "3"):
        raise BadForm(gettext("etcd_members must be 1 or 3, not %(text)s.") % {"text": text[:20]})
    return int(text or 1)


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
