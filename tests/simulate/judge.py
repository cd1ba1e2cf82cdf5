"""All invariants over one story."""

from collections.abc import Iterator

from tests.simulate.bootstrap_tokens import outlived
from tests.simulate.conflicts import conflicts
from tests.simulate.crons import mistimed
from tests.simulate.ends import one_node, restless, unequal, unfulfilled
from tests.simulate.evictions import hasty_restarts, hasty_taints, mistimed_evictions
from tests.simulate.jobs import miscounted
from tests.simulate.journal_rules import unruly
from tests.simulate.knowledge import Told
from tests.simulate.leaders import usurpers
from tests.simulate.objects import lawless, orphans, wrongly_collected
from tests.simulate.owners import misowned
from tests.simulate.phases import risen
from tests.simulate.placement import misplaced
from tests.simulate.pressure import mistold
from tests.simulate.reads import backwards, stale_reads
from tests.simulate.rollouts import unbounded
from tests.simulate.security import intrusions
from tests.simulate.services import unready_reached
from tests.simulate.story import Story, Violation
from tests.simulate.traffic import exchanges
from tests.simulate.watches import gaps
from tests.simulate.writes import lost_writes


def judge(story: Story) -> list[Violation]:
    """Give every violation."""
    return list(_violations(story))


def _violations(story: Story) -> Iterator[Violation]:
    yield from unruly(story.entries)
    yield from restless(story.entries, story.components, story.calm_at, story.failure)
    if not story.began_anew:
        yield from _of_history(story)
    if story.failure is None:
        yield from unequal(story.copies)
        yield from unfulfilled(story.lacking)
        yield from orphans(story.history)


def _of_history(story: Story) -> Iterator[Violation]:
    """Judge what rests on etcd's history having been one; it is not where etcd lost its disk."""
    entries, history = story.entries, story.history
    traffic, told = exchanges(entries, story.said), Told(entries)
    yield from intrusions(traffic, entries, history, story.epoch)
    yield from one_node(history, story.starts, entries)
    yield from gaps(entries, history)
    yield from stale_reads(traffic, history)
    yield from backwards(traffic)
    yield from conflicts(traffic, history)
    yield from lawless(traffic, history)
    yield from wrongly_collected(traffic, history)
    yield from usurpers(traffic, entries, history)
    yield from unbounded(traffic, history, told)
    yield from misplaced(traffic, history, told)
    yield from hasty_taints(history, told)
    yield from mistimed_evictions(traffic, entries, history)
    yield from hasty_restarts(entries, story.starts)
    yield from unready_reached(entries, history, told)
    yield from miscounted(history)
    yield from mistimed(traffic, history, told)
    yield from mistold(entries, history, story.starts)
    yield from outlived(entries, history, story.epoch)
    yield from misowned(traffic, history)
    yield from risen(entries, history, story.starts)
    if story.failure is None:
        yield from lost_writes(entries, history, story.stored)
