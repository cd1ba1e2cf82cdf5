"""Where pods go, when they have to leave, and how long a container waits to be started again.

bound       onto a node that was not cordoned, whose taints it tolerates, and that had room, as far as the scheduler
            had been told
tainted     unreachable, GRACE_SECONDS after the node was last heard of, as far as the controller had been told
evicted     when the taint has been there as long as the pod tolerates it, and not much later
restarted   at once, then after 10 s, 20 s, … 300 s at least, as long as the kubelet lives that counts
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cluster_engine.api.quantity import parse
from tests.simulate.knowledge import Told, believed
from tests.simulate.story import Entry, History, Object, Start, Violation, Write
from tests.simulate.traffic import SLACK_SECONDS, Exchange

BOUND = "pods are bound where they may and can be"
TAINTED = "a node is unreachable only after its grace"
EVICTED = "pods are evicted in their time"
RESTARTED = "restarts back off"
GRACE_SECONDS = 50.0
DECIDE_SECONDS = 1.0
EVICTION_SLACK_SECONDS = 60.0
TIMER_SECONDS = 0.1
BACKOFF_SECONDS = (10.0, 300.0)
BACKOFF_FORGOTTEN_SECONDS = 600.0
OVER = ("Succeeded", "Failed")
UNREACHABLE = "node.kubernetes.io/unreachable"
NODE_LEASE = "leases/kube-node-lease"


def misplaced(traffic: Iterable[Exchange], history: History, told: Told) -> Iterator[Violation]:
    """Judge every binding that was done."""
    bindings = [one for one in traffic if one.subresource == "binding" and one.status == 201]
    for one in bindings:
        write = next((each for each in history.about(one.token) if _binds(each) and each.at >= one.began), None)
        if write is None or write.now is None or write.at > one.ended + SLACK_SECONDS:
            continue
        node = write.now["spec"]["nodeName"]
        floor = told.floor(one.request["from"], "nodes", one.began - DECIDE_SECONDS)
        nodes = believed(history, f"nodes//{node}", floor, one.began)
        if why := _objection(write, nodes, history):
            yield Violation(BOUND, f"{one.token} was bound to {node} at {write.revision}, {why}", one.seqs)


def _binds(write: Write) -> bool:
    return bool(write.now and write.now["spec"].get("nodeName") and write.before) and not (
        write.before and write.before["spec"].get("nodeName")
    )


def _objection(write: Write, nodes: list[Object], history: History) -> str:
    assert write.now is not None
    if not nodes:
        return "which is not there"
    pod = write.now
    free = [node for node in nodes if not node["spec"].get("unschedulable")]
    if not free:
        return "which was cordoned"
    if not any(all(_tolerates(pod, taint) for taint in node["spec"].get("taints") or ()) for node in free):
        return "whose taints it does not tolerate"
    there = _on_node(history, pod["spec"]["nodeName"], write.revision)
    for resource in ("cpu", "memory"):
        asked = sum(_asks(each, resource) for each in there)
        room = max(parse(node["status"]["allocatable"][resource]) for node in free)
        if asked > room and _asks(pod, resource):
            return f"whose pods then ask for {asked} {resource} of {room}"
    room = max(parse(node["status"]["allocatable"]["pods"]) for node in free)
    return f"which then has {len(there)} pods of {room}" if len(there) > room else ""


def _on_node(history: History, node: str, revision: int) -> list[Object]:
    pods = history.state("pods", revision).values()
    return [pod for pod in pods if pod["spec"].get("nodeName") == node and pod["status"].get("phase") not in OVER]


def _asks(pod: Object, resource: str) -> Any:
    containers = pod["spec"].get("containers") or ()
    asked = [each.get("resources", {}).get("requests", {}).get(resource) for each in containers]
    return sum(parse(each) for each in asked if each)


def _tolerates(pod: Object, taint: Object) -> bool:
    if taint["effect"] == "PreferNoSchedule":
        return True
    return any(
        each.get("effect") in (None, "", taint["effect"])
        and each.get("key") in (None, "", taint["key"])
        and (each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", ""))
        for each in pod["spec"].get("tolerations") or ()
    )


# -- nodes that are silent, pods that have to go -------------------------------------------------------------------


def hasty_taints(
    history: History, told: Told, manager: str = "control-plane/kube-controller-manager"
) -> Iterator[Violation]:
    """Judge each unreachable:NoExecute by the last sign of life that the controller had been told of."""
    for write in history.of("nodes"):
        if not _unreachable(write.now) or _unreachable(write.before):
            continue
        name = write.token.rpartition("/")[2]
        floor = told.floor(manager, "leases", write.at - DECIDE_SECONDS)
        signs = [each.at for each in history.about(f"{NODE_LEASE}/{name}") if each.revision <= floor]
        if signs and write.at - signs[-1] < GRACE_SECONDS - TIMER_SECONDS:
            text = f"{name} was tainted unreachable {write.at - signs[-1]:.1f} s after it was heard of"
            yield Violation(TAINTED, text)


def _unreachable(node: Object | None) -> bool:
    taints = (node or {}).get("spec", {}).get("taints") or ()
    return any(taint["key"] == UNREACHABLE and taint["effect"] == "NoExecute" for taint in taints)


def mistimed_evictions(traffic: Iterable[Exchange], entries: list[Entry], history: History) -> Iterator[Violation]:
    """Judge each eviction, and look for those that did not come."""
    troubles = list(_troubles(entries))
    for since, until, node in _tainted(history):
        for pod in _patient(history, node, since):
            token = f"pods/{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            due = since + _patience(pod)
            gone = _going_at(history, token, pod["metadata"]["uid"])
            latest = due + EVICTION_SLACK_SECONDS
            if latest < min(until, gone) and not any(start < latest and end > since for start, end in troubles):
                text = f"{token} on {node} should have been evicted at {due:.0f} s, and was not by {latest:.0f} s"
                yield Violation(EVICTED, text)
    for one in traffic:
        if (
            one.verb == "delete"
            and one.status == 200
            and one.resource == "pods"
            and one.said.agent.endswith("/node-controller")
        ):
            yield from _too_soon(one, history)


def _too_soon(one: Exchange, history: History) -> Iterator[Violation]:
    first = one.at(history)[0]
    if first is None or first.now is None:
        return
    pod = first.now
    runs = [run for run in _tainted(history) if run[2] == pod["spec"].get("nodeName") and run[0] <= one.began]
    if not runs:
        yield Violation(EVICTED, f"{one.token} was evicted from a node without a taint", one.seqs)
    elif one.began < runs[-1][0] + _patience(pod) - TIMER_SECONDS and len(runs) == 1:
        waited = one.began - runs[-1][0]
        yield Violation(EVICTED, f"{one.token} was evicted after {waited:.1f} of {_patience(pod):.0f} s", one.seqs)


def _tainted(history: History) -> list[tuple[float, float, str]]:
    """Give for how long which node had a NoExecute taint, the runs in order of time."""
    runs: list[tuple[float, float, str]] = []
    since: dict[str, float] = {}
    for write in history.of("nodes"):
        name = write.token.rpartition("/")[2]
        taints = (write.now or {}).get("spec", {}).get("taints") or ()
        if any(taint["effect"] == "NoExecute" for taint in taints):
            since.setdefault(name, write.at)
        elif name in since:
            runs.append((since.pop(name), write.at, name))
    end = history.writes[-1].at if history.writes else 0.0
    runs += [(start, end, name) for name, start in since.items()]
    return sorted(runs)


def _patience(pod: Object) -> float:
    """Say how long a pod tolerates the taints of a node that is silent or not ready."""
    limits = [
        float(each["tolerationSeconds"])
        for each in pod["spec"].get("tolerations") or ()
        if each.get("effect") in (None, "", "NoExecute") and each.get("tolerationSeconds") is not None
    ]
    return min(limits, default=0.0)


def _patient(history: History, node: str, at: float) -> list[Object]:
    """Give the pods that are on a node when it is tainted, and tolerate that for a while."""
    pods: dict[str, Object] = {}
    for write in history.of("pods"):
        if write.at > at:
            break
        if write.now is None:
            pods.pop(write.token, None)
        else:
            pods[write.token] = write.now
    return [
        pod
        for pod in pods.values()
        if pod["spec"].get("nodeName") == node and _patience(pod) and "deletionTimestamp" not in pod["metadata"]
    ]


def _going_at(history: History, token: str, uid: str) -> float:
    for write in history.about(token):
        if write.now is None and write.before and write.before["metadata"]["uid"] == uid:
            return write.at
        if write.now and write.now["metadata"]["uid"] == uid and "deletionTimestamp" in write.now["metadata"]:
            return write.at
    return float("inf")


def _troubles(entries: list[Entry]) -> Iterator[tuple[float, float]]:
    """Give when something was wrong with the control plane, so that nobody can be blamed for being late."""
    begun: dict[str, tuple[float, bool]] = {}
    for entry in entries:
        if entry["kind"] == "fault.started":
            fields = entry["fields"]
            target = f"{fields.get('target', 'control-plane')} "
            is_ours = target.startswith(("control-plane", "system:")) or fields.get("peer") == "workstation"
            begun[fields["id"]] = (entry["at"], is_ours)
        elif entry["kind"] == "fault.ended":
            at, is_ours = begun.pop(entry["fields"]["id"], (0.0, False))
            if is_ours:
                yield at, entry["at"] + EVICTION_SLACK_SECONDS
    yield from ((at, float("inf")) for at, is_ours in begun.values() if is_ours)


# -- containers that end -------------------------------------------------------------------------------------------


def hasty_restarts(entries: Iterable[Entry], starts: Iterable[Start]) -> Iterator[Violation]:
    """Judge the time between a container's starts, by the kubelet that counts them."""
    by_seq = {start.seq: start for start in starts}
    known: dict[tuple[str, str, str], list[float]] = {}
    skewed: set[str] = set()
    for entry in entries:
        kind, fields = entry["kind"], entry["fields"]
        if kind == "process.started" and fields["name"] in ("kubelet", "containerd"):
            for key in [key for key in known if key[0] == fields["host"]]:
                del known[key]
        elif kind in ("fault.started", "fault.ended") and fields.get("name") == "clock-skew":
            skewed.add(fields["target"])
        elif kind == "containerd.started" and entry["seq"] in by_seq:
            start = by_seq[entry["seq"]]
            times = known.setdefault((start.host, start.uid, fields["container"]), [])
            times.append(entry["at"])
            if len(times) < 3 or start.host in skewed:
                continue
            waited = times[-1] - times[-2]
            due = min(BACKOFF_SECONDS[0] * 2 ** (len(times) - 3), BACKOFF_SECONDS[1])
            if waited > BACKOFF_FORGOTTEN_SECONDS:
                del times[:-1]
            elif waited < due - TIMER_SECONDS:
                text = f"{fields['container']} of {start.pod} was started again after {waited:.1f} of {due:.0f} s"
                yield Violation(RESTARTED, text, (entry["seq"],))
