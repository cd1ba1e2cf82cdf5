"""What is kept: clusters, whose they are, their journals in compressed chunks, and what was done to them."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cluster_engine.world.work import REAL_EFFORT


def new_cluster_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(16)


class Cluster(models.Model):
    """One cluster, running or not. It belongs to a visitor (an anonymous id kept in the session) or to a user.

    A suspended one has no process any more, but its inputs: from (nodes, seed, its options, epoch, effort,
    lesson, inputs) it is brought back, in a new `life`, when somebody opens it.
    """

    class State(models.TextChoices):
        """Where a cluster is: starting → running → ended, or suspended and starting again."""

        STARTING = "starting"
        RUNNING = "running"
        SUSPENDED = "suspended"
        ENDED = "ended"

    id = models.CharField(primary_key=True, max_length=32, default=new_cluster_id)
    visitor = models.CharField(max_length=43, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    nodes = models.PositiveSmallIntegerField(default=2)
    seed = models.BigIntegerField(default=1)
    system_pods = models.BooleanField(default=False)  # as kubeadm makes one: `ClusterSpec.system_pods`
    etcd_members = models.PositiveSmallIntegerField(default=1)
    audit = models.BooleanField(default=False)
    key_lab = models.BooleanField(default=False)
    lesson = models.CharField(max_length=100, blank=True)  # "walkthroughs/mutual-tls"; "" for the sandbox
    epoch = models.DateTimeField(default=timezone.now)  # the date in the cluster at its beginning
    effort = models.FloatField(default=REAL_EFFORT)  # how long its programs compute; 0: at once
    revision = models.CharField(max_length=16, blank=True)  # of the version that it was up under last
    life = models.PositiveIntegerField(default=1)  # counts the processes it has lived in
    state = models.CharField(max_length=9, choices=State, default=State.STARTING, db_index=True)
    reason = models.CharField(max_length=16, blank=True)  # why it does not run: a key of visualizer.reasons.REASONS
    recorded = models.PositiveBigIntegerField(default=0)  # the last entry of the journal that is in the database
    clock = models.JSONField(null=True)  # {"now", "pace", "paused"}, as last heard: where it comes back to
    progress = models.JSONField(null=True)  # the state of its lesson, as last heard
    mishap = models.JSONField(null=True)  # what it was ended over last: see `visualizer.mishaps`
    starts_lost = models.PositiveSmallIntegerField(
        default=0
    )  # how often in a row its own process, and not all of them, was gone before it was up
    outside = models.BooleanField(
        default=False
    )  # spoken to through the gateway: not the same to the entry, if replayed
    whole_until = models.PositiveBigIntegerField(null=True)  # after this entry its inputs are not the whole run
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessors")
    origin = models.CharField(max_length=32, blank=True, db_index=True)  # the run that its tree began with; "": itself
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="branches")
    left_at = models.FloatField(null=True)  # of a branch: the instant at which it left its parent, in virtual seconds
    left_seq = models.PositiveBigIntegerField(null=True)  # and the last entry that both have
    name = models.CharField(max_length=60, blank=True)  # what its owner calls it
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)  # when a page last watched it
    ended_at = models.DateTimeField(null=True, db_index=True)  # or was suspended

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Chunk(models.Model):
    """The journal entries `first` … `last` of a cluster: JSON objects joined by commas, compressed with zlib.

    Chunks of a cluster follow each other without a gap and never overlap: `services.record` appends under the cluster's
    `recorded`, and the constraints stop who would not.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="chunks")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    entries = models.BinaryField()

    class Meta:
        """What must hold between chunks."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "first"], name="one_chunk_starts_here"),
            models.UniqueConstraint(fields=["cluster", "last"], name="one_chunk_ends_here"),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="chunk_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id}: {self.first}–{self.last}"


class Input(models.Model):
    """The `n`th thing that was done to a cluster, and its virtual time (`cluster_engine.deeds`)."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="inputs")
    n = models.PositiveIntegerField()
    at = models.FloatField()
    after = models.PositiveBigIntegerField(default=0)
    document = models.JSONField()

    class Meta:
        """What must hold between inputs."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["cluster", "n"], name="one_input_has_this_number")]

    def __str__(self) -> str:
        return f"{self.cluster_id}: {self.n} at {self.at}"
