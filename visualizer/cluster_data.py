"""What the page of a cluster fetches, and programs may: entries, bodies, the state, files. JSON, errors too.

Each is two functions: one that knows who asks, and one (`…_of`) that is given the cluster and what may be done with it;
who has a link reads through the second (`visualizer.sharing`). What only the cluster itself knows it is asked (`_ask`).
"""

import json
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_GET

from visualizer import access, exports, gateway, rate_limits, services
from visualizer.access import Access, Action
from visualizer.callers import allowed, number_in
from visualizer.database import in_database
from visualizer.error_pages import BadForm, json_errors
from visualizer.hosting import web_process
from visualizer.hosting.batches import array
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Detail, Kubeconfig, Question, Search, StateAt
from visualizer.hosting.refused import Refused
from visualizer.imports import open_recordings
from visualizer.json_bounds import NUMBER_MAX
from visualizer.models import Cluster
from visualizer.reasons import IMPORTED

LIST_ENTRIES = 1000
LIST_ENTRIES_MAX = 5000
STATE_ARGS = {
    "objects": ("kind",),
    "object": ("resource", "namespace", "name"),
    "board": (),
    "topology": (),
    "beliefs": (),
    "identities": (),
    "rules": ("host",),
    "reached": ("state", "since"),
}
STATE_ARG_MAX = 512
"""What may be asked of a view of `cluster_engine.state`, and how long it may be."""

SEARCHED_MAX, SEARCHED_CHARACTERS_MAX = 8, 100
"""So many texts at once, so long (`cluster_engine.lens.searching`)."""


@require_GET
@json_errors
async def entries(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """A part of the journal: {"entries": those after `since`, at most `limit`, "head": the last there is}."""
    return await entries_of(request, await allowed(request, cluster, Action.SEE))


async def entries_of(request: HttpRequest, found: Access) -> HttpResponse:
    """See `entries`."""
    owned = found.cluster
    since = number_in(request.GET, "since", 0, 0, 2**53)
    limit = number_in(request.GET, "limit", LIST_ENTRIES, 1, LIST_ENTRIES_MAX)
    host = web_process.current()
    batches = await host.entries(owned.pk, since, limit)
    head = max([owned.recorded, host.hub.head(owned.pk), *(batch.last for batch in batches)])
    body = b'{"entries":' + array(batches) + b',"head":' + str(head).encode() + b"}"
    return HttpResponse(body, content_type="application/json")


@require_GET
@json_errors
async def entry(request: HttpRequest, cluster: str, seq: int) -> HttpResponseBase:
    """One entry with its headers, body and bytes; the running cluster alone knows them."""
    return await entry_of(await allowed(request, cluster, Action.SEE), seq)


async def entry_of(found: Access, seq: int) -> HttpResponse:
    """See `entry`."""
    answer = await _ask(found, Detail(seq))
    return HttpResponse(answer, content_type="application/json")


@require_GET
@json_errors
async def state(request: HttpRequest, cluster: str, view: str) -> HttpResponseBase:
    """What stood after entry `at`, or now, in one of the views of `cluster_engine.state`; the running cluster knows."""
    found = await allowed(request, cluster, Action.SEE)
    rate_limits.STATES.take(found.cluster.pk)
    return await state_of(request, found, view)


async def state_of(request: HttpRequest, found: Access, view: str) -> HttpResponse:
    """See `state`."""
    if view not in STATE_ARGS:
        raise Http404(gettext("There is no such view; there are %(known)s.") % {"known": ", ".join(STATE_ARGS)})
    at = number_in(request.GET, "at", NUMBER_MAX, 0, NUMBER_MAX)
    args = {name: request.GET[name] for name in STATE_ARGS[view] if request.GET.get(name)}
    for name, text in args.items():
        if len(text) > STATE_ARG_MAX:
            bounds = {"name": name, "most": STATE_ARG_MAX}
            raise BadForm(gettext("%(name)s has at most %(most)s characters.") % bounds)
    return HttpResponse(await _ask(found, StateAt(view, at, args)), content_type="application/json")


@require_GET
@json_errors
async def search(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Which entries after `since` have each `text` in their bodies, and how far was looked: the cluster knows."""
    found = await allowed(request, cluster, Action.SEE)
    rate_limits.SEARCHES.take(found.cluster.pk)
    return await search_of(request, found)


async def search_of(request: HttpRequest, found: Access) -> HttpResponse:
    """See `search`."""
    texts = request.GET.getlist("text")
    if not all(text.replace("*", "") for text in texts) or not 1 <= len(texts) <= SEARCHED_MAX:
        raise BadForm(gettext("Say what to look for: text=…, up to %(most)s times.") % {"most": SEARCHED_MAX})
    if any(len(text) > SEARCHED_CHARACTERS_MAX for text in texts):
        bounds = {"name": "text", "most": SEARCHED_CHARACTERS_MAX}
        raise BadForm(gettext("%(name)s has at most %(most)s characters.") % bounds)
    since = number_in(request.GET, "since", 0, 0, NUMBER_MAX)
    return HttpResponse(await _ask(found, Search(texts, since)), content_type="application/json")


@require_GET
@json_errors
async def export(request: HttpRequest, cluster: str, form: str) -> HttpResponseBase:
    """The journal as a file, in a format of `exports`; of entries `first` to `last`, of one `connection`, or all."""
    found = await allowed(request, cluster, Action.TAKE)
    rate_limits.EXPORTS.take(found.cluster.pk)
    return await export_of(request, found, form)


async def export_of(request: HttpRequest, found: Access, form: str) -> HttpResponseBase:
    """See `export`."""
    if form not in exports.FILES:
        raise Http404(gettext("There is no such format; there are %(known)s.") % {"known": ", ".join(exports.FILES)})
    asked = {name: number_in(request.GET, name, 0, 0, NUMBER_MAX) for name in ("first", "last", "connection")}
    if 0 < asked["last"] < asked["first"]:
        raise BadForm(gettext("The first message has to come before the last."))
    chosen = exports.Chosen(form, asked["first"] or 1, asked["last"] or None, asked["connection"] or None)
    prints = found.role not in access.READERS  # as on their page
    return await exports.response(chosen, get_language() or "en", partial(_ask, found), prints=prints)


@require_GET
@json_errors
async def kubeconfig(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """A kubeconfig with which the real kubectl reaches this cluster."""
    found = await allowed(request, cluster, Action.GATEWAY)
    answer = await _ask(found, Kubeconfig(gateway.name_for(request.get_host())))
    response = HttpResponse(json.loads(answer), content_type="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="glassplane.kubeconfig"'
    return response


async def _ask(found: Access, question: Question) -> bytes:
    """Ask a cluster, which comes back if it is suspended; for who has but a link to it, not too often."""
    if found.cluster.reason == IMPORTED:
        return await open_recordings.ask(found.cluster.pk, question)
    host = web_process.current()
    if found.role in access.READERS and found.cluster.state == Cluster.State.SUSPENDED:
        await _wake_for_a_reader(found.cluster)
    cluster = await host.revival.wake(found.cluster)
    try:
        return await host.clusters.ask(cluster.pk, question)
    except NotRunning:
        if cluster.state == Cluster.State.STARTING:
            raise Refused(_("This cluster is still starting; please try again in a moment.")) from None
        raise


async def _wake_for_a_reader(cluster: Cluster) -> None:
    try:
        rate_limits.WAKES.take(cluster.pk)
    except rate_limits.TooOften:
        raise Refused(_("This cluster sleeps, and was woken often just now; please try again in a minute.")) from None
    await in_database(services.mark_seen)([cluster.pk])
