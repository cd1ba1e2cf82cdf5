"""What people do is dated so that a run can be done again: real threads at a real pace, for that is the subject."""

import contextvars
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from cluster_engine import faults
from cluster_engine.inputs import Past, ReplayDiffersError
from cluster_engine.thread import ClusterEndedError, ClusterSpec, ClusterThread
from cluster_engine.world.pacing import Drift

EPOCH = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Script:
    """Commands, faults and healing, by documents; `log` says what was taken when."""

    def __init__(self, past: Sequence[Past] = (), until: float = 0.0, *, paused: bool = True) -> None:
        self.past, self.until, self.paused = past, until, paused
        self.log: list[Past] = []
        self.codes: list[int] = []

    async def begin(self, cluster: Any) -> None:
        pass

    def replayed(self) -> None:
        self.went_live_after = len(self.log)

    def perform(self, cluster: Any, document: dict[str, Any]) -> Any:
        match document:
            case {"command": line}:
                cluster.loop.create_task(self._command(cluster, line), context=contextvars.Context())
                return "typed"
            case {"fault": record}:
                return cluster.inject(faults.read(record))
            case {"heal": fault}:
                return cluster.heal(fault)
        raise ValueError("nobody knows what that means")

    async def _command(self, cluster: Any, line: str) -> None:
        self.codes.append(await cluster.command(line, lambda *_: None))

    def taken(self, n: int, at: float, document: dict[str, Any]) -> None:
        assert n == len(self.log) + 1
        self.log.append((at, document))


class Ran:
    """A thread, what it told, and its script."""

    def __init__(self, script: Script, pace: float = 20.0) -> None:
        self.script, self.entries, self.clocks = script, [], []
        spec = ClusterSpec(nodes=2, seed=3, pace=pace, epoch=EPOCH)
        self.thread = ClusterThread(spec, on_entries=self.entries.extend, on_clock=self.clocks.append, run=script)

    def start(self) -> "Ran":
        self.thread.start().result(60)
        return self

    def stop(self) -> None:
        self.thread.stop().result(60)

    def put(self, document: dict[str, Any]) -> Any:
        return self.thread.put(document).result(60)

    def journal(self) -> list[tuple[Any, ...]]:
        return [tuple(one[key] for key in ("seq", "kind", "from", "to", "label", "arrived")) for one in self.entries]

    def now(self) -> float:
        return self.thread.clock().result(60)["now"]


def real(condition) -> None:
    """Wait, in real time, for what must come true."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_run_at_pace_is_done_again_entry_by_entry_from_its_inputs():
    first = Ran(Script()).start()
    started = first.now()
    assert first.put({"command": "kubectl create deployment web --image=nginx --replicas=3"}) == "typed"
    real(lambda: first.now() > started + 1)
    first.put({"command": "kubectl get pods"})
    first.put({"command": "kubectl get nodes"})
    real(lambda: first.now() > started + 3)
    fault = first.put({"fault": {"name": "power-off", "target": "worker-2"}})
    real(lambda: first.now() > started + 50)
    first.thread.set_pace(3.0).result(10)
    first.put({"command": "kubectl delete deployment web"})
    real(lambda: first.now() > started + 51)
    first.thread.step().result(10)
    first.put({"heal": fault})
    first.thread.step().result(10)
    first.put({"command": "kubectl get pods -o wide"})
    first.thread.resume().result(10)
    first.thread.set_pace(60.0).result(10)
    real(lambda: first.now() > started + 80)
    until = first.now()
    first.stop()
    again = Ran(Script(first.script.log, until)).start()
    assert again.clocks[-1] == {"now": until, "pace": 20.0, "paused": True, **asdict(Drift())}
    again.stop()
    assert again.script.log == first.script.log
    assert len({at for at, _ in first.script.log}) > 4
    count = len(again.entries)
    assert count > 1000
    assert again.journal() == first.journal()[:count]
    assert all(entry["arrived"] >= until for entry in first.entries[count:])
    assert again.script.codes == first.script.codes[: len(again.script.codes)]


def test_after_a_replay_the_run_goes_on_and_counts_on():
    again = Ran(Script([(20.0, {"command": "kubectl get nodes"})], 21.0, paused=False)).start()
    assert again.put({"command": "kubectl get nodes"}) == "typed"
    assert again.script.log[0][0] == 20.0
    assert (again.script.went_live_after, len(again.script.log)) == (1, 2)
    assert again.script.log[1][0] >= 21.0
    again.stop()


@pytest.mark.parametrize("until", [math.nextafter(4.3, 5), 4.3000000049, 4.30000001])
def test_a_replay_ends_also_at_a_time_that_the_clock_cannot_have(until):
    ran = Ran(Script([], until)).start()
    assert until <= ran.now() < until + 1e-7
    ran.stop()


def test_a_replay_that_cannot_be_as_it_was_says_so():
    for past, words in (((0.0, {"command": "kubectl get nodes"}), "has not been taken"), ((20.0, {}), "refused")):
        again = Ran(Script([past], 21.0))
        with pytest.raises(ReplayDiffersError, match=words):
            again.start()
        again.stop()


def test_what_is_refused_is_not_told():
    ran = Ran(Script()).start()
    with pytest.raises(faults.FaultError, match="no fault"):
        ran.put({"fault": {"name": "earthquake"}})
    assert ran.script.log == []
    ran.stop()
    with pytest.raises(RuntimeError, match="not running"):
        ran.put({"command": "kubectl get nodes"})


def test_a_cluster_is_stopped_in_the_middle_of_a_replay():
    again = Ran(Script([(20.0, {"command": "kubectl get nodes"})], 1e9))
    started = again.thread.start()
    real(lambda: again.script.log)
    again.stop()
    with pytest.raises(ClusterEndedError, match="before it was up"):
        started.result(10)
