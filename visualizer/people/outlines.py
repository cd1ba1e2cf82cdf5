"""What each lesson's progress is measured by."""

from visualizer.lessons.library import library
from visualizer.people.notes import Outline


def outlines() -> dict[str, Outline]:
    """All lessons there are, by "walkthroughs/<slug>" or "exercises/<slug>"."""
    return {
        path: Outline(
            beats=tuple(beat.id for beat in lesson.beats), hints=lesson.hints, questions=len(lesson.questions)
        )
        for path, lesson in library().lessons.items()
    }
