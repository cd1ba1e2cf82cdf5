"""What people do is dated so that a run can be done again: real threads at a real pace, for that is the subject."""

import itertools
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import asdict

from cluster_engine import deeds, faults
from cluster_engine.deeds import Command, Deed, Done, Input, Output, Typed
from cluster_engine.run import ReplayDiffersError, Run
from cluster_engine.thread import ClusterEndedError, ClusterSpec, ClusterThread
from cluster_engine.world.pacing import Drift
from cluster_engine.world.work import REAL_EFFORT

NUMBERS = itertools.count(1)
EPOCH = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Ran:
    """A thread, what it told, and its run."""

    def __init__(
        self, past: Sequence[Input] = (), until: float = 0.0, *, paused: bool = True, effort: float = 0.0
    ) -> None:
        self.told: list[Any] = []
        self.entries: list[dict[str, Any]] = []
        self.clocks: list[dict[str, Any]] = []
        self.failures: list[BaseException] = []
        self.run = Run(self.told.append, past=past, until=until, paused=paused)
        spec = ClusterSpec(nodes=2, seed=3, pace=20.0, epoch=EPOCH, effort=effort, secret=b"of this run")
        self.thread = ClusterThread(
            spec,
            on_entries=self.entries.extend,
            on_clock=self.clocks.append,
            on_failure=self.failures.append,
            run=self.run,
        )

    def start(self) -> "Ran":
        self.thread.start().result(60)
        return self

    def stop(self) -> None:
        self.thread.stop().result(60)

    def put(self, deed: Deed) -> Any:
        return self.thread.put(deed).result(60)

    def journal(self) -> list[tuple[Any, ...]]:
        return [tuple(one[key] for key in ("seq", "kind", "from", "to", "label", "arrived")) for one in self.entries]

    def codes(self) -> list[int]:
        return [one.code for one in self.told if isinstance(one, Done)]

    def now(self) -> float:
        return self.thread.clock().result(60)["now"]


def typed(line: str, identifier: str = "") -> Command:
    return Command(identifier or f"k{next(NUMBERS)}", line)


