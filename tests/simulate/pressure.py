"""A node short of memory, disk or process numbers: it says so, is tainted, takes no pods, and ends some one by one.

    told        a node whose resource was taken away says so within a moment
    tainted     it bears the taint soon after it says so, and is given it by nobody while it does not
    evicted     a pod that the kubelet ends for want of something: its node says that it is short of it, by then or soon
    in order    one at a time; for want of memory, none that has asked for some before one that has not
    admitted    a pod bound to it while it says so does not begin there; short of memory alone it takes those that ask
                for something, or tolerate it
    eased       it says so for TRANSITION_SECONDS at least, by the kubelet's own dates, as long as that one lives

What takes a moment is not judged once something was broken that could make late what a node's kubelet says. That no
pod is bound to such a node is a matter of its taints (`placement`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cluster_engine.api.quality_of_service import quality_of_service
from cluster_engine.faults import FAULTS, UNOFFERED
from cluster_engine.faults.links import LinkFault
from tests.simulate.placement import asks, covers
from tests.simulate.story import Entry, History, Object, Start, Violation, Write

TOLD = "a node that is short of something says so"
TAINTED = "a node that says that it is short of something is tainted for it"
EVICTED = "a pod that is evicted for want of something was on a node that says so"
ORDER = "pods are evicted one by one, those that asked for memory last"
ADMITTED = "a node that is short of something begins no pod"
EASED = "a node says for five minutes that it is short of something"
CONDITIONS = {"memory": "MemoryPressure", "ephemeral-storage": "DiskPressure", "pids": "PIDPressure"}
TAKEN = {"memory": "MemoryPressure", "disk": "DiskPressure", "pids": "PIDPressure"}
TAINTS = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}
LOW = "The node was low on resource: "
CRITICAL = 2_000_000_000
LOOK_SECONDS = 10.0
TRANSITION_SECONDS = 300.0
NEWS_SECONDS = 30.0
"""Within which what a kubelet knows is in etcd, where nothing is broken."""
STATUS_SECONDS = 5.0
"""Within which a pod's status has followed what its kubelet does."""
OTHERS = ("pressure", "image-not-found", "crash-loop")
"""Faults that keep no kubelet from telling."""
LINKS = {name for name, kind in {**FAULTS, **UNOFFERED}.items() if issubclass(kind, LinkFault)}


def mistold(entries: Iterable[Entry], history: History, starts: Iterable[Start] = ()) -> Iterator[Violation]:
    """Judge what nodes say, how they are tainted, each eviction and each start of a container."""
    seen = _Seen(entries)
    yield from _untold(seen, history)
    yield from _untainted(seen, history)
    yield from _unfounded(seen, history)
    yield from _disorderly(seen, history)
    yield from _begun(seen, history, starts)
    yield from _hastily_eased(seen, history)


class _Seen:
    """What the journal says of faults and kubelets; `starts` are times by entry."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.pressures: list[tuple[float, float, str, str]] = []
        """From when until when which node was short of what: its condition."""
        self.starts: dict[int, float] = {}
        self._faults: list[tuple[float, dict]] = []
        self._kubelets: list[tuple[float, str]] = []
        begun: dict[str, tuple[float, dict]] = {}
        for entry in entries:
            kind, at, fields = entry["kind"], entry["at"], entry["fields"]
            if kind == "fault.started":
                self._faults.append((at, fields))
                begun[fields.get("id", "")] = (at, fields)
            elif kind == "fault.ended":
                since, what = begun.pop(fields.get("id", ""), (at, {}))
                self._add(since, at, what)
            elif kind == "process.started":
                self._kubelets.append((at, entry["from"]))
            elif kind == "containerd.started":
                self.starts[entry["seq"]] = at
        for since, what in begun.values():
            self._add(since, float("inf"), what)

    def _add(self, since: float, until: float, fault: dict) -> None:
        if fault.get("name") == "pressure" and "resource" in fault:
            self.pressures.append((since, until, fault["target"], TAKEN[fault["resource"]]))

    def is_troubled(self, node: str, until: float) -> bool:
        """Tell whether anything had been broken by then that could make late what a node's kubelet says."""
        return any(at <= until and _troubles(fault, node) for at, fault in self._faults)

    def began(self, node: str, since: float, until: float) -> bool:
        """Tell whether a node's kubelet began in between: it knows of no pressure before its first look."""
        return any(who == f"{node}/kubelet" and since < at <= until for at, who in self._kubelets)


