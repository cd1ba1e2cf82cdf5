"""When pods have to leave their node, and how long a container waits to be started again.

    unknown     GRACE_SECONDS after the node was last heard of, as far as the controller had been told
    tainted     unreachable, while it is Unknown
    evicted     when the taints have been there as long as the pod tolerates them, and not much later
    restarted   at once, then after 10 s, 20 s, … 300 s at least, as long as the kubelet lives that counts

After node-lifecycle, taint-eviction and the kubelet's back-off, each by its own clock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.simulate.knowledge import Told
from tests.simulate.placement import DECIDE_SECONDS, covers
from tests.simulate.story import Entry, History, Object, Start, Violation
from tests.simulate.traffic import Exchange

TAINTED = "a node is unreachable only after its grace"
EVICTED = "pods are evicted in their time"
RESTARTED = "restarts back off"
GRACE_SECONDS = 50.0
EVICTION_SLACK_SECONDS = 60.0
TIMER_SECONDS = 0.1
BACKOFF_SECONDS = (10.0, 300.0)
BACKOFF_FORGOTTEN_SECONDS = 600.0
UNREACHABLE = "node.kubernetes.io/unreachable"
NODE_LEASE = "leases/kube-node-lease"


def hasty_taints(
    history: History, told: Told, manager: str = "control-plane/kube-controller-manager"
) -> Iterator[Violation]:
    """Judge each node called Unknown by the last sign of life that the controller had been told of, and its taint."""
    for write in history.of("nodes"):
        name = write.token.rpartition("/")[2]
        if _ready(write.now) == "Unknown" and _ready(write.before) in ("True", "False"):
            floor = told.floor(manager, "leases", write.at - DECIDE_SECONDS)
            signs = [each.at for each in history.about(f"{NODE_LEASE}/{name}") if each.revision <= floor]
            if signs and write.at - signs[-1] < GRACE_SECONDS - TIMER_SECONDS:
                yield Violation(
                    TAINTED, f"{name} was called Unknown {write.at - signs[-1]:.1f} s after it was heard of"
                )
        if _unreachable(write.now) and not _unreachable(write.before) and _ready(write.before) != "Unknown":
            yield Violation(TAINTED, f"{name} was tainted unreachable at {write.revision}, and was not Unknown")


def _ready(node: Object | None) -> str:
    conditions = (node or {}).get("status", {}).get("conditions") or ()
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


def _unreachable(node: Object | None) -> bool:
    taints = (node or {}).get("spec", {}).get("taints") or ()
    return any(taint["key"] == UNREACHABLE and taint["effect"] == "NoExecute" for taint in taints)


@dataclass(frozen=True, slots=True)
class Run:
    """For how long a node had just these NoExecute taints."""

    since: float
    until: float
    node: str
    taints: tuple[tuple[str, str], ...]
    """(key, value)"""

    def patience(self, pod: Object) -> float:
        """Say how long a pod tolerates all of them; 0 when it does not tolerate one."""
        limits = []
        for key, value in self.taints:
            taint = {"key": key, "value": value, "effect": "NoExecute"}
            used = [each for each in pod["spec"].get("tolerations") or () if covers(each, taint)]
            if not used:
                return 0.0
            limits += [float(each["tolerationSeconds"]) for each in used if each.get("tolerationSeconds") is not None]
        return min(limits, default=float("inf"))


def mistimed_evictions(traffic: Iterable[Exchange], entries: list[Entry], history: History) -> Iterator[Violation]:
    """Judge each eviction, and look for those that did not come."""
    broken, runs = list(troubles(entries)), _tainted(history)
    for run in runs:
        for pod in _on_node_at(history, run.node, run.since):
            token = f"pods/{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            due = run.since + run.patience(pod)
            gone = _going_at(history, token, pod["metadata"]["uid"])
            latest = due + EVICTION_SLACK_SECONDS
            if latest < min(run.until, gone) and not any(start < latest and end > run.since for start, end in broken):
                text = f"{token} on {run.node} should have been evicted at {due:.0f} s, and was not by {latest:.0f} s"
                yield Violation(EVICTED, text)
    for one in traffic:
        is_eviction = one.said.agent.endswith("/node-controller") and one.resource == "pods"
        if one.verb == "delete" and one.status == 200 and is_eviction:
            yield from _too_soon(one, history, runs)


def _too_soon(one: Exchange, history: History, runs: list[Run]) -> Iterator[Violation]:
    first = one.at(history)[0]
    if first is None or first.now is None:
        return
    pod = first.now
    mine = [run for run in runs if run.node == pod["spec"].get("nodeName") and run.since <= one.began]
    if not mine:
        yield Violation(EVICTED, f"{one.token} was evicted from a node without a taint", one.seqs)
    elif not any(
        one.began >= _chain(mine, place) + run.patience(pod) - TIMER_SECONDS for place, run in enumerate(mine)
    ):
        waited, patience = one.began - mine[-1].since, mine[-1].patience(pod)
        yield Violation(EVICTED, f"{one.token} was evicted after {waited:.1f} of {patience:.0f} s", one.seqs)


def _chain(runs: list[Run], place: int) -> float:
    """Give since when a node had taints without a break: the counting goes on when one follows another."""
    since = runs[place].since
    for run in reversed(runs[:place]):
        if run.until < since:
            break
        since = run.since
    return since


def _tainted(history: History) -> list[Run]:
    """Give which node had which NoExecute taints for how long, in order of time."""
    runs: list[Run] = []
    begun: dict[str, tuple[float, tuple[tuple[str, str], ...]]] = {}
    for write in history.of("nodes"):
        name = write.token.rpartition("/")[2]
        there = (write.now or {}).get("spec", {}).get("taints") or ()
        taints = tuple(sorted((each["key"], each.get("value", "")) for each in there if each["effect"] == "NoExecute"))
        since, before = begun.get(name, (0.0, ()))
        if taints != before:
            if before:
                runs.append(Run(since, write.at, name, before))
            begun[name] = write.at, taints
    end = history.writes[-1].at if history.writes else 0.0
    runs += [Run(since, end, name, taints) for name, (since, taints) in begun.items() if taints]
    return sorted(runs, key=lambda run: run.since)


def _on_node_at(history: History, node: str, at: float) -> list[Object]:
    """Give the pods that were on a node at a time, and not on their way out."""
    pods: dict[str, Object] = {}
    for write in history.of("pods"):
        if write.at > at:
            break
        if write.now is None:
            pods.pop(write.token, None)
        else:
            pods[write.token] = write.now
    there = (pod for pod in pods.values() if pod["spec"].get("nodeName") == node)
    return [pod for pod in there if "deletionTimestamp" not in pod["metadata"]]


def _going_at(history: History, token: str, uid: str) -> float:
    for write in history.about(token):
        if write.now is None and write.before and write.before["metadata"]["uid"] == uid:
            return write.at
        if write.now and write.now["metadata"]["uid"] == uid and "deletionTimestamp" in write.now["metadata"]:
            return write.at
    return float("inf")


def troubles(entries: list[Entry]) -> Iterator[tuple[float, float]]:
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
        elif kind in ("fault.started", "fault.ended"):  # a component's manifest is taken away and put back
            host, _, program = str(fields.get("target", "")).partition("/")
            for key in [key for key in known if (key[0], key[2]) == (host, program)]:
                del known[key]
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
