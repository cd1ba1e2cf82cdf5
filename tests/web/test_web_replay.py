"""A lesson on the real engine, done again from its inputs: the same journal, and the lesson stands where it stood."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from web_processes import OwnProcesses
from web_until import until

from cluster_engine import deeds
from cluster_engine.deeds import Advance, Answer, Command, Done, Inject, Input, Output, Typed
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, decode
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.clusters import Clusters
from visualizer.hosting.engines import REAL, load_engine
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Clock, Create, Lesson, State
from visualizer.hosting.refused import Refused
from visualizer.hosting.worker import Worker
from visualizer.lessons import library

pytestmark = pytest.mark.asyncio
MUTUAL_TLS = "walkthroughs/mutual-tls"


class Heard:
    """Everything that a cluster's stream says."""

    def __init__(self, bus: EmbeddedBus, cluster: str) -> None:
        self.told: list[Any] = []
        self._task = asyncio.create_task(self._listen(bus, cluster))

    async def _listen(self, bus: EmbeddedBus, cluster: str) -> None:
        async with contextlib.aclosing(bus.follow(f"cluster:{cluster}")) as stream:
            async for frames in stream:
                self.told += messages.Reader().read(frames)

    def all(self, kind: type) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    def lesson(self) -> dict[str, Any]:
        return self.all(Lesson)[-1].state if self.all(Lesson) else {"ready": False, "busy": True, "beat": None}

    def journal(self) -> list[tuple[Any, ...]]:
        keys = ("seq", "kind", "from", "to", "label", "arrived")
        return [tuple(one[key] for key in keys) for batch in self.all(Batch) for one in decode(batch)]

    def state(self) -> str:
        return self.all(State)[-1].state if self.all(State) else ""

    def close(self) -> None:
        self._task.cancel()


@pytest_asyncio.fixture
async def real():
    bus = EmbeddedBus(stream_messages_max=100_000)
    worker = Worker("w1", bus, OwnProcesses(load_engine(REAL)))
    mailbox = Mailbox(bus)
    running = [asyncio.create_task(worker.run()), asyncio.create_task(mailbox.run())]
    await until(lambda: bus.holder("worker:w1"))
    made = Clusters(bus, mailbox)
    made.bus = bus
    yield made
    await worker.stop("server-stopped")
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_lesson_comes_back_where_it_stood_with_the_same_journal(real, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.bus.STREAM_BYTES_MAX", 2**30)
    create = Create(nodes=1, seed=5, lesson=MUTUAL_TLS, epoch=1767268800.25)
    await real.place("a", create)
    first = Heard(real.bus, "a")
    await until(lambda: first.state() == "running" and first.lesson()["ready"], seconds=60)
    beats = [beat.id for beat in library.find(MUTUAL_TLS).beats]
    for beat in beats[:3]:
        await real.ask("a", Advance(beat))
        await until(lambda beat=beat: first.lesson()["beat"] == beat and not first.lesson()["busy"], seconds=60)
    with pytest.raises(Refused):
        await real.ask("a", Advance("nowhere"))
    question = next(one for one in library.find(MUTUAL_TLS).questions if one.kind == "choice")
    await real.ask("a", Answer(question.id, question.options[0]))
    await real.ask("a", deeds.Resume())
    await real.ask("a", Inject({"name": "restart", "target": "worker-1/kubelet"}))
    await real.ask("a", Command("c1", "kubectl get nodes"))
    await until(lambda: any(done.id == "c1" for done in first.all(Done)), seconds=60)
    await real.ask("a", deeds.Pause())
    await real.ask("a", messages.Stop("idle"))
    await until(lambda: first.state() == "suspended")
    inputs, clock = first.all(Input), first.all(Clock)[-1]
    assert [type(one.act) for one in inputs] == [Advance, Advance, Advance, Answer, Inject, Command]
    (whoami,) = (one for one in first.all(Typed) if one.by == "lesson")
    assert (whoami.id, whoami.line) == ("lesson-1", "kubectl auth whoami")
    assert "kubernetes-admin" in "".join(one.text for one in first.all(Output) if one.id == whoami.id)
    assert [one.code for one in first.all(Done) if one.id == whoami.id] == [0]
    journal = first.journal()
    await real.place("b", msgspec.structs.replace(create, inputs=inputs, until=clock.now, paused=True))
    second = Heard(real.bus, "b")
    await until(lambda: second.state() == "running", seconds=60)
    assert second.journal() == journal
    assert len(journal) > 300
    await until(lambda: second.lesson() == first.lesson())  # the newest is told in its place: behind the state
    await until(lambda: second.all(Clock) and second.all(Clock)[-1].paused)
    assert second.all(Input) == []
    assert (second.all(Clock)[-1].now, second.all(Clock)[-1].paused) == (clock.now, True)
    for heard in (first, second):
        heard.close()
