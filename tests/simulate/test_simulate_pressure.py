"""Pods that a kubelet ends for want of something, made up: each invariant goes red, and only on what is wrong."""

from datetime import UTC, datetime, timedelta

from tests.simulate import pressure as p
from tests.simulate.plan import LONG_SECONDS, PRESSURE_EVERY, draw
from tests.simulate.story import History, Write

BEGUN = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)


def node(at, since=None, *, before=None):
    """Say that the node has been short of memory since then; None: that it is not."""
    status = {"type": "MemoryPressure", "status": "False" if since is None else "True"}
    status["lastTransitionTime"] = (BEGUN + timedelta(seconds=at if since is None else since)).isoformat()
    return Write(int(at), "/registry/minions/worker-1", before and before.now, {"status": {"conditions": [status]}}, at)


def evicted(at):
    status = {"reason": "Evicted", "message": f"{p.LOW}memory. Threshold quantity: 100Mi"}
    pod = {"spec": {"nodeName": "worker-1"}, "status": status}
    return Write(int(at), "/registry/pods/default/web-0", {"status": {}}, pod, at)


def broken(name, at):
    return {"kind": "fault.started", "at": at, "from": "workstation/terminal", "fields": {"name": name}}


def found(*writes, entries=()):
    return {one.invariant for one in p.mistold(entries, History(writes))}


WELL = node(1)
SHORT = node(20, 20, before=WELL)


def test_a_pod_is_evicted_only_where_the_node_says_why():
    assert found(WELL, SHORT, evicted(20)) == set()
    assert found(WELL, evicted(20), node(40, 40, before=WELL)) == set(), "within a moment"
    assert found(WELL, evicted(20)) == {p.EVICTED}
    assert found(WELL, evicted(20), node(60, 60, before=WELL)) == {p.EVICTED}
    assert found(WELL, evicted(20), entries=[broken("pressure", 10.0)]) == {p.EVICTED}
    assert found(WELL, evicted(20), entries=[broken("partition", 10.0)]) == set(), "it may not have come through"


def test_pressure_is_told_of_for_five_minutes_while_its_kubelet_lives():
    assert found(WELL, SHORT, node(330, before=SHORT)) == set()
    assert found(WELL, SHORT, node(200, before=SHORT)) == {p.EASED}
    started = {"kind": "process.started", "at": 100.0, "from": "worker-1/kubelet", "fields": {}}
    assert found(WELL, SHORT, node(200, before=SHORT), entries=[started]) == set()
    assert found(WELL, SHORT, node(200, before=SHORT), entries=[{**started, "from": "worker-2/kubelet"}]) == {p.EASED}


def test_a_plan_outlasts_the_pressure_that_is_drawn():
    drawn = [one for seed in range(0, 100, PRESSURE_EVERY) for one in draw(seed).faults if one.name == "pressure"]
    assert len(drawn) == 100 / PRESSURE_EVERY
    assert all(one.end is not None and one.end + p.TRANSITION_SECONDS + 10.0 < LONG_SECONDS for one in drawn)
