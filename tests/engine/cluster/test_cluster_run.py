"""What people do is dated so that a run can be done again: real threads at a real pace, for that is the subject."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import asdict
from patience import PATIENCE_SECONDS, until
from recent import EPOCH

from cluster_engine import deeds, faults
from cluster_engine.deeds import Command, Deed, Done, FromOutside, Input, Output, Typed
from cluster_engine.run import ReplayDiffersError, Run
from cluster_engine.thread import ClusterEndedError, ClusterSpec, ClusterThread
from cluster_engine.world.gateway import DOOR_LATENCY_SECONDS
from cluster_engine.world.pacing import Drift
from cluster_engine.world.work import REAL_EFFORT

NUMBERS = itertools.count(1)
BEGUN = EPOCH.replace(microsecond=123456)


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
        spec = ClusterSpec(nodes=2, seed=3, pace=20.0, epoch=BEGUN, effort=effort, secret=b"of this run")
        self.thread = ClusterThread(
            spec,
            on_entries=self.entries.extend,
            on_clock=self.clocks.append,
            on_failure=self.failures.append,
            run=self.run,
        )

    def start(self) -> "Ran":
        self.thread.start().result(PATIENCE_SECONDS)
        return self

    def stop_later(self) -> float:
        """Stop, though not before an instant is over; give its time, up to which this can be done again."""
        then = self.now()
        until(lambda: self.now() > then)
        self.stop()
        return then

    def stop(self) -> None:
        self.thread.stop().result(PATIENCE_SECONDS)

    def put(self, deed: Deed) -> Any:
        return self.thread.put(deed).result(PATIENCE_SECONDS)

    def journal(self) -> list[tuple[Any, ...]]:
        return [tuple(one[key] for key in ("seq", "kind", "from", "to", "label", "arrived")) for one in self.entries]

    def codes(self) -> list[int]:
        return [one.code for one in self.told if isinstance(one, Done)]

    def now(self) -> float:
        return self.thread.clock().result(PATIENCE_SECONDS)["now"]


def typed(line: str, identifier: str = "") -> Command:
    return Command(identifier or f"k{next(NUMBERS)}", line)


def test_a_machine_that_joined_by_a_pasted_line_is_there_again_when_the_run_is_done_again():
    first = Ran(effort=REAL_EFFORT).start()

    def done(line: str) -> str:
        number = len(first.told)
        first.put(typed(line))
        until(lambda: any(isinstance(one, Done) for one in first.told[number:]))
        return "".join(one.text for one in first.told[number:] if isinstance(one, Output))

    done("machines add")
    pasted = done("ssh control-plane kubeadm token create --print-join-command").strip()
    assert "This node has joined the cluster" in done(f"ssh worker-3 {pasted}")
    first.put(deeds.Inject({"name": "power-off", "target": "worker-3"}))
    assert "worker-3" in done("kubectl get nodes")
    end = first.stop_later()
    again = Ran(first.run.inputs, end, effort=REAL_EFFORT).start()
    again.stop()
    count = len(again.entries)
    assert again.journal() == first.journal()[:count]
    assert set(again.codes()) == {0}
    lanes = {entry["from"] for entry in again.entries if entry["kind"] == "process.started"}
    assert {"worker-3/containerd", "worker-3/kubelet", "worker-3/kube-proxy"} <= lanes


@pytest.mark.parametrize("effort", [0.0, REAL_EFFORT])
@pytest.mark.long
def test_a_run_at_pace_is_done_again_entry_by_entry_from_its_inputs(effort):
    first = Ran(effort=effort).start()
    started = first.now()
    assert first.put(typed("kubectl create deployment web --image=nginx --replicas=3")) == {}
    until(lambda: first.now() > started + 1)
    first.put(typed("kubectl get pods"))
    first.put(typed("kubectl get nodes"))
    until(lambda: first.now() > started + 3)
    fault = first.put(deeds.Inject({"name": "power-off", "target": "worker-2"}))["fault"]
    until(lambda: first.now() > started + 50)
    first.put(deeds.Pace(3.0))
    first.put(typed("kubectl delete deployment web"))
    until(lambda: first.now() > started + 51)
    first.put(deeds.Step())
    first.put(deeds.Heal(fault))
    first.put(deeds.Step())
    first.put(typed("kubectl get pods -o wide"))
    first.put(deeds.Resume())
    first.put(deeds.Pace(60.0))
    until(lambda: first.now() > started + 80)
    end = first.stop_later()
    again = Ran(first.run.inputs, end, effort=effort).start()
    assert again.clocks[-1] == {"now": end, "pace": 20.0, "paused": True, **asdict(Drift())}
    again.stop()
    assert again.run.inputs == first.run.inputs
    assert [one for one in first.told if isinstance(one, Input)] == first.run.inputs
    assert not [one for one in again.told if isinstance(one, Input)]
    assert len({one.at for one in first.run.inputs}) > 4
    count = len(again.entries)
    assert count > 1000
    assert again.journal() == first.journal()[:count]
    assert all(entry["arrived"] >= end for entry in first.entries[count:])
    assert again.codes() == first.codes()[: len(again.codes())]


def test_a_branch_has_the_journal_of_its_parent_up_to_an_instant_and_then_its_own():
    parent = Ran(effort=REAL_EFFORT).start()
    parent.put(typed("kubectl create deployment web --image=nginx --replicas=3"))

    def bindings():
        return [one for one in parent.entries if one["label"].startswith("POST") and "binding" in one["label"]]

    rollout = until(bindings)[0]
    until(lambda: parent.now() > rollout["arrived"])
    parent.put(typed("kubectl scale deployment web --replicas=5"))
    until(lambda: len(parent.codes()) == 2)
    parent.stop()
    inputs = deeds.taken_before(parent.run.inputs, rollout["seq"], rollout["arrived"])
    assert [one.act.line.split()[1] for one in inputs] == ["create"]
    branch = Ran(inputs, rollout["arrived"], effort=REAL_EFFORT).start()
    head = len(branch.entries)
    assert head >= rollout["seq"]
    assert branch.journal() == parent.journal()[:head]
    assert branch.entries[-1]["arrived"] == rollout["arrived"]
    assert parent.entries[head]["arrived"] > rollout["arrived"]
    branch.put(typed("kubectl delete deployment web"))
    branch.put(deeds.Step())
    branch.stop()
    assert branch.journal()[head:] != parent.journal()[head : len(branch.entries)]


@pytest.mark.long
def test_of_what_is_done_at_one_instant_a_branch_takes_what_came_before_its_entry():
    parent = Ran().start()
    parent.put(deeds.Pause())
    for line in ("echo one", "echo two", "echo three"):
        parent.put(typed(line))
    until(lambda: len(parent.codes()) == 3)
    parent.stop()
    inputs = parent.run.inputs
    assert len({one.at for one in inputs}) == 1
    begun = [one["seq"] for one in parent.entries if one["kind"] == "command.started"]
    for number, seq in enumerate(begun, 1):
        before = deeds.taken_before(inputs, seq, inputs[0].at)
        assert before == inputs[:number]
        branch = Ran(before, inputs[0].at).start()
        branch.stop()
        assert branch.journal() == parent.journal()[: len(branch.entries)]
        assert sum(one["kind"] == "command.started" for one in branch.entries) == number
    assert deeds.taken_before(inputs, begun[0] - 1, inputs[0].at) == []


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
    until(lambda: again.run.inputs)
    again.stop()
    with pytest.raises(ClusterEndedError, match="before it was up"):
        started.result(PATIENCE_SECONDS)


def test_a_bug_of_ours_in_what_was_asked_for_does_not_pass_as_a_refusal(monkeypatch):
    def broken(*_, **__):
        raise KeyError("a mistake")

    ran = Ran([], 1.0).start()
    monkeypatch.setattr("cluster_engine.injections.Injections.heal_all", broken)
    with pytest.raises(KeyError, match="a mistake"):
        ran.put(deeds.Heal())
    until(lambda: ran.failures)
    assert "a mistake" in str(ran.failures[0])
    ran.stop()


ASKED = b"GET /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: kubernetes\r\n\r\n"


def test_a_client_from_outside_that_leaves_with_its_answer_has_it_again_when_the_run_is_done_again():
    ask = FromOutside("said", 1, ASKED, "http/1.1", admin=True)
    acts = {60.0: FromOutside("opened"), 60.1: FromOutside("connected", 1), 60.2: ask}
    past = [Input(number, at, act) for number, (at, act) in enumerate(acts.items(), start=1)]

    def answers(past):
        ran = Ran(past, 61.0).start()
        ran.stop()
        return [one["arrived"] for one in ran.entries if (one["to"], one["label"]) == ("outside/client", "200 OK")]

    (answered,) = answers(past)
    had_it = answered - 5 * DOOR_LATENCY_SECONDS  # what it said is kept as of when the server had read it
    assert answers([*past, Input(4, had_it, FromOutside("left", 1))]) == [answered]
