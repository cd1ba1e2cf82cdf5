"""Branches: runs that go the way of another up to an instant, and then their own.

Nothing is taken back inside a cluster: its journal is what happened. A branch has the same specification and the inputs
that were taken before the instant it leaves at, so it makes the same journal up to there (`cluster_engine.run`), and
stands there. Its parent goes on untouched; all that began with one run are its tree.

    kubectl create … (4.20 s, after #980)    kubectl scale … (9.00 s, after #2,310)
    a branch of #1,500, which arrived at 5.11 s:   the first of the two, up to 5.11 s, and with it all of that instant

Instants, not moments inside them: what people do is taken when the world is at rest (decision 37), so what came at the
same instant as the entry that was pointed at comes again too.

Undo and reset are branches that take the place of their parent, which ends and names them: one of all inputs but the
last, at its instant, and one of none.
"""

from collections.abc import Callable

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from cluster_engine.deeds import Input, last_undoable, taken_before
from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages
from visualizer.hosting.batches import decode
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Inputs, Stop
from visualizer.hosting.recorder import end
from visualizer.hosting.refused import Refused
from visualizer.hosting.replay import REPLAY_SECONDS_MAX
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster
from visualizer.selectors import Owner


class CannotBranch(Exception):  # noqa: N818
    """There is nothing to go back to, or no way there; the text is for people."""


async def branch(host: WebProcess, owner: Owner, cluster: Cluster, seq: int) -> Cluster:
    """Make a branch of a cluster of theirs that leaves after entry `seq`. Raise `CannotBranch`, `TooManyClusters`."""
    if cluster.whole_until is not None and seq > cluster.whole_until:
        said = gettext(
            "After #%(seq)s a client from outside has said more than is kept, or shown a certificate that nobody here "
            "can show again. What follows cannot be played again; branch from an earlier position."
        )
        raise CannotBranch(said % {"seq": cluster.whole_until})
    instant = await _instant(host, cluster, seq)
    if instant > REPLAY_SECONDS_MAX:
        raise CannotBranch(gettext("This position lies too late in the run to be played again: after two hours."))
    inputs = taken_before(await _inputs(host, cluster), seq, instant)
    try:
        made = await with_room(host, owner, lambda: services.make_branch(owner, cluster.pk, inputs, instant, seq))
    except services.TooManyBranches:
        most = {"most": services.BRANCHES_MAX}
        raise CannotBranch(gettext("This run has %(most)s branches already; delete one first.") % most) from None
    host.placement.launch(made)
    return made


async def undo(host: WebProcess, cluster: Cluster) -> Cluster:
    """Replace a cluster by one in which the last thing was not done. Raise `CannotBranch` or `Refused`."""
    inputs = await _inputs(host, cluster)
    last = last_undoable(inputs)
    if cluster.whole_until is not None:
        raise CannotBranch(gettext("Somebody spoke to this cluster from outside, so nothing can be undone; reset it."))
    if last is None:
        raise CannotBranch(gettext("There is nothing to undo."))
    if last.at > REPLAY_SECONDS_MAX:
        raise CannotBranch(gettext("This cluster has run for too long to undo anything; reset it."))
    return await _replace(host, cluster, inputs[: last.n - 1], last.at)


async def reset(host: WebProcess, cluster: Cluster) -> Cluster:
    """Replace a cluster by one to which nothing was done."""
    return await _replace(host, cluster, [], 0.0)


async def delete(host: WebProcess, cluster: Cluster) -> None:
    """Stop a branch and forget it. Raise `CannotBranch` for what is none, or `Refused`."""
    if not await in_database(selectors.may_be_deleted)(cluster.pk):
        raise CannotBranch(gettext("Only a branch can be deleted, and none that a room uses."))
    try:
        await host.clusters.ask(cluster.pk, Stop("stopped"))
    except NotRunning:
        if cluster.state == Cluster.State.STARTING:  # a worker is about to take it
            raise Refused(_("This cluster is still starting; please try again in a moment.")) from None
    await in_database(services.delete_branch)(cluster.pk)


async def with_room(host: WebProcess, owner: Owner, make: Callable[[], Cluster]) -> Cluster:
    """Make a cluster's row, if need be once one that they do not watch has been suspended. Raise `TooManyClusters`."""
    try:
        return await in_database(make)()
    except services.TooManyClusters:
        if not await host.placement.make_room_of(owner):
            raise
        return await in_database(make)()


async def _instant(host: WebProcess, cluster: Cluster, seq: int) -> float:
    """Find the virtual time at which an entry was written; what was before the first was at 0."""
    if seq == 0:
        return 0.0
    found = await host.entries(cluster.pk, seq - 1, 1)
    if not found:
        head = {"seq": seq, "head": max(cluster.recorded, host.hub.head(cluster.pk))}
        raise CannotBranch(gettext("There is no entry #%(seq)s; the journal ends at #%(head)s.") % head)
    return selectors.instant_of(decode(found[0])[0])


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
