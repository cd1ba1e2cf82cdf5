"""A pod that has ended has ended: an evicted one does not come back.

status.phase Succeeded or Failed     stays
containers of such a pod             are not started any more

Two kubelets that go by one name contradict each other until each has heard of what the other says: pods of such a node
are not judged.
"""

from collections.abc import Iterable, Iterator

from tests.simulate.ends import clones
from tests.simulate.story import Entry, History, Start, Violation

ENDED = "a pod that has ended does not come back"
OVER = ("Succeeded", "Failed")


def risen(entries: list[Entry], history: History, starts: Iterable[Start]) -> Iterator[Violation]:
    """Judge each change of a phase, and each start of a container."""
    ended: dict[str, float] = {}
    taken = {clone.name for clone in clones(entries)}
    for write in history.of("pods"):
        if write.now is None or write.now["spec"].get("nodeName") in taken:
            continue
        before, now = _phase(write.before), _phase(write.now)
        if before in OVER and now != before:
            yield Violation(ENDED, f"{write.token} was {before}, and is {now} at {write.revision}")
        if now in OVER:
            ended.setdefault(write.now["metadata"]["uid"], write.at)
    times = {entry["seq"]: entry["at"] for entry in entries if entry["kind"] == "containerd.started"}
    for start in starts:
        if times.get(start.seq, 0.0) > ended.get(start.uid, float("inf")):
            text = f"{start.host} started a container of {start.pod} ({start.uid}), which had ended"
            yield Violation(ENDED, text, (start.seq,))


def _phase(pod: dict | None) -> str:
    return str((pod or {}).get("status", {}).get("phase", ""))
