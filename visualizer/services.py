"""Everything that is written to the database."""

import secrets
import zlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from cluster_engine import deeds
from visualizer import mishaps, selectors
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, join
from visualizer.hosting.revision import revision
from visualizer.lessons import cluster_options
from visualizer.models import Chunk, Cluster, Input
from visualizer.people.services import note_progress
from visualizer.selectors import ACTIVE, Owner

CHUNK_ENTRIES_MAX = 500
OTHERS_FAULT = {
    "server-stopped",
    "worker-lost",
    "no-worker",
    "no-room",
}  # reasons for which a start is not held against a cluster
BRANCHES_MAX = 32  # runs of one tree that have not ended
SEEN_AGAIN_SECONDS = 5.0  # of a class that joins one cluster at once, only the first writes


class TooManyClusters(Exception):  # noqa: N818
    """This visitor has as many clusters as one may have at a time."""


class TooManyBranches(Exception):  # noqa: N818
    """There are as many runs beside this one as there may be."""


def owner_of(session: Any, user: Any) -> Owner:
    """Who a session speaks for; a visitor gets an id of their own the first time, which survives logging in."""
    if not session.get("visitor"):
        session["visitor"] = secrets.token_urlsafe(32)
    return Owner.of(session, user)


def create_cluster(
    owner: Owner,
    *,
    nodes: int = 2,
    seed: int = 1,
    pace: float = 1.0,
    lesson: str = "",
    for_a_room: bool = False,
    **options: Any,
) -> Cluster:
    """Make a cluster's row, with its `cluster_options`; where it runs is the hosting tier's affair.

    Rooms have limits of their own.
    """
    clock = {"now": 0.0, "pace": pace, "paused": False} if pace != 1 else None
    with transaction.atomic():
        if not for_a_room:
            _refuse_too_many(owner)
        whose = {"visitor": owner.visitor, "user_id": owner.user_id}
        return Cluster.objects.create(**whose, nodes=nodes, seed=seed, clock=clock, **options, lesson=lesson)


def _refuse_too_many(owner: Owner) -> None:
    if Cluster.objects.filter(selectors.counted(owner)).count() >= settings.CLUSTERS_PER_VISITOR:
        raise TooManyClusters


def record(identifier: str, batches: Iterable[Batch], life: int = 1) -> int:
    """Append entries that a life said to a journal; return the last one it now has, 0 when it lives another.

    Entries it has already are passed over, so that writing twice is writing once. Of a batch that would leave a gap
    nothing is written, nor of those behind it: the caller sees by the answer what is missing.
    """
    with transaction.atomic():
        row = Cluster.objects.select_for_update().filter(pk=identifier, life=life).only("recorded").first()
        if row is None:
            return 0
        fresh: list[Batch] = []
        recorded = row.recorded
        for batch in batches:
            new = batch.after(recorded)
            if new is None:
                continue
            if new.first != recorded + 1:
                break
            fresh.append(new)
            recorded = new.last
        if fresh:
            _append(identifier, join(fresh))
            Cluster.objects.filter(pk=identifier).update(recorded=recorded)
        return recorded


def _append(identifier: str, batch: Batch) -> None:
    """Grow the last chunk while it is small, so that a slow journal does not become thousands of rows."""
    tail = Chunk.objects.filter(cluster_id=identifier, last=batch.first - 1).first()
    if tail is None or tail.last - tail.first + 1 + len(batch) > CHUNK_ENTRIES_MAX:
        tail = Chunk(cluster_id=identifier, first=batch.first)
    else:
        batch = join([selectors.opened(tail), batch])
    tail.last, tail.entries = batch.last, zlib.compress(batch.entries, 6)
    tail.save()


def record_inputs(identifier: str, inputs: Sequence[deeds.Input], life: int = 1) -> int:
    """Append inputs that a life took; return the number of the last one there is. No duplicate and no gap, as above.

    What a life took that is over is nothing to anybody, and counts as written.
    """
    with transaction.atomic():
        if not Cluster.objects.select_for_update().filter(pk=identifier, life=life).exists():
            return inputs[-1].n if inputs else 0
        known = selectors.inputs_recorded(identifier)
        fresh: list[Input] = []
        for one in inputs:
            if one.n == known + 1:
                fresh.append(_input_row(identifier, one))
                known = one.n
        Input.objects.bulk_create(fresh)
        return known


