"""Plays that are made again: paused and stepped in between, replayed from their inputs, and with the last one undone.

paused      the same plan from the same second, with pauses and steps: the same journal
replayed    the plan's lines and faults as a hosted cluster takes them, each at rest; then its inputs again: the same
undone      its inputs without the last: the same up to there

Up to where a link's bandwidth is limited: TLS' signatures differ in length by a byte or two from run to run, and there
each byte takes time.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.deeds import Act, Command, Inject, Input, last_undoable
from cluster_engine.faults import write
from cluster_engine.run import Run
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from tests.simulate.pauses import Pauses
from tests.simulate.plan import Plan
from tests.simulate.play import play
from tests.simulate.story import Entry, Story, Violation

SAME = "the same inputs make the same journal"
TOLD = ("seq", "at", "arrived", "kind", "from", "to", "label", "connection", "stream", "cause", "replyTo")
HOSTED_SECONDS_MAX = 20.0
REPLAYED_EVERY, PAUSED_EVERY = 20, 10


def played_again(plan: Plan, story: Story) -> Iterator[Violation]:
    """Play a sample of plans again, each in one of the ways, and compare."""
    if plan.seed % PAUSED_EVERY == 3 and not plan.gateway:
        pauses = Pauses.drawn(plan.seed, plan.seconds)
        again = play(plan, story.epoch, pauses=pauses)
        yield from differences(story.entries, again.entries, narrow_from(plan, story.entries), "with pauses and steps")
    elif plan.seed % REPLAYED_EVERY == 7:
        yield from _replayed(plan, story.epoch)


def differences(first: Sequence[Entry], second: Sequence[Entry], until: float, how: str) -> Iterator[Violation]:
    """Compare what came before `until`."""
    told = [[_told(one) for one in entries if _came(one) < until] for entries in (first, second)]
    if told[0] == told[1]:
        return
    pairs = zip(*told, strict=False)
    place = next((n for n, (a, b) in enumerate(pairs) if a != b), min(map(len, told)))
    a, b = (entries[place] if place < len(entries) else "nothing" for entries in told)
    yield Violation(SAME, f"{how} it went another way: {b}, and was {a}", (place + 1,))


def narrow_from(plan: Plan, entries: Sequence[Entry]) -> float:
    """Return when the first link may have been made narrow: by a fault that says so, or is sealed."""
    records = [*plan.faults, *(moment.record for moment in plan.moments)]
    if not any(part.name == "bandwidth" for record in records for part in (record, *record.parts())):
        return float("inf")
    begun = (one for one in entries if one["kind"] == "fault.started")
    narrow = (one["at"] for one in begun if one["fields"].get("name") == "bandwidth" or one["fields"].get("sealed"))
    return float(next(narrow, float("inf")))


def _told(entry: Entry) -> tuple[object, ...]:
    return tuple(entry[name] for name in TOLD)


def _came(entry: Entry) -> float:
    return float(entry["at"] if entry["arrived"] is None else entry["arrived"])


# -- as a hosted cluster ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hosted:
    """What came of a hosted cluster: its journal, and the inputs that it took."""

    entries: list[Entry]
    inputs: list[Input]
    until: float


def _replayed(plan: Plan, epoch: datetime) -> Iterator[Violation]:
    first = hosted(plan, epoch)
    again = hosted(plan, epoch, first.inputs, first.until)
    narrow = narrow_from(plan, first.entries)
    yield from differences(first.entries, again.entries, min(first.until, narrow), "replayed")
    undone = last_undoable(first.inputs)
    if undone is not None:
        rest = [one for one in first.inputs if one is not undone]
        other = hosted(plan, epoch, rest, first.until)
        yield from differences(first.entries, other.entries, min(undone.at, narrow), "with the last input undone")


def hosted(plan: Plan, epoch: datetime, past: Sequence[Input] = (), until: float = 0.0) -> Hosted:
    """Let a plan's lines and faults be inputs, or replay those of the past up to `until`."""
    loop = ClusterLoop(Clock())
    try:
        return loop.run_until_complete(_host(plan, epoch, loop, past, until))
    finally:
        loop.wind_up()


async def _host(plan: Plan, epoch: datetime, loop: ClusterLoop, past: Sequence[Input], until: float) -> Hosted:
    entries: list[Entry] = []
    run = Run(past=past, until=until)
    spec = ClusterSpec(
        nodes=plan.nodes,
        seed=plan.seed,
        etcd_members=plan.etcd_members,
        pace=None,
        epoch=epoch,
        effort=plan.effort,
        system_pods=plan.system_pods,
    )
    async with Cluster(spec, loop) as cluster:
        assert cluster.journal is not None
        cluster.journal.subscribe(entries.append)
        run.enter(cluster)
        await run.begin()
        if not until:
            tasks = [loop.create_task(_put(run, at, act)) for at, act in _acts(plan)]
            await asyncio.sleep(HOSTED_SECONDS_MAX)
            for task in tasks:
                task.cancel()
        until = until or loop.time()
        run.close()
    return Hosted(entries, run.inputs, until)


def _acts(plan: Plan) -> list[tuple[float, Act]]:
    """Give the plan's lines and faults as acts, drawn together so that all fall into the time there is."""
    share = (HOSTED_SECONDS_MAX - 1.0) / plan.seconds
    acts: list[tuple[float, Act]] = [
        (one.at * share, Command(f"line-{number}", one.line)) for number, one in enumerate(plan.typed)
    ]
    now = {"start": 0.0, "end": None}
    acts += [(fault.start * share, Inject(write(fault) | now)) for fault in plan.faults]
    acts += [(0.1, Inject(write(one.record) | now, one.when, one.sealed)) for one in plan.moments]
    return acts


async def _put(run: Run, at: float, act: Act) -> None:
    await asyncio.sleep(at)
    run.put(act)  # refused or not: what is taken is in the run's list
