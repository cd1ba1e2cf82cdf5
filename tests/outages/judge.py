"""Whether journals, inputs and what pages saw agree, once everything is in peace again."""

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.outages.learner import COMPARED, Learner
from tests.outages.plan import Outage

GRACE_SECONDS = 2.0
MAY_END = {"outside", "too-long"}


def judge(folder: Path, learners: list[Learner], broken: list[Outage]) -> list[str]:
    """Give everything that does not agree."""
    with contextlib.closing(sqlite3.connect(folder / "glassplane.sqlite3", timeout=60)) as database:
        return [
            f"{learner.cluster}: {problem}"
            for learner in learners
            for problem in [*learner.problems, *_judge(database, learner, broken)]
        ]


def _judge(database: sqlite3.Connection, learner: Learner, broken: list[Outage]) -> Iterator[str]:
    row = database.execute(
        "SELECT state, reason, recorded FROM visualizer_cluster WHERE id = ?", [learner.cluster]
    ).fetchone()
    if row is None:
        yield "there is no such cluster"
        return
    state, reason, recorded = row
    if state != "running" and reason not in MAY_END:
        yield f"it is {state} ({reason}), the page calls it {learner.state}, life {learner.life}, {learner.ends}"
    journal = dict(_journal(database, learner.cluster))
    if sorted(journal) != list(range(1, recorded + 1)):
        yield f"its journal of {recorded} entries has {len(journal)}"
    other = [seq for seq, seen in learner.entries.items() if seq in journal and journal[seq] != seen]
    if other:
        first = min(other)
        seen = f"in life {learner.told_by[first]} of {learner.life} {learner.entries[first]}, not {journal[first]}"
        yield f"the page saw others under {len(other)} numbers up to {max(other)} of {recorded}; {first}: {seen}"
    inputs = database.execute(
        "SELECT n, document FROM visualizer_input WHERE cluster_id = ? ORDER BY n", [learner.cluster]
    ).fetchall()
    if [n for n, _ in inputs] != list(range(1, len(inputs) + 1)):
        yield "its inputs have a gap"
    typed = [one["id"] for _, document in inputs if (one := json.loads(document))["type"] == "command"]
    if len(typed) != len(set(typed)):
        yield "a command was taken twice"
    for identifier, at in learner.done.items():
        if identifier not in typed and not any(
            one.began - GRACE_SECONDS < at < one.ended + GRACE_SECONDS for one in broken
        ):
            yield f"{identifier} was told to be done and is no input"


def _journal(database: sqlite3.Connection, cluster: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    chunks = database.execute("SELECT entries FROM visualizer_chunk WHERE cluster_id = ? ORDER BY first", [cluster])
    for (entries,) in chunks:
        for one in json.loads(b"[" + zlib.decompress(entries) + b"]"):
            yield one["seq"], tuple(one.get(name) for name in COMPARED)
