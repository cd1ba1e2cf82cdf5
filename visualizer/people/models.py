"""What is kept of people beside Django's users: how far they are in which lesson."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

LESSON_MAX = 100
BEAT_MAX = 100


class Progress(models.Model):
    """One lesson of one account: the last beat reached, hints taken, questions answered, and when it was solved."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="progress")
    lesson = models.CharField(max_length=LESSON_MAX)  # "walkthroughs/<slug>" or "exercises/<slug>"
    beat = models.CharField(max_length=BEAT_MAX, blank=True)
    reached = models.PositiveSmallIntegerField(default=0)  # beats
    hints = models.PositiveSmallIntegerField(default=0)
    right = models.PositiveSmallIntegerField(default=0)  # answers
    answered = models.PositiveSmallIntegerField(default=0)
    solved_at = models.DateTimeField(null=True)  # gone through, for a walkthrough; never taken back
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """What must hold between rows."""

        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "lesson"], name="one_progress_of_a_lesson")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.lesson}"