def real(condition) -> None:
    """Wait, in real time, for what must come true."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_machine_that_joined_by_a_pasted_line_is_there_again_when_the_run_is_done_again():
    first = Ran(effort=REAL_EFFORT).start()

    def done(line: str) -> str:
        number = len(first.told)
        first.put(typed(line))
        real(lambda: any(isinstance(one, Done) for one in first.told[number:]))
        return "".join(one.text for one in first.told[number:] if isinstance(one, Output))

    done("machines add")
    pasted = done("ssh control-plane kubeadm token create --print-join-command").strip()
    assert "This node has joined the cluster" in done(f"ssh worker-3 {pasted}")
    first.put(deeds.Inject({"name": "power-off", "target": "worker-3"}))
    assert "worker-3" in done("kubectl get nodes")
    until = first.now()
    first.stop()
    again = Ran(first.run.inputs, until, effort=REAL_EFFORT).start()
    again.stop()
    count = len(again.entries)
    assert again.journal() == first.journal()[:count]
    assert set(again.codes()) == {0}
    lanes = {entry["from"] for entry in again.entries if entry["kind"] == "process.started"}
    assert {"worker-3/containerd", "worker-3/kubelet", "worker-3/kube-proxy"} <= lanes


@pytest.mark.parametrize("effort", [0.0, REAL_EFFORT])
def test_a_run_at_pace_is_done_again_entry_by_entry_from_its_inputs(effort):
    first = Ran(effort=effort).start()
    started = first.now()
    assert first.put(typed("kubectl create deployment web --image=nginx --replicas=3")) == {}
    real(lambda: first.now() > started + 1)
    first.put(typed("kubectl get pods"))
    first.put(typed("kubectl get nodes"))
    real(lambda: first.now() > started + 3)
    fault = first.put(deeds.Inject({"name": "power-off", "target": "worker-2"}))["fault"]
    real(lambda: first.now() > started + 50)
    first.put(deeds.Pace(3.0))
    first.put(typed("kubectl delete deployment web"))
    real(lambda: first.now() > started + 51)
    first.put(deeds.Step())
    first.put(deeds.Heal(fault))
    first.put(deeds.Step())
    first.put(typed("kubectl get pods -o wide"))
    first.put(deeds.Resume())
    first.put(deeds.Pace(60.0))
    real(lambda: first.now() > started + 80)
    until = first.now()
    first.stop()
    again = Ran(first.run.inputs, until, effort=effort).start()
    assert again.clocks[-1] == {"now": until, "pace": 20.0, "paused": True, **asdict(Drift())}
    again.stop()
    assert again.run.inputs == first.run.inputs
    assert [one for one in first.told if isinstance(one, Input)] == first.run.inputs
    assert not [one for one in again.told if isinstance(one, Input)]
    assert len({one.at for one in first.run.inputs}) > 4
    count = len(again.entries)
    assert count > 1000
    assert again.journal() == first.journal()[:count]
    assert all(entry["arrived"] >= until for entry in first.entries[count:])
    assert again.codes() == first.codes()[: len(again.codes())]


def test_after_a_replay_the_run_goes_on_and_counts_on():
    again = Ran([Input(1, 20.0, typed("kubectl get nodes"))], 21.0, paused=False).start()
    assert [type(one) for one in again.told] == [Typed, Output, Done]
    assert again.put(typed("kubectl get nodes", "k2")) == {}
    assert [one.n for one in again.told if isinstance(one, Input)] == [2]
    assert again.run.inputs[0].at == 20.0
    assert again.run.inputs[1].at >= 21.0
    again.stop()


@pytest.mark.parametrize("until", [math.nextafter(4.3, 5), 4.3000000049, 4.30000001])
def test_a_replay_ends_also_at_a_time_that_the_clock_cannot_have(until):
    ran = Ran([], until).start()
    assert until <= ran.now() < until + 1e-7
    ran.stop()


def test_a_replay_that_cannot_be_as_it_was_says_so():
    late, refused = Input(1, 0.0, typed("kubectl get nodes")), Input(1, 20.0, deeds.Inject({}))
    for past, words in ((late, "has not been taken"), (refused, "refused")):
        again = Ran([past], 21.0)
        with pytest.raises(ReplayDiffersError, match=words):
            again.start()
        again.stop()


def test_what_is_refused_is_not_told():
    ran = Ran().start()
    with pytest.raises(faults.FaultError, match="no fault"):
        ran.put(deeds.Inject({"name": "earthquake"}))
    with pytest.raises(LookupError, match="over already"):
        ran.put(deeds.Heal("fault-1"))
    assert (ran.told, ran.run.inputs) == ([], [])
    ran.stop()
    for deed in (typed("kubectl get nodes"), deeds.Pause()):
        with pytest.raises(ClusterEndedError, match="not running"):
            ran.put(deed)


def test_a_cluster_is_stopped_in_the_middle_of_a_replay():
    again = Ran([Input(1, 20.0, typed("kubectl get nodes"))], 1e9)
    started = again.thread.start()
    real(lambda: again.run.inputs)
    again.stop()
    with pytest.raises(ClusterEndedError, match="before it was up"):
        started.result(10)


def test_a_bug_of_ours_in_what_was_asked_for_does_not_pass_as_a_refusal(monkeypatch):
    def broken(*_, **__):
        raise KeyError("a mistake")

    ran = Ran([], 1.0).start()
    monkeypatch.setattr("cluster_engine.injections.Injections.heal_all", broken)
    with pytest.raises(KeyError, match="a mistake"):
        ran.put(deeds.Heal())
    real(lambda: ran.failures)
    assert "a mistake" in str(ran.failures[0])
    ran.stop()
