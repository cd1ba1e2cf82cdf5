"""The other invariants: no pod on two nodes, copies equal the truth, nothing falls over once nothing is broken.

one_node      a pod is bound once; its containers are started on that node only, or on a machine that has its name
unequal       the API server's caches and the informers hold what etcd holds, version by version
lacking       desired = actual: what `wishes.lacking` still names at the end
restless      no component exits once everything is healed and calm, and no bug has ended the world
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.simulate.story import Copy, Entry, History, Start, Violation

ONE_NODE = "no pod on two nodes"
COPIES = "caches converge"
WISHES = "desired becomes actual"
BUGS = "the world does not fail"
CALM = "nothing crashes once everything is healed"
NAMED_MAX = 5


def one_node(history: History, starts: Iterable[Start], entries: Iterable[Entry] = ()) -> Iterator[Violation]:
    """Judge bindings and starts."""
    taken = clones(entries)
    bound: dict[str, str] = {}
    for write in history.of("pods"):
        if write.now is None or not (node := write.now["spec"].get("nodeName")):
            continue
        uid = write.now["metadata"]["uid"]
        if bound.setdefault(uid, node) != node:
            yield Violation(
                ONE_NODE, f"{write.token} ({uid}) was bound to {bound[uid]}, and to {node} at {write.revision}"
            )
    for start in starts:
        is_static = "-" not in start.uid  # of a file on the node, which nobody binds
        where = bound.get(start.uid)
        cloned = any(one.host == start.host and one.name == where and one.covers(start.seq) for one in taken)
        if not is_static and where != start.host and not cloned:
            text = f"{start.host} started a container of {start.pod} ({start.uid}), which is bound to {where}"
            yield Violation(ONE_NODE, text, (start.seq,))


@dataclass(slots=True)
class Clone:
    """A machine that has another's name, from one entry to another (node-name-taken)."""

    host: str
    name: str
    began: int
    ended: float = math.inf

    def covers(self, seq: int) -> bool:
        """Tell whether it had that name then."""
        return self.began < seq < self.ended


def clones(entries: Iterable[Entry]) -> list[Clone]:
    """Give the machines that had another's name."""
    found: dict[str, Clone] = {}
    for entry in entries:
        fields = entry["fields"]
        if entry["kind"] == "fault.started" and fields.get("name") == "node-name-taken":
            found[fields["id"]] = Clone(fields["target"], fields["peer"], entry["seq"])
        elif entry["kind"] == "fault.ended" and fields["id"] in found:
            found[fields["id"]].ended = entry["seq"]
    return list(found.values())


def unequal(copies: Iterable[Copy]) -> Iterator[Violation]:
    """Compare copies with the truth."""
    for copy in copies:
        wrong = [
            f"{token} is {copy.held.get(token, 'absent')}, should be {copy.true.get(token, 'absent')}"
            for token in sorted(copy.held.keys() | copy.true.keys())
            if copy.held.get(token) != copy.true.get(token)
        ]
        if wrong:
            more = f" and {len(wrong) - NAMED_MAX} more" if len(wrong) > NAMED_MAX else ""
            yield Violation(COPIES, f"{copy.owner}: {'; '.join(wrong[:NAMED_MAX])}{more}")


def unfulfilled(lacking: Iterable[str]) -> Iterator[Violation]:
    """Pass on what did not become true."""
    for one in lacking:
        yield Violation(WISHES, one)


def restless(
    entries: list[Entry], components: Iterable[str], calm_at: float, failure: BaseException | None
) -> Iterator[Violation]:
    """Judge how it ended."""
    if failure is not None:
        yield Violation(BUGS, f"{type(failure).__name__}: {failure}")
    known = frozenset(components)
    for entry in entries:
        if entry["kind"] == "process.exited" and entry["at"] > calm_at and entry["from"] in known:
            yield Violation(CALM, f"{entry['from']} exited with {entry['fields']['exitCode']}", (entry["seq"],))
