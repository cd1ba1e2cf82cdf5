"""What each lesson's progress is measured by."""

from functools import cache

from visualizer.people.notes import Outline


@cache
def outlines() -> dict[str, Outline]:
    """All lessons there are, by "walkthroughs/<slug>" or "exercises/<slug>"."""
    return {}
