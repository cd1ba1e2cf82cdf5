"""Undo and reset: another cluster that takes the place of one, with all of its inputs but the last, or with none.

Nothing is taken back inside a cluster: its journal is what happened. The successor has the same specification, so it
goes the same way up to the instant before what was undone, and stands there. The old one ends and names it.
"""

from django.utils.translation import gettext

from cluster_engine.deeds import Input, last_undoable
from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Inputs, Stop
from visualizer.hosting.recorder import end
from visualizer.hosting.replay import REPLAY_SECONDS_MAX
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster


class CannotUndo(Exception):  # noqa: N818
    """There is nothing that can be taken back; the text is for people."""


async def undo(host: WebProcess, cluster: Cluster) -> Cluster:
    """Replace a cluster by one in which the last thing was not done. Raise `CannotUndo` or `Refused`."""
    inputs = await _inputs(host, cluster)
    last = last_undoable(inputs)
    if cluster.outside:
        raise CannotUndo(gettext("Somebody spoke to this cluster from outside, so nothing can be undone; reset it."))
    if last is None:
        raise CannotUndo(gettext("There is nothing to undo."))
    if last.at > REPLAY_SECONDS_MAX:
        raise CannotUndo(gettext("This cluster has run for too long to undo anything; reset it."))
    return await _replace(host, cluster, inputs[: last.n - 1], last.at)


async def reset(host: WebProcess, cluster: Cluster) -> Cluster:
    """Replace a cluster by one to which nothing was done."""
    return await _replace(host, cluster, [], 0.0)


async def _inputs(host: WebProcess, cluster: Cluster) -> list[Input]:
    """All inputs; the cluster itself knows those that are not recorded yet."""
    try:
        return messages.inputs(await host.clusters.ask(cluster.pk, Inputs()))
    except NotRunning:
        return await in_database(selectors.inputs)(cluster.pk)


async def _replace(host: WebProcess, cluster: Cluster, inputs: list[Input], until: float) -> Cluster:
    successor, is_new = await in_database(services.make_successor)(cluster.pk, inputs, until)
    if is_new:
        try:
            await host.clusters.ask(cluster.pk, Stop("replaced", successor.pk))
        except NotRunning:
            await end(host.bus, cluster.pk, "replaced", successor=successor.pk)
        host.placement.launch(successor)
    return successor