def _troubles(fault: dict, node: str) -> bool:
    name = fault.get("name")
    if name in OTHERS:
        return False
    hosts = {str(fault[end]).partition("/")[0] for end in ("target", "peer") if fault.get(end)}
    if name in LINKS:
        return hosts <= {node, "control-plane"}
    return not hosts or any(host == node or not host.startswith("worker-") for host in hosts)


# -- conditions and taints -----------------------------------------------------------------------------------------


def _untold(seen: _Seen, history: History) -> Iterator[Violation]:
    for since, until, node, condition in seen.pressures:
        latest = since + LOOK_SECONDS + NEWS_SECONDS
        if until < since + 2 * LOOK_SECONDS or seen.is_troubled(node, latest):
            continue
        if not any(_since(one.now, condition) for one in _until(history, node, latest)):
            yield Violation(TOLD, f"{node} was short of something from {since:.0f} s on, and had no {condition}")


def _untainted(seen: _Seen, history: History) -> Iterator[Violation]:
    for write in history.of("nodes"):
        node = write.token.rpartition("/")[2]
        around = [one for one in history.about(write.token) if abs(one.at - write.at) <= NEWS_SECONDS]
        before = [one.before for one in around if one.revision <= write.revision]
        after = [one.now for one in around if one.revision >= write.revision]
        for condition, taint in TAINTS.items():
            is_given = _bears(write.now, taint) and not _bears(write.before, taint)
            if is_given and not any(_since(one, condition) for one in before):
                yield Violation(TAINTED, f"{node} was given {taint} at {write.revision} without {condition}")
            is_news = _since(write.now, condition) and not _since(write.before, condition)
            if not is_news or seen.is_troubled(node, write.at + NEWS_SECONDS):
                continue
            if all(_since(one, condition) and not _bears(one, taint) for one in after):
                yield Violation(TAINTED, f"{node} has had {condition} since {write.at:.0f} s, and not {taint}")


def _hastily_eased(seen: _Seen, history: History) -> Iterator[Violation]:
    for write in history.of("nodes"):
        node = write.token.rpartition("/")[2]
        for condition in TAINTS:
            since = _since(write.before, condition)
            if since is None or _since(write.now, condition) is not None or write.now is None:
                continue
            told = next((one.at for one in _until(history, node, write.at) if _since(one.now, condition) == since), 0.0)
            if seen.is_troubled(node, write.at) or seen.began(node, told, write.at):
                continue
            if write.at - told < TRANSITION_SECONDS - NEWS_SECONDS:
                yield Violation(EASED, f"{node} had {condition} from {told:.0f} s to {write.at:.0f} s only")


def _since(node: Object | None, type_: str) -> datetime | None:
    """Give since when a node has a condition, None where it has it not."""
    for one in (node or {}).get("status", {}).get("conditions") or ():
        if one["type"] == type_ and one["status"] == "True":
            return datetime.fromisoformat(one["lastTransitionTime"])
    return None


def _bears(node: Object | None, taint: str) -> bool:
    return any(one["key"] == taint for one in (node or {}).get("spec", {}).get("taints") or ())


def _until(history: History, node: str, at: float) -> Iterator[Write]:
    return (write for write in history.about(f"nodes//{node}") if write.at <= at)


# -- evictions -----------------------------------------------------------------------------------------------------


def _unfounded(seen: _Seen, history: History) -> Iterator[Violation]:
    for write, node, resource in _evictions(history):
        condition, latest = CONDITIONS[resource], write.at + NEWS_SECONDS
        if seen.is_troubled(node, latest):
            continue
        if not any(_since(one.now, condition) for one in _until(history, node, latest)):
            yield Violation(
                EVICTED, f"{write.token} was evicted at {write.revision} for {resource}; {node} said nothing"
            )


