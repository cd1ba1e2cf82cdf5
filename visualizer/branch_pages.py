"""The HTTP interface of branches: the tree of the runs that began with one, making, naming and deleting them.

`GET  /clusters/<id>/branches/`         {"runs": [{"id", "url", "name", "parent", "at", "seq", "same", "outside",
                                        "state", "me"}]}, the oldest first; `at` (virtual seconds) and `seq` are where a
                                        branch left its `parent`; `same`: whether both have the same entry there, null
                                        where that is not recorded yet; `outside`: a client from outside has spoken to
                                        it, or somebody who stands in for one
`POST /clusters/<id>/branches/`  at     makes a branch that leaves after entry `at`
`POST /clusters/<id>/name/`      name   calls a run something
`POST /clusters/<id>/delete/`           deletes a branch
`POST /clusters/<id>/undo/`, `reset/`   make branches that take the place of the cluster

All with a CSRF token. They redirect (303) to a cluster's page: the new one's or, after deleting, its parent's. Who
wants JSON gets {"id", "url"}, or {"message"} with 400, 403, 404, 409, 429 or 503.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from visualizer import branches, rate_limits, selectors, services
from visualizer.access import Action
from visualizer.callers import allowed, number_in, owner_of
from visualizer.database import in_database
from visualizer.error_pages import BadForm, json_errors, page_errors
from visualizer.hosting import web_process
from visualizer.hosting.replay import COMPARED
from visualizer.json_bounds import NUMBER_MAX
from visualizer.models import Cluster
from visualizer.selectors import Owner
from visualizer.views import go_to

NAME_MAX = 60


@require_http_methods(["GET", "POST"])
async def runs(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Show the tree of a cluster, or make a branch of it."""
    return await (branch if request.method == "POST" else tree)(request, cluster)


@require_GET
@json_errors
async def tree(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Show those runs of a tree that are theirs."""
    found = await allowed(request, cluster, Action.SEE)
    return JsonResponse({"runs": await in_database(_tree)(await owner_of(request), found.cluster)})


@require_POST
@page_errors
async def branch(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Make a branch, and go to its page."""
    found = await allowed(request, cluster, Action.BRANCH)
    if not request.POST.get("at"):
        raise BadForm(gettext("A branch needs the number of an entry after which it leaves."))
    seq = number_in(request.POST, "at", 0, 0, NUMBER_MAX)
    rate_limits.CLUSTERS_OF_VISITOR.take(found.cluster.visitor)
    owner = Owner(found.cluster.visitor, found.cluster.user_id)
    return go_to(request, await branches.branch(web_process.current(), owner, found.cluster, seq))


@require_POST
@page_errors
async def name(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Call a run something."""
    found = await allowed(request, cluster, Action.BRANCH)
    said = " ".join("".join(one if one.isprintable() else " " for one in request.POST.get("name", "")).split())
    if len(said) > NAME_MAX:
        raise BadForm(gettext("A name has at most %(most)s characters.") % {"most": NAME_MAX})
    await in_database(services.name_run)(found.cluster.pk, said)
    return go_to(request, found.cluster)


@require_POST
@page_errors
async def delete(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Delete a branch, and go to its parent's page; to that of the run it all began with, where there is none."""
    found = await allowed(request, cluster, Action.BRANCH)
    beside = await in_database(selectors.runs_beside)(await owner_of(request), found.cluster)
    await branches.delete(web_process.current(), found.cluster)
    others = [one for one in beside if one.pk != cluster]
    parent = next((one for one in others if one.pk == found.cluster.parent_id), None)
    return go_to(request, parent or (others[0] if others else None))


@require_POST
@page_errors
async def undo(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Go to a cluster in which the last thing was not done."""
    found = await allowed(request, cluster, Action.REPLACE)
    rate_limits.CLUSTERS_OF_VISITOR.take(found.cluster.visitor)
    return go_to(request, await branches.undo(web_process.current(), found.cluster))


@require_POST
@page_errors
async def reset(request: HttpRequest, cluster: str) -> HttpResponseBase:
    """Go to a cluster that begins afresh."""
    found = await allowed(request, cluster, Action.REPLACE)
    rate_limits.CLUSTERS_OF_VISITOR.take(found.cluster.visitor)
    return go_to(request, await branches.reset(web_process.current(), found.cluster))


def _tree(owner: Owner, cluster: Cluster) -> list[dict[str, Any]]:
    return [
        {
            "id": one.pk,
            "url": reverse("cluster", args=[one.pk]),
            "name": one.name,
            "parent": one.parent_id,
            "at": one.left_at,
            "seq": one.left_seq,
            "same": _same(one),
            "outside": one.outside,
            "state": one.state,
            "me": one.pk == cluster.pk,
        }
        for one in selectors.runs_beside(owner, cluster)
    ]


def _same(one: Cluster) -> bool | None:
    """Whether a branch and its parent have the same entry where they part."""
    if one.parent_id is None or not one.left_seq:
        return None
    here, there = selectors.entry(one.pk, one.left_seq), selectors.entry(one.parent_id, one.left_seq)
    return None if here is None or there is None else all(here.get(key) == there.get(key) for key in COMPARED)
