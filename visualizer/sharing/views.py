"""Links to runs: what their owners do with them, and what who has one may read.

    GET, POST /clusters/<id>/shares/    the owner's links to a cluster, {"shares": [{"token", "url", …}]}; one more
    GET /shared/                        all that somebody shares, each with a button that takes it back
    POST /shared/<token>/revoke/        takes it back; pages that are open by it are closed
    GET /shared/<token>/…               page, entries, state, search and export, as below /clusters/<id>/, to read
    GET /shared/<token>/embed/          the page for a frame on any site; no other response may be framed

The token is all that admits: neither session nor cookie is looked at or made. An address may say how the run is to be
seen (`static/js/sharing/address.js`); the server reads `lang` of it alone. Readers have bounds of their own, so that
they take nothing from the owner, and a cluster is woken only by who looks at what it alone knows (`cluster_data._ask`).
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext, override
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from visualizer import access, callers, cluster_data, error_pages, rate_limits, views
from visualizer.access import Access, Action
from visualizer.database import in_database
from visualizer.hosting import web_process
from visualizer.models import Cluster
from visualizer.reasons import NOT_YOURS, said
from visualizer.rooms.clusters import reconsider
from visualizer.security import framed_by_anybody
from visualizer.selectors import Owner
from visualizer.sharing import language, selectors, services
from visualizer.sharing.models import Share

# What its owner does with a link --------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@error_pages.json_errors
async def shares(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """The links to a cluster that its owner has made; POST makes one, with `files` one that lets files be taken."""
    found = await callers.allowed(request, cluster, Action.SHARE)
    owner = await _owner(request)
    if request.method == "POST":
        rate_limits.SHARES.take(found.cluster.visitor)
        files = bool(await sync_to_async(request.POST.get)("files"))
        try:
            share = await in_database(services.make_share)(owner, found.cluster, files=files)
        except services.TooManyShares:
            words = gettext("You have %(most)s links already, as many as one may have. Take one back first.")
            return JsonResponse({"message": words % {"most": services.SHARES_OF_OWNER_MAX}}, status=409)
        return JsonResponse(_described(share), status=201)
    made = await in_database(selectors.shares_of)(owner, found.cluster.pk)
    return JsonResponse({"shares": [_described(share) for share in made]})


def _described(share: Share) -> dict[str, Any]:
    url, made = reverse("shared", args=[share.pk]), share.created_at.isoformat()
    return {"token": share.pk, "url": url, "files": share.files, "createdAt": made}


@require_safe
async def mine(request: HttpRequest) -> HttpResponse:
    """All that somebody shares."""
    made = await in_database(selectors.shares_of)(await _owner(request))
    return await sync_to_async(render)(request, "sharing/mine.html", {"shares": made})


@require_POST
@error_pages.page_errors
async def revoke(request: HttpRequest, token: str) -> HttpResponseBase:
    """Take a link back: whoever has a page open by it is told at once."""
    cluster = await in_database(services.revoke)(await _owner(request), token)
    if cluster is None:
        raise Http404(gettext("There is no such link of yours."))
    await reconsider(web_process.current(), [cluster])
    if error_pages.wants_json(request):
        return HttpResponse(status=204)
    return HttpResponseRedirect(reverse("shared_by_me"), status=303)


@in_database
def _owner(request: HttpRequest) -> Owner:
    return Owner.of(request.session, request.user)


# What a reader is shown -----------------------------------------------------------------------------------------------


@require_safe
async def page(request: HttpRequest, token: str) -> HttpResponse:
    """The page of a shared run, to read."""
    return await _page(request, token, framed=False)


@require_safe
async def embed(request: HttpRequest, token: str) -> HttpResponse:
    """The same for a frame on any site (docs/embedding.md)."""
    return framed_by_anybody(await _page(request, token, framed=True))


async def _page(request: HttpRequest, token: str, *, framed: bool) -> HttpResponse:
    with override(_language(request)):
        found = await in_database(access.by_link)(token)
        if found is None:
            return await sync_to_async(render)(request, f"sharing/gone{'_framed' * framed}.html", status=404)
        context = _context(token, found.cluster, framed=framed) | await in_database(views.imported)(found.cluster)
        return await sync_to_async(render)(request, "playground.html", context)


def _language(request: HttpRequest) -> str | None:
    return language.known(request.GET.get("lang", "")) or get_language()


def _context(token: str, cluster: Cluster, *, framed: bool) -> dict[str, Any]:
    return {
        "cluster_id": token,
        "language": get_language(),
        "cluster": {
            "id": token,
            "state": cluster.state,
            "message": said(cluster.reason),
            "nodes": cluster.nodes,
            "seed": cluster.seed,
        },
        "shared": {"token": token, "framed": framed},
    }


@require_GET
@error_pages.json_errors
async def entries(request: HttpRequest, token: str) -> HttpResponseBase:
    """See `cluster_data.entries`."""
    return await cluster_data.entries_of(request, await _read(token))


@require_GET
@error_pages.json_errors
async def entry(request: HttpRequest, token: str, seq: int) -> HttpResponseBase:
    """See `cluster_data.entry`."""
    found = await _read(token)
    rate_limits.READ.take(token)
    return await cluster_data.entry_of(found, seq)


@require_GET
@error_pages.json_errors
async def state(request: HttpRequest, token: str, view: str) -> HttpResponseBase:
    """See `cluster_data.state`."""
    found = await _read(token)
    rate_limits.READ.take(token)
    return await cluster_data.state_of(request, found, view)


@require_GET
@error_pages.json_errors
async def search(request: HttpRequest, token: str) -> HttpResponseBase:
    """See `cluster_data.search`."""
    found = await _read(token)
    rate_limits.SEARCHES.take(token)
    return await cluster_data.search_of(request, found)


@require_GET
@error_pages.json_errors
async def export(request: HttpRequest, token: str, form: str) -> HttpResponseBase:
    """See `cluster_data.export`; only where the link's maker says so."""
    found = await _read(token, Action.TAKE)
    rate_limits.EXPORTS.take(token)
    return await cluster_data.export_of(request, found, form)


async def _read(token: str, action: Action = Action.SEE) -> Access:
    """What a link leads to, if this may be done by it."""
    found = await in_database(access.by_link)(token)
    if found is None:
        raise Http404(gettext("This link leads nowhere: it was taken back, or its run has been deleted."))
    if not found.may(action):
        raise error_pages.NotYours(gettext(NOT_YOURS[action]))
    return found
