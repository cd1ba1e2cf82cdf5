"""Everything that is read from the database."""

import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from cluster_engine import deeds
from visualizer.hosting.batches import Batch, decode
from visualizer.lessons import cluster_options
from visualizer.models import Chunk, Cluster, Input

LIST_CHUNKS_MAX = 20
RUNS_LISTED_MAX = 100
ACTIVE = (Cluster.State.STARTING, Cluster.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who asks: an anonymous visitor, perhaps also a user. An empty visitor owns nothing."""

    visitor: str
    user_id: int | None = None

    @classmethod
    def of(cls, session: Any, user: Any) -> Self:
        """Return who a session speaks for, without making anybody."""
        is_known = user is not None and user.is_authenticated
        return cls(str(session.get("visitor", "")), user.pk if is_known else None)

    def owns(self) -> Q:
        """The clusters that are theirs."""
        mine = Q(visitor=self.visitor) if self.visitor else Q(pk__in=[])
        return mine | Q(user_id=self.user_id) if self.user_id is not None else mine


def owned_cluster(owner: Owner, cluster: str) -> Cluster | None:
    """A cluster, if it is theirs."""
    return Cluster.objects.filter(owner.owns(), pk=cluster).first()


def counted(owner: Owner) -> Q:
    """Those of their running clusters of which they may have so many at a time; rooms have limits of their own."""
    return owner.owns() & Q(state__in=ACTIVE, members=None, rooms=None)


def current_cluster(owner: Owner, wanted: dict[str, int] | None = None, **options: Any) -> Cluster | None:
    """The newest cluster of theirs that has not ended and is no lesson's and no room's; it may be suspended.

    Only one will do that has so many nodes and the seed that are `wanted`, and what `cluster_options` ask for.
    """
    theirs = Cluster.objects.filter(owner.owns(), lesson="", members=None, rooms=None, **(wanted or {}))
    theirs = theirs.filter(**cluster_options.beyond_defaults(options))
    return theirs.exclude(state=Cluster.State.ENDED).order_by("-created_at").first()


def runs_beside(owner: Owner, cluster: Cluster) -> list[Cluster]:
    """The runs of a cluster's tree that are theirs, itself among them, the oldest first; not more than the newest."""
    root = cluster.origin or cluster.pk
    seen = Q(Q(pk=root) | Q(origin=root), owner.owns()) | Q(pk=cluster.pk)
    return list(Cluster.objects.filter(seen).order_by("-created_at")[:RUNS_LISTED_MAX])[::-1]


def may_be_deleted(identifier: str) -> bool:
    """Whether a cluster is a branch, and no room uses it."""
    return Cluster.objects.filter(pk=identifier, members=None, rooms=None).exclude(origin="").exists()


def is_active(identifier: str) -> bool:
    """Whether a cluster runs, or is about to."""
    return Cluster.objects.filter(pk=identifier, state__in=ACTIVE).exists()


def cluster(identifier: str) -> Cluster | None:
    """A cluster, whosever it is: for the hosting tier, never for a view."""
    return Cluster.objects.filter(pk=identifier).first()


def recorded(identifier: str) -> int:
    """The last entry in the database, 0 for none."""
    return Cluster.objects.filter(pk=identifier).values_list("recorded", flat=True).first() or 0


def inputs(identifier: str) -> list[deeds.Input]:
    """All that was done to a cluster, in order. ValueError when one of it cannot be read."""
    rows = Input.objects.filter(cluster=identifier).order_by("n")
    return [deeds.Input(one.n, one.at, deeds.read(one.document), one.after) for one in rows]


def inputs_recorded(identifier: str) -> int:
    """The number of the last input in the database, 0 for none."""
    return Input.objects.filter(cluster=identifier).order_by("-n").values_list("n", flat=True).first() or 0


def last_entry(identifier: str) -> dict[str, Any] | None:
    """The last recorded entry of a journal."""
    return entry(identifier, recorded(identifier))


def entry(identifier: str, seq: int) -> dict[str, Any] | None:
    """A recorded entry."""
    found = batches(identifier, seq - 1, 1)
    return decode(found[0])[0] if found and found[0].first == seq else None


def instant_of(entry: dict[str, Any] | None) -> float:
    """When an entry was over: what was lost on its way has not arrived, and counts from when it was sent."""
    return 0.0 if entry is None else entry.get("arrived") or entry.get("at") or 0.0


def batches(identifier: str, since: int, limit: int) -> list[Batch]:
    """At most `limit` recorded entries after `since`, without a gap; [] when there are none."""
    chunks = Chunk.objects.filter(cluster_id=identifier, last__gt=since).order_by("first")[:LIST_CHUNKS_MAX]
    found: list[Batch] = []
    for chunk in chunks:
        batch = opened(chunk).after(since)
        kept = batch.until(since + limit) if batch is not None else None
        if kept is None:
            break
        found.append(kept)
    return found


def opened(chunk: Chunk) -> Batch:
    """What a chunk holds."""
    return Batch(chunk.first, chunk.last, zlib.decompress(chunk.entries))


def active_clusters() -> list[Cluster]:
    """All clusters that have a process, or are waiting for one."""
    return list(Cluster.objects.filter(state__in=ACTIVE))


def idle_clusters() -> list[str]:
    """Running clusters that nobody has watched for too long."""
    now = timezone.now()
    unseen = Q(seen_at=None, created_at__lt=now - timedelta(seconds=settings.CLUSTER_UNSEEN_SECONDS))
    idle = Q(seen_at__lt=now - timedelta(seconds=settings.CLUSTER_IDLE_SECONDS))
    return list(Cluster.objects.filter(unseen | idle, state__in=ACTIVE).values_list("pk", flat=True))


def longest_unwatched(*, for_seconds: float, among: Q | None = None) -> str | None:
    """The cluster (among some) that could be given up first to make room: unwatched for some time, and longest."""
    before = timezone.now() - timedelta(seconds=for_seconds)
    watched = Coalesce("seen_at", "created_at")
    unwatched = Cluster.objects.filter(state__in=ACTIVE).annotate(watched=watched).filter(watched__lt=before)
    return unwatched.filter(among or Q()).order_by("watched").values_list("pk", flat=True).first()


def full_journals() -> list[str]:
    """Running clusters whose journal has reached its bound."""
    full = Cluster.objects.filter(state__in=ACTIVE, recorded__gte=settings.JOURNAL_ENTRIES_MAX)
    return list(full.values_list("pk", flat=True))
