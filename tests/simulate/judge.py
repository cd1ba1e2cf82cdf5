"""All invariants over one story."""

from collections.abc import Iterator

from tests.simulate.ends import one_node, restless, unequal, unfulfilled
from tests.simulate.story import Story, Violation
from tests.simulate.watches import gaps
from tests.simulate.writes import lost_writes


def judge(story: Story) -> list[Violation]:
    """Give every violation."""
    return list(_violations(story))


def _violations(story: Story) -> Iterator[Violation]:
    yield from restless(story.entries, story.components, story.calm_at, story.failure)
    yield from one_node(story.history, story.starts)
    yield from gaps(story.entries, story.history)
    if story.failure is None:
        yield from lost_writes(story.entries, story.history, story.stored)
        yield from unequal(story.copies)
        yield from unfulfilled(story.lacking)
