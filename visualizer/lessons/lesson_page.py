"""What the page of a lesson is made of: the lesson without what is right, its prose, and where it stands on the way."""

from typing import Any

from visualizer.lessons import courses, library
from visualizer.lessons.lesson import LANGUAGES, Lesson


def page(lesson: Lesson) -> dict[str, Any]:
    """Return `data` without what is right, `prose` by language, `url`."""
    texts = {language: library.linked_prose(lesson, language) for language in LANGUAGES}
    titles = {language: text.titles() for language, text in texts.items()}
    return {
        "data": {**lesson.page_data(titles), **_way(lesson.path)},
        "prose": {language: list(text.sections) for language, text in texts.items()},
        "url": lesson.url,
    }


def _way(path: str) -> dict[str, Any]:
    """Return the course in which a lesson stands, and the lesson after it."""
    course, following = courses.course_of(path), courses.next_of(path)
    return {
        "course": {"id": course.id, "titles": course.titles} if course is not None else None,
        "next": {"url": following.url, "titles": _titles(following)} if following is not None else None,
    }


def _titles(lesson: Lesson) -> dict[str, str]:
    return {language: library.prose(lesson, language).title for language in LANGUAGES}


__all__ = ["page"]
