"""Every lesson we ship: its files are complete in every language. `make lessons` plays each in every way."""

import pytest

from visualizer import curriculum
from visualizer.lessons import check, courses, library
from visualizer.management.commands.lessons import CURRICULUM
from visualizer.subjects import EXERCISES, SUBJECTS


@pytest.mark.parametrize("path", library.paths())
def test_a_lesson_is_complete_in_every_language(path):
    errors = check.read(path)
    assert not errors, "\n" + "\n".join(map(str, errors))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", ["walkthroughs/kubectl-to-running", "exercises/order-the-handshake"])
def test_a_lesson_keeps_what_it_promises(path):
    report = check.check(path)
    assert not report.errors, "\n" + "\n".join(map(str, report.errors))


def test_every_lesson_stands_in_one_course():
    listed = [path for course in courses.courses() for path in course.listed]
    assert sorted(set(listed)) == sorted(listed)
    assert set(library.paths()) <= set(listed)


def test_lessons_teach_what_the_curriculum_has():
    for lesson in courses.ordered():
        assert set(lesson.subjects) <= set(SUBJECTS)
        assert lesson.catalogue is None or lesson.catalogue in EXERCISES


def test_the_table_of_coverage_is_that_of_the_lessons():
    assert CURRICULUM.read_text() == curriculum.document(), "run manage.py lessons curriculum"
