"""Courses: one order for all lessons, what is planned among them, and every mistake in their file with its line."""

import pytest

from visualizer.lessons import courses, library
from visualizer.lessons.source import InvalidLessonError

GOOD = """\
- id: one
  title: {en: One, de: Eins}
  about: {en: The first., de: Der erste.}
  lessons: [walkthroughs/kubectl-to-running, walkthroughs/not-there-yet]
- id: two
  title: {en: Two, de: Zwei}
  about: {en: The second., de: Der zweite.}
  lessons: [walkthroughs/mutual-tls]
  coming: [{en: Later, de: Später}]
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Let these be the courses."""
    written = tmp_path / "courses.yaml"
    written.write_text(GOOD)
    made = courses.read(written)
    monkeypatch.setattr(courses, "courses", lambda: made)
    return written


def test_one_lesson_leads_to_the_next_across_courses_and_past_what_is_not_there(file):
    assert courses.first() is library.find("walkthroughs/kubectl-to-running")
    assert courses.next_of("walkthroughs/kubectl-to-running") is library.find("walkthroughs/mutual-tls")
    assert courses.next_of("walkthroughs/mutual-tls") is None
    assert courses.next_of("walkthroughs/in-no-course") is None


def test_a_course_knows_what_is_there_what_is_planned_and_what_is_to_come(file):
    one, two = courses.courses()
    assert (one.lessons, one.planned) == (("walkthroughs/kubectl-to-running",), ("walkthroughs/not-there-yet",))
    assert two.coming == ({"en": "Later", "de": "Später"},)
    assert courses.course_of("walkthroughs/mutual-tls") is two


def test_lists_follow_the_courses(file):
    assert [one.slug for one in courses.ordered()][:2] == ["kubectl-to-running", "mutual-tls"]
    assert len(courses.ordered()) == len(library.library().lessons)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("id: one", "id: One", 1, "small letters, digits and single hyphens"),
        ("{en: One, de: Eins}", "{en: One}", 2, "de is missing; add de"),
        ("[walkthroughs/mutual-tls]", "[walkthroughs/kubectl-to-running]", 1, "stands in the courses twice"),
        ("lessons: [walkthroughs/mutual-tls]", "lesson: []", 8, "there is no key lesson"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_remedy(tmp_path, old, new, line, words):
    written = tmp_path / "courses.yaml"
    written.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InvalidLessonError) as caught:
        courses.read(written)
    assert any(one.line == line and words in str(one) for one in caught.value.errors), str(caught.value)
