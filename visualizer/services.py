"""Everything that is written to the database."""

import secrets
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone

from visualizer import selectors
from visualizer.hosting.batches import Batch, join
from visualizer.models import Chunk, Cluster
from visualizer.selectors import ACTIVE, Owner

CHUNK_ENTRIES_MAX = 500


class TooManyClusters(Exception):  # noqa: N818
    """This visitor has as many clusters as one may have at a time."""


def owner_of(session: Any, user: Any) -> Owner:
    """Who a session speaks for; a visitor gets an id of their own the first time, which survives logging in."""
    owner = known_owner(session, user)
    if owner.visitor:
        return owner
    session["visitor"] = secrets.token_urlsafe(32)
    return known_owner(session, user)


def known_owner(session: Any, user: Any) -> Owner:
    """Who a session speaks for, without making anybody."""
    return Owner(str(session.get("visitor", "")), user.pk if user is not None and user.is_authenticated else None)


def create_cluster(owner: Owner, *, nodes: int = 2, seed: int = 1) -> Cluster:
    """Make a cluster's row; where it runs is the hosting tier's affair."""
    with transaction.atomic():
        if Cluster.objects.filter(owner.owns(), state__in=ACTIVE).count() >= settings.CLUSTERS_PER_VISITOR:
            raise TooManyClusters
        return Cluster.objects.create(visitor=owner.visitor, user_id=owner.user_id, nodes=nodes, seed=seed)


def record(identifier: str, batches: Iterable[Batch]) -> int:
    """Append entries to a journal; return the last one it now has.

    Entries it has already are passed over, so that writing twice is writing once. Of a batch that would leave a gap
    nothing is written, nor of those behind it: the caller sees by the answer what is missing.
    """
    with transaction.atomic():
        row = Cluster.objects.select_for_update().filter(pk=identifier).only("recorded").first()
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


def mark_running(identifier: str) -> None:
    """A cluster is up."""
    Cluster.objects.filter(pk=identifier, state=Cluster.State.STARTING).update(state=Cluster.State.RUNNING)


def mark_ended(identifier: str, reason: str) -> bool:
    """A cluster has ended; False when that was known."""
    ended = {"state": Cluster.State.ENDED, "reason": reason, "ended_at": timezone.now()}
    return bool(Cluster.objects.filter(pk=identifier, state__in=ACTIVE).update(**ended))


def mark_seen(identifiers: Iterable[str]) -> None:
    """Pages are watching these clusters now."""
    Cluster.objects.filter(pk__in=list(identifiers)).update(seen_at=timezone.now())


def forget_what_is_old() -> None:
    """Delete clusters that ended long ago, journals and all, and sessions that have expired."""
    before = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS)
    Cluster.objects.filter(state=Cluster.State.ENDED, ended_at__lt=before).delete()
    SessionStore.clear_expired()
