"""What is kept of a file that somebody brings: its parts while it arrives, then the recording that was read from it."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from visualizer.models import Cluster
from visualizer.refusals import said


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(16)


class Import(models.Model):
    """A file on its way: arriving → waiting → reading → read or failed. What is read is a cluster that has ended."""

    class State(models.TextChoices):
        """How far it has come."""

        ARRIVING = "arriving"
        WAITING = "waiting"
        READING = "reading"
        READ = "read"
        FAILED = "failed"

    id = models.CharField(primary_key=True, max_length=32, default=new_id)
    visitor = models.CharField(max_length=43, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State, default=State.ARRIVING)
    read = models.FloatField(default=0.0)  # which part of the file
    kind = models.CharField(max_length=7, default="")  # of `cluster_engine.recordings.story`: capture, audit
    began_ns = models.BigIntegerField(default=0)  # the date of its beginning, since 1970; 0 where nobody knows
    problems = models.JSONField(default=list)  # what could not be read, in the engine's words
    cluster = models.OneToOneField(Cluster, null=True, on_delete=models.CASCADE, related_name="imported")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def not_read(self) -> list[str]:
        """What could not be read, in the active language."""
        return [said(problem) for problem in self.problems]


class Part(models.Model):
    """The `n`th part of a file, or of its key log; gone once it is read."""

    file = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    is_key_log = models.BooleanField()
    n = models.PositiveSmallIntegerField()
    data = models.BinaryField()

    class Meta:
        """What must hold between parts."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "is_key_log", "n"], name="one_part_has_this_number")
        ]

    def __str__(self) -> str:
        return f"{self.file_id}: {self.n}"


class JournalPart(models.Model):
    """The `n`th part of the journal of a recording, as it was saved, compressed with zlib."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="journal_parts")
    n = models.PositiveSmallIntegerField()
    data = models.BinaryField()

    class Meta:
        """What must hold between parts."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "n"], name="one_part_of_a_journal_has_this_number")
        ]

    def __str__(self) -> str:
        return f"{self.cluster_id}: {self.n}"