def _input_row(identifier: str, one: deeds.Input) -> Input:
    return Input(cluster_id=identifier, n=one.n, at=one.at, after=one.after, document=deeds.write(one.act))


def keep_place(identifier: str, clock: messages.Clock | None, lesson: messages.Lesson | None, life: int = 1) -> None:
    """Remember where a cluster's time and its lesson stand in this life, as far as they are told."""
    place: dict[str, Any] = {}
    if clock is not None:
        place["clock"] = {"now": clock.now, "pace": clock.pace, "paused": clock.paused}
    if lesson is not None:
        place["progress"] = lesson.state
    kept = bool(place) and Cluster.objects.filter(pk=identifier, life=life).update(**place)
    if lesson is not None and kept:
        _note_progress(identifier, lesson.state)


def _note_progress(identifier: str, state: dict[str, Any]) -> None:
    """What a cluster of an account comes to in its lesson is the account's progress."""
    row = Cluster.objects.filter(pk=identifier).exclude(user=None).exclude(lesson="").select_related("user").first()
    if row is not None:
        note_progress(row.user, row.lesson, state)


def mark_outside(identifier: str, life: int = 1) -> None:
    """Played again, the run would not be the same to the entry."""
    Cluster.objects.filter(pk=identifier, life=life).update(outside=True)


def mark_not_kept(identifier: str, seq: int, life: int = 1) -> None:
    """After entry `seq`, or an earlier one that was marked, the inputs are not the whole run."""
    row = Cluster.objects.filter(pk=identifier, life=life)
    row.filter(Q(whole_until=None) | Q(whole_until__gt=seq)).update(whole_until=seq)


def mark_running(identifier: str, life: int = 1) -> None:
    """A cluster is up, in this life."""
    starting = Cluster.objects.filter(pk=identifier, state=Cluster.State.STARTING, life=life)
    starting.update(state=Cluster.State.RUNNING, starts_lost=0, revision=revision())


def mark_suspended(identifier: str, state: messages.State) -> bool:
    """A cluster's process is gone, and may be made again; False when that was known, or is long past."""
    with transaction.atomic():
        alive = Cluster.objects.select_for_update().filter(pk=identifier, state__in=ACTIVE, life=state.life)
        row = alive.first()
        if row is None:
            return False
        row.starts_lost += row.state == Cluster.State.STARTING and state.reason not in OTHERS_FAULT
        row.state, row.reason, row.ended_at = Cluster.State.SUSPENDED, state.reason, timezone.now()
        row.mishap = mishaps.after(row.mishap, state)
        row.save(update_fields=["state", "reason", "ended_at", "mishap", "starts_lost"])
        return True


def let_time_pass(identifier: str, seconds: float) -> None:
    """Have a cluster come back a little later than was heard of it last, if its time was going."""
    row = Cluster.objects.filter(pk=identifier).first()
    clock: dict[str, Any] = row.clock if row is not None and row.clock else {}
    if clock and not clock["paused"] and clock["pace"]:
        heard = max(clock["now"], selectors.instant_of(selectors.last_entry(identifier)))
        Cluster.objects.filter(pk=identifier).update(clock={**clock, "now": heard + seconds * clock["pace"]})


def mark_ended(identifier: str, reason: str, life: int | None = None) -> bool:
    """A cluster has ended (in this life, if one is given); False when that was known."""
    ended = {"state": Cluster.State.ENDED, "reason": reason, "ended_at": timezone.now()}
    rows = Cluster.objects.filter(pk=identifier).exclude(state=Cluster.State.ENDED)
    return bool((rows if life is None else rows.filter(life=life)).update(**ended))


