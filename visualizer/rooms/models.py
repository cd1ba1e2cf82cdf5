"""What is kept of rooms: who is in them, what was broken, and what learners made of it.

No keystroke is kept, and nothing of a learner but a name, a group, their cluster and their reports; all of it goes with
the member, and all members go with the room.
"""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

TITLE_MAX = 80
NAME_MAX = 40
GROUP_MAX = 40


def new_room_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_urlsafe(12)


class Room(models.Model):
    """A class: one instructor, many learners. Its code opens it as long as it is open."""

    class Mode(models.TextChoices):
        """Whose clusters there are."""

        OWN = "own"  # each learner's, and the instructor's
        SHARED = "shared"  # the instructor's, which all watch

    class State(models.TextChoices):
        """Where a room is in its life; it only goes forward."""

        OPEN = "open"
        CLOSED = "closed"

    id = models.CharField(primary_key=True, max_length=16, default=new_room_id)
    code = models.CharField(max_length=7)
    title = models.CharField(max_length=TITLE_MAX)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rooms")
    mode = models.CharField(max_length=6, choices=Mode, default=Mode.OWN)
    lesson = models.CharField(max_length=100, blank=True)  # a slug of visualizer.lessons.library, "" for none
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    paused = models.BooleanField(default=False)
    leading = models.BooleanField(default=False)
    position = models.JSONField(null=True)  # the last one said while leading: protocol.Position
    cluster = models.ForeignKey(
        "visualizer.Cluster", null=True, on_delete=models.SET_NULL, related_name="rooms"
    )  # the instructor's
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        """What must hold between rooms."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code"], condition=Q(state="open"), name="one_open_room_has_this_code"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class Member(models.Model):
    """A learner in a room: a browser session, with the name it gave."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="members")
    visitor = models.CharField(max_length=43)
    name = models.CharField(max_length=NAME_MAX)
    group = models.CharField(max_length=GROUP_MAX, blank=True)
    cluster = models.ForeignKey("visualizer.Cluster", null=True, on_delete=models.SET_NULL, related_name="members")
    follows = models.BooleanField(default=True)
    help_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)  # renewed while a page of theirs is open, null once the last is closed
    false_alarms = models.PositiveIntegerField(default=0)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """What must hold between members."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "visitor"], name="once_in_a_room"),
            models.UniqueConstraint(fields=["room", "name"], name="one_of_this_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Incident(models.Model):
    """Something broken on purpose, in the clusters of all, of a group or of one member."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="incidents")
    record = models.JSONField()  # a fault: cluster_engine.faults
    when = models.JSONField(null=True)  # a predicate: cluster_engine.predicates; null for at once
    targets = models.JSONField()  # protocol.Targets
    made_at = models.DateTimeField(auto_now_add=True)
    healed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.record.get('name')} at {self.record.get('target')}"


class Report(models.Model):
    """One incident as it went for one member."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="reports")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="reports")
    cluster = models.CharField(max_length=32, db_index=True)  # where it was put
    applied_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)  # why it was not
    noticed_at = models.DateTimeField(null=True)
    diagnosed_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    healed_at = models.DateTimeField(null=True)  # for this member; the incident is over once it is for all

    class Meta:
        """What must hold between reports."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "member"], name="one_report_of_an_incident"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.incident_id}"
