"""What is read of people."""

from typing import Any

from visualizer.models import Cluster
from visualizer.people.models import Progress
from visualizer.people.notes import Note
from visualizer.people.outlines import outlines
from visualizer.selectors import Owner


def notes_of(user: Any) -> dict[str, Note]:
    """How far an account is, by lesson."""
    return {row.lesson: note_of(row) for row in Progress.objects.filter(user=user)}


def note_of(row: Progress) -> Note:
    """A row as a note."""
    return Note(
        at=row.changed_at,
        beat=row.beat,
        reached=row.reached,
        hints=row.hints,
        right=row.right,
        answered=row.answered,
        solved_at=row.solved_at,
    )


def document_of(user: Any) -> dict[str, Any]:
    """An account's progress as it travels."""
    known = outlines()
    return {lesson: note.document(known.get(lesson)) for lesson, note in notes_of(user).items()}


def clusters_of(owner: Owner) -> list[str]:
    """All clusters of theirs, running or not."""
    return list(Cluster.objects.filter(owner.owns()).values_list("pk", flat=True))


def under_way(owner: Owner, lesson: str) -> str | None:
    """The newest cluster of theirs in which this lesson was begun, and can be gone on with."""
    begun = Cluster.objects.filter(owner.owns(), lesson=lesson, successor=None).exclude(state=Cluster.State.ENDED)
    return begun.order_by("-created_at").values_list("pk", flat=True).first()