def _disorderly(seen: _Seen, history: History) -> Iterator[Violation]:
    """Judge the looks by the dates of their Events, and who is left by the pods' statuses."""
    looks: dict[str, dict[datetime, str]] = {}
    for write in history.of("events"):
        event = write.now or {}
        if write.before is None and event.get("reason") == "Evicted" and event["message"].startswith(LOW):
            node, at = event["source"]["host"], datetime.fromisoformat(event["firstTimestamp"])
            mine = looks.setdefault(node, {})
            close = [when for when in mine if abs((when - at).total_seconds()) < LOOK_SECONDS - 1.0]
            if close and not seen.is_troubled(node, write.at):
                yield Violation(ORDER, f"{node} evicted {event['involvedObject']['name']} along with {mine[close[0]]}")
            mine[at] = event["involvedObject"]["name"]
    for write, node, resource in _evictions(history):
        assert write.now is not None
        if _is_critical(write.now):
            yield Violation(ORDER, f"{write.token} is critical and was evicted at {write.revision}")
        if resource != "memory" or not asks(write.now, "memory") or seen.is_troubled(node, write.at + STATUS_SECONDS):
            continue
        around = [_running(history, node, write.at + shift) for shift in (-STATUS_SECONDS, STATUS_SECONDS)]
        for token in sorted(around[0].keys() & around[1].keys()):
            if token != write.token and not asks(around[0][token], "memory") and not _is_critical(around[0][token]):
                yield Violation(ORDER, f"{write.token} asked for memory and was evicted before {token}")


def _running(history: History, node: str, at: float) -> dict[str, Object]:
    """Give the pods that run on a node, as their statuses said at a time."""
    there: dict[str, Object] = {}
    for write in history.of("pods"):
        if write.at > at:
            break
        there.pop(write.token, None)
        pod = write.now
        if pod is None or pod["spec"].get("nodeName") != node or "deletionTimestamp" in pod["metadata"]:
            continue
        if pod["status"].get("phase") == "Running":
            there[write.token] = pod
    return there


def _evictions(history: History) -> Iterator[tuple[Write, str, str]]:
    """Give each end of a pod for want of a resource, with its node and the resource."""
    for write in history.of("pods"):
        resource = _evicted(write.now)
        if resource and write.now is not None and not _evicted(write.before):
            yield write, str(write.now.get("spec", {}).get("nodeName", "")), resource


def _evicted(pod: Object | None) -> str:
    """Give the resource for want of which a pod was ended, "" where it was not."""
    status = (pod or {}).get("status", {})
    message = str(status.get("message", ""))
    if status.get("reason") != "Evicted" or not message.startswith(LOW):
        return ""
    return message.removeprefix(LOW).partition(".")[0]


# -- admission -----------------------------------------------------------------------------------------------------


def _begun(seen: _Seen, history: History, starts: Iterable[Start]) -> Iterator[Violation]:
    bound: dict[str, Write] = {}
    for write in history.of("pods"):
        if write.now is not None and write.now["spec"].get("nodeName"):
            bound.setdefault(write.now["metadata"]["uid"], write)
    for start in starts:
        at, binding = seen.starts.get(start.seq, 0.0), bound.get(start.uid)
        if binding is None or binding.now is None or binding.now["spec"]["nodeName"] != start.host:
            continue
        told = list(_until(history, start.host, at + NEWS_SECONDS))
        known = next((place for place, one in enumerate(told) if one.at > binding.at), len(told)) - 1
        if known < 0 or not all(_refuses(_conditions(one.now), binding.now) for one in told[known:]):
            continue
        news = next(one.at for one in reversed(told[: known + 1]) if not _conditions(one.before))
        if not seen.is_troubled(start.host, at + NEWS_SECONDS) and not seen.began(start.host, news, at):
            what = ", ".join(sorted(_conditions(told[known].now)))
            text = f"{start.host} started a container of {start.pod} ({start.uid}), and has {what}"
            yield Violation(ADMITTED, text, (start.seq,))


def _conditions(node: Object | None) -> set[str]:
    return {condition for condition in TAINTS if _since(node, condition)}


def _refuses(conditions: set[str], pod: Object) -> bool:
    if not conditions or _is_critical(pod):
        return False
    if conditions != {"MemoryPressure"}:
        return True
    taint = {"key": TAINTS["MemoryPressure"], "effect": "NoSchedule"}
    tolerated = any(covers(one, taint) for one in pod["spec"].get("tolerations") or ())
    return quality_of_service(pod["spec"]) == "BestEffort" and not tolerated


def _is_critical(pod: Object) -> bool:
    is_mirror = any(one["kind"] == "Node" for one in pod["metadata"].get("ownerReferences") or ())
    return is_mirror or int(pod["spec"].get("priority") or 0) >= CRITICAL
