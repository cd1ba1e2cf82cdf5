"""Every lesson we ship: its files are complete in every language, and it keeps what it promises when it is played."""

import pytest

from visualizer.lessons import check, library


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", library.paths())
def test_a_lesson_keeps_what_it_promises(path):
    report = check.check(path)
    assert not report.errors, "\n" + "\n".join(map(str, report.errors))


def test_lessons_are_numbered_in_the_order_of_their_lists():
    for lessons in (library.library().walkthroughs, library.library().exercises):
        orders = [lesson.order for lesson in lessons]
        assert orders == sorted(set(orders)), [(lesson.slug, lesson.order) for lesson in lessons]
