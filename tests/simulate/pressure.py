"""A node short of memory, disk or process numbers says so for a while, and only then are pods ended for it.

    evicted    a pod that the kubelet ends for want of something: its node says that it is short of it, by then or soon
    eased      the node says it for TRANSITION_SECONDS at least, by the kubelet's own dates, as long as that one lives

Neither is judged once anything else was broken that could make late what a kubelet says.
That no pod is bound to such a node is a matter of its taints (`placement`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tests.simulate.story import Entry, History, Object, Violation, Write

EVICTED = "a pod that is evicted for want of something was on a node that says so"
EASED = "a node says for five minutes that it is short of something"
CONDITIONS = {"memory": "MemoryPressure", "ephemeral-storage": "DiskPressure", "pids": "PIDPressure"}
LOW = "The node was low on resource: "
TRANSITION_SECONDS = 300.0
NEWS_SECONDS = 30.0
"""Within which what a kubelet knows is in etcd, where nothing is broken."""
OTHERS = ("pressure", "image-not-found", "crash-loop")
"""Faults that keep no kubelet from telling."""


def mistold(entries: Iterable[Entry], history: History) -> Iterator[Violation]:
    """Judge each eviction by a kubelet, and each end of a pressure."""
    entries = list(entries)
    for write in history.of("pods"):
        resource, node = _evicted(write.now), (write.now or {}).get("spec", {}).get("nodeName", "")
        if not resource or _evicted(write.before) or _is_troubled(entries, write.at + NEWS_SECONDS):
            continue
        condition = CONDITIONS[resource]
        if not any(_since(one.now, condition) for one in _until(history, node, write.at + NEWS_SECONDS)):
            yield Violation(
                EVICTED, f"{write.token} was evicted at {write.revision} for {resource}; {node} said nothing"
            )
    for write in history.of("nodes"):
        node = write.token.rpartition("/")[2]
        for condition in CONDITIONS.values():
            since = _since(write.before, condition)
            if since is None or _since(write.now, condition) is not None or write.now is None:
                continue
            told = next((one.at for one in _until(history, node, write.at) if _since(one.now, condition) == since), 0.0)
            if _is_troubled(entries, write.at) or _began(entries, f"{node}/kubelet", told, write.at):
                continue
            if write.at - told < TRANSITION_SECONDS - NEWS_SECONDS:
                yield Violation(EASED, f"{node} had {condition} from {told:.0f} s to {write.at:.0f} s only")


def _evicted(pod: Object | None) -> str:
    """Give the resource for want of which a pod was ended, "" where it was not."""
    status = (pod or {}).get("status", {})
    message = str(status.get("message", ""))
    if status.get("reason") != "Evicted" or not message.startswith(LOW):
        return ""
    return message.removeprefix(LOW).partition(".")[0]


def _since(node: Object | None, type_: str) -> datetime | None:
    """Give since when a node has a condition, None where it has it not."""
    for one in (node or {}).get("status", {}).get("conditions") or ():
        if one["type"] == type_ and one["status"] == "True":
            return datetime.fromisoformat(one["lastTransitionTime"])
    return None


def _until(history: History, node: str, at: float) -> Iterator[Write]:
    return (write for write in history.about(f"nodes//{node}") if write.at <= at)


def _is_troubled(entries: list[Entry], until: float) -> bool:
    """Whether anything had been broken by then that could make news late."""
    started = (one for one in entries if one["kind"] == "fault.started" and one["at"] <= until)
    return any(one["fields"].get("name") not in OTHERS for one in started)


def _began(entries: list[Entry], who: str, since: float, until: float) -> bool:
    starts = (one["at"] for one in entries if one["kind"] == "process.started" and one["from"] == who)
    return any(since < at <= until for at in starts)