def make_branch(owner: Owner, identifier: str, inputs: list[deeds.Input], until: float, seq: int) -> Cluster:
    """Make the row of a branch of a cluster of theirs, which goes its way up to `until` and stands there."""
    with transaction.atomic():
        parent = Cluster.objects.select_for_update().get(pk=identifier)
        root = parent.origin or parent.pk
        living = Cluster.objects.filter(origin=root).exclude(state=Cluster.State.ENDED)
        if living.count() >= BRANCHES_MAX:
            raise TooManyBranches
        _refuse_too_many(owner)
        clock = {"pace": 1.0, **(parent.clock or {}), "now": until, "paused": True}
        return _branch(parent, inputs, left_at=until, left_seq=seq, clock=clock)


def make_successor(
    identifier: str, inputs: list[deeds.Input], until: float, *, left_out: bool = False
) -> tuple[Cluster, bool]:
    """Make the row of a branch that takes its parent's place, or find the one that somebody else has just made."""
    with transaction.atomic():
        old = Cluster.objects.select_for_update().select_related("successor").get(pk=identifier)
        if old.successor is not None:
            return old.successor, False
        clock = {**(old.clock or {}), "now": until} if until else None
        mishap = {**(old.mishap or {}), "leftOut": True} if left_out else None
        new = _branch(old, inputs, left_at=until, left_seq=0, clock=clock, mishap=mishap)
        Cluster.objects.filter(pk=identifier).update(successor=new)
        return new, True


def _branch(parent: Cluster, inputs: list[deeds.Input], **fields: Any) -> Cluster:
    branch = Cluster.objects.create(
        visitor=parent.visitor,
        user_id=parent.user_id,
        nodes=parent.nodes,
        seed=parent.seed,
        **cluster_options.of(parent),
        lesson=parent.lesson,
        epoch=parent.epoch,
        effort=parent.effort,
        parent=parent,
        origin=parent.origin or parent.pk,
        **fields,
    )
    Input.objects.bulk_create(_input_row(branch.pk, one) for one in inputs)
    return branch


def note_left(identifier: str, left: messages.Left, life: int = 1) -> None:
    """Write where a branch was when it had come to its beginning: up to there it is as its parent."""
    branch = Cluster.objects.filter(pk=identifier, life=life).exclude(left_at=None)
    branch.update(left_at=left.at, left_seq=left.seq)


def name_run(identifier: str, name: str) -> None:
    """Call a run something."""
    Cluster.objects.filter(pk=identifier).update(name=name)


def delete_branch(identifier: str) -> None:
    """Delete a branch; its own go on as branches of its parent, which they have left where this one did, or before."""
    with transaction.atomic():
        branch = Cluster.objects.select_for_update().filter(pk=identifier).first()
        if branch is None:
            return
        for child in Cluster.objects.filter(parent=branch):
            child.parent_id = branch.parent_id
            if branch.left_at is not None and (child.left_at is None or branch.left_at < child.left_at):
                child.left_at, child.left_seq = branch.left_at, branch.left_seq
            child.save(update_fields=["parent", "left_at", "left_seq"])
        branch.delete()


def claim_revival(identifier: str) -> Cluster | None:
    """Begin a new life of a suspended cluster; None when it is not suspended: one of those who try wins."""
    suspended = Cluster.objects.filter(pk=identifier, state=Cluster.State.SUSPENDED)
    begun = {"state": Cluster.State.STARTING, "reason": "", "ended_at": None, "life": F("life") + 1}
    return Cluster.objects.get(pk=identifier) if suspended.update(**begun) else None


def mark_seen(identifiers: Iterable[str]) -> None:
    """Pages are watching these clusters now."""
    Cluster.objects.filter(pk__in=list(identifiers)).update(seen_at=timezone.now())


def mark_watched(cluster: Cluster) -> None:
    """Note that a page watches this cluster from now on; what was noted a moment ago is not written again."""
    before = timezone.now() - timedelta(seconds=SEEN_AGAIN_SECONDS)
    if cluster.seen_at is None or cluster.seen_at < before:
        mark_seen([cluster.pk])


def forget_what_is_old() -> None:
    """Delete clusters that stopped long ago, journals and all, and sessions that have expired."""
    before = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS)
    Cluster.objects.exclude(state__in=ACTIVE).filter(ended_at__lt=before).delete()
    SessionStore.clear_expired()
