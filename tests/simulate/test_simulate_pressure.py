"""Nodes that run short of something, made up: each invariant goes red, and only on what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from cluster_engine.faults import read
from tests.simulate import pressure as p
from tests.simulate.judge import judge
from tests.simulate.plan import Plan, Typed
from tests.simulate.play import play
from tests.simulate.story import History, Start, Write

BEGUN = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
TAINT = {"key": p.TAINTS["MemoryPressure"], "effect": "NoSchedule"}


def date(at):
    return (BEGUN + timedelta(seconds=at)).isoformat()


def node(at, since=None, *, before=None, taints=(), type_="MemoryPressure"):
    """Say that the node has been short of memory since then; None: that it is not."""
    status = {"type": type_, "status": "False" if since is None else "True"}
    status["lastTransitionTime"] = date(at if since is None else since)
    now = {"spec": {"taints": list(taints)}, "status": {"conditions": [status]}}
    return Write(int(at), "/registry/minions/worker-1", before and before.now, now, at)


def pod(name, at, *, before=None, memory="", status=None, **spec):
    """Write a pod on worker-1 that runs."""
    container = {"name": "it", **({"resources": {"requests": {"memory": memory}}} if memory else {})}
    metadata = {"name": name, "uid": f"uid-of-{name}"}
    spec = {"nodeName": "worker-1", "containers": [container], **spec}
    now = {"metadata": metadata, "spec": spec, "status": status or {"phase": "Running"}}
    return Write(int(at), f"/registry/pods/default/{name}", before and before.now, now, at)


def evicted(at, name="web-0", **more):
    status = {"phase": "Failed", "reason": "Evicted", "message": f"{p.LOW}memory. Threshold quantity: 100Mi"}
    return pod(name, at, status=status, **more)


def event(at, name):
    said = {"reason": "Evicted", "message": f"{p.LOW}memory. ", "source": {"host": "worker-1"}}
    now = {**said, "involvedObject": {"name": name}, "firstTimestamp": date(at)}
    return Write(int(at), f"/registry/events/default/{name}.{at}", None, now, at)


def broken(name, at, target="control-plane", **more):
    fields = {"id": f"{name} {at}", "name": name, "target": target, **more}
    return {"kind": "fault.started", "at": at, "from": "workstation/terminal", "fields": fields}


def started(at, host="worker-1"):
    return {"kind": "process.started", "at": at, "from": f"{host}/kubelet", "fields": {}}


def container(seq, at):
    return {"kind": "containerd.started", "seq": seq, "at": at, "from": "worker-1/containerd", "fields": {}}


def found(*writes, entries=(), starts=()):
    return {one.invariant for one in p.mistold(entries, History(writes), starts)}


WELL = node(1)
SHORT = node(20, 20, before=WELL)
TAINTED = node(21, 20, before=SHORT, taints=[TAINT])
TAKEN = broken("pressure", 10.0, "worker-1", resource="memory")


def test_a_pod_is_evicted_only_where_the_node_says_why():
    assert found(WELL, SHORT, TAINTED, evicted(22)) == set()
    later = node(40, 40, before=WELL)
    assert found(WELL, evicted(20), later, node(41, 40, before=later, taints=[TAINT])) == set(), "within a moment"
    assert found(WELL, evicted(20)) == {p.EVICTED}
    assert found(WELL, evicted(20), node(60, before=WELL)) == {p.EVICTED}


@pytest.mark.parametrize(
    ("fault", "may"),
    [
        (broken("pressure", 10.0, "worker-1"), False),
        (broken("stop", 10.0, "worker-2/kubelet"), False),
        (broken("partition", 10.0, "worker-2", peer="control-plane"), False),
        (broken("latency", 10.0, "worker-1", peer="workstation"), False),
        (broken("partition", 10.0, "worker-1", peer="control-plane"), True),
        (broken("stop", 10.0, "worker-1/kubelet"), True),
        (broken("stop", 10.0, "control-plane/etcd"), True),
        (broken("node-name-taken", 10.0, "worker-2", peer="worker-1"), True),
        (broken("request-refused", 10.0, "all"), True),
        ({**broken("", 10.0), "fields": {"id": "fault-1", "sealed": True}}, True),
    ],
)
def test_what_a_node_says_may_be_late_once_something_was_broken_between_it_and_the_control_plane(fault, may):
    assert found(WELL, evicted(20), entries=[fault]) == (set() if may else {p.EVICTED})


def test_a_node_whose_memory_was_taken_says_so_and_is_tainted():
    assert found(WELL, SHORT, TAINTED, entries=[TAKEN]) == set()
    assert found(WELL, entries=[TAKEN]) == {p.TOLD}
    assert found(WELL, SHORT, entries=[TAKEN]) == {p.TAINTED}
    assert found(WELL, node(21, before=WELL, taints=[TAINT])) == {p.TAINTED}
    ended = {**TAKEN, "kind": "fault.ended", "at": 15.0}
    assert found(WELL, entries=[TAKEN, ended]) == set(), "nobody has looked"


def test_pods_are_evicted_one_at_a_look_and_critical_ones_never():
    assert found(WELL, SHORT, TAINTED, event(22, "web-0"), event(32, "web-1")) == set()
    assert found(WELL, SHORT, TAINTED, event(22, "web-0"), event(23, "web-1")) == {p.ORDER}
    assert found(WELL, SHORT, TAINTED, evicted(22, priority=2_000_000_000)) == {p.ORDER}


def test_whoever_asked_for_memory_goes_after_those_that_did_not():
    modest, plain = pod("modest-0", 3, memory="64Mi"), pod("web-0", 4)
    news = (WELL, modest, plain, SHORT, TAINTED)
    assert found(*news, evicted(25, before=plain), evicted(40, "modest-0", before=modest, memory="64Mi")) == set()
    assert found(*news, evicted(25, "modest-0", before=modest, memory="64Mi")) == {p.ORDER}
    late = pod("web-0", 22)
    assert found(*news[:2], *news[3:], late, evicted(25, "modest-0", before=modest, memory="64Mi")) == set()


@pytest.mark.parametrize(
    ("at", "type_", "more", "may"),
    [
        (30, "MemoryPressure", {}, False),
        (30, "MemoryPressure", {"memory": "64Mi"}, True),
        (30, "MemoryPressure", {"tolerations": [{**TAINT, "operator": "Exists"}]}, True),
        (30, "MemoryPressure", {"priority": 2_000_000_000}, True),
        (30, "DiskPressure", {"memory": "64Mi"}, False),
        (30, "DiskPressure", {"tolerations": [{"operator": "Exists"}]}, False),
        (15, "DiskPressure", {}, True),
        (300, "DiskPressure", {}, True),
    ],
)
def test_what_is_bound_to_a_node_that_says_that_it_is_short_does_not_begin(at, type_, more, may):
    well = node(1, type_=type_)
    short = node(20, 20, before=well, type_=type_)
    tainted = node(21, 20, before=short, type_=type_, taints=[{**TAINT, "key": p.TAINTS[type_]}])
    eased = node(325, before=tainted, type_=type_)
    writes = sorted([well, short, tainted, eased, pod("web-0", at, **more)], key=lambda one: one.at)
    starts = [Start(7, "worker-1", "default/web-0", "uid-of-web-0")]
    entries = [container(7, at + 5.0)]
    assert found(*writes, entries=entries, starts=starts) == (set() if may else {p.ADMITTED})
    anew = [started(at + 1.0), *entries]
    assert found(*writes, entries=anew, starts=starts) == set(), "it has not looked yet"


def test_pressure_is_told_of_for_five_minutes_while_its_kubelet_lives():
    assert found(WELL, SHORT, TAINTED, node(330, before=TAINTED)) == set()
    assert found(WELL, SHORT, TAINTED, node(200, before=TAINTED)) == {p.EASED}
    assert found(WELL, SHORT, TAINTED, node(200, before=TAINTED), entries=[started(100.0)]) == set()
    assert found(WELL, SHORT, TAINTED, node(200, before=TAINTED), entries=[started(100.0, "worker-2")]) == {p.EASED}


def test_a_cluster_rests_once_no_node_says_any_more_that_it_is_short_of_something():
    typed = (Typed(0.5, "kubectl create deployment web --image=nginx --replicas=2"),)
    taken = read({"name": "pressure", "target": "worker-1", "resource": "memory", "start": 4.0})
    story = play(Plan(1, 1, 30.0, typed, (taken,)))
    assert judge(story) == []
    pods = [write.now for write in story.history.of("pods") if write.now is not None]
    assert len({pod["metadata"]["name"] for pod in pods if pod["status"].get("reason") == "Evicted"}) == 2
    assert story.seconds > 330.0
