"""What a room needs to know of lessons: which there are, what they are called, what cluster they want."""

from typing import Any


def choices() -> list[dict[str, str]]:
    """All lessons, for a form, in the active language."""
    return []


def about(slug: str) -> dict[str, str] | None:
    """A lesson's slug and title; None when there is none."""
    return None


def cluster_of(slug: str) -> dict[str, Any]:
    """The cluster a learner gets."""
    return {"nodes": 2, "seed": 1}


def milestones(slug: str) -> tuple[str, ...]:
    """What a learner reaches in a lesson, by name: a walkthrough's beats, an exercise's checks."""
    return ()
