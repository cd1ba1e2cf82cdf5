"""What the process of one cluster does: run it, answer what is asked, end with it.

It is forked by the fork server (`fork_server.py`) and speaks only with its worker, over one socket (`process_link.py`).
Its main thread has this loop, the cluster a thread and a loop of its own. It ends when the cluster is told to, breaks,
or cannot be brought back, having said so; at the end of the link it ends without a word, since nobody listens.

Each ping has it look at its memory too: when that has grown by much since garbage was last looked for (`Growth`), it is
looked for now, so that what connections by the thousand leave behind does not count against the cluster's bound.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable
from typing import Any

from cluster_engine import deeds
from cluster_engine.collecting import give_back
from visualizer.hosting import messages, process_link, questions
from visualizer.hosting.black_box import BlackBox
from visualizer.hosting.hosted_cluster import Engine, HostedCluster
from visualizer.hosting.messages import Ask, Reply
from visualizer.hosting.process_link import Begin, LinkLost, Ping, Pong, Question, Replied, Told, Up
from visualizer.hosting.refused import Refused
from visualizer.hosting.watchdog import sample

GROWN_BYTES = 48 * 1024 * 1024


class Growth:
    """What this process holds, looked at now and then."""

    def __init__(self) -> None:
        self._least = _held_bytes()

    def look(self) -> None:
        """Look for garbage if this has grown by half, and by `GROWN_BYTES`, since it held least or this was done."""
        held = _held_bytes()
        self._least = min(self._least, held)
        if held - self._least > max(GROWN_BYTES, self._least // 2):
            give_back()
            self._least = _held_bytes()


def _held_bytes() -> int:
    seen = sample(os.getpid())
    return 0 if seen is None else seen.memory_bytes


class ClusterMain:
    """One cluster and the link to its worker."""

    def __init__(
        self, begin: Begin, engine: Engine, writer: asyncio.StreamWriter, note: BlackBox | None = None
    ) -> None:
        self._writer = writer
        self._gateway_host = begin.gateway_host
        self._life = begin.create.life
        self._ending: asyncio.Future[tuple[str | None, str | None]] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._growth = Growth()
        self.cluster = HostedCluster(
            begin.cluster,
            begin.create,
            engine,
            self._say,
            on_failure=self._failed,
            note=lambda n, act: note.write(n, deeds.title(act)) if note is not None else None,
        )

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Start the cluster and serve it until it ends."""
        self._spawn(self._start())
        reading = asyncio.create_task(self._read(reader))
        reason, successor = await self._ending
        reading.cancel()
        await self.cluster.stop(reason, successor)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(reading, *self._tasks, return_exceptions=True)
        with contextlib.suppress(LinkLost):
            await process_link.drain(self._writer)

    async def _start(self) -> None:
        reason = await self.cluster.start()
        if reason is None:
            await self._write(Up())
        else:
            self._end(reason)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                match await process_link.read(reader, process_link.down):
                    case Ping(n):
                        self._spawn(self._pong(n))
                        self._growth.look()
                    case Question(n, ask):
                        self._serve(n, ask)
        except LinkLost:
            self._end(None)

    def _serve(self, n: int, ask: Ask) -> None:
        match ask.question:
            case messages.Stop(reason, successor):
                self._end(reason, successor)
            case question:
                try:
                    answer = questions.put(self.cluster, question, self._gateway_host)
                except Refused as refusal:
                    answer = _refused(refusal)
                self._spawn(self._answer(n, ask, answer))

    async def _answer(self, n: int, ask: Ask, answer: Awaitable[Any]) -> None:
        reply: Reply = await questions.answered(self.cluster.id, ask, answer)
        await self._write(Replied(n, ask.reply_to, messages.pack(reply)))

    async def _pong(self, n: int) -> None:
        await self.cluster.beat()
        await self._write(Pong(n))

    async def _say(self, message: messages.Told, n: int) -> None:
        await self._write(Told(messages.say(message, self._life, n)))

    async def _write(self, frame: process_link.Upwards) -> None:
        process_link.write(self._writer, frame)
        await process_link.drain(self._writer)

    def _failed(self, reason: str) -> None:
        if self.cluster.started:  # else `start` says so
            self._end(reason)

    def _end(self, reason: str | None, successor: str | None = None) -> None:
        if not self._ending.done():
            self._ending.set_result((reason, successor))

    def _spawn(self, work: Awaitable[None]) -> None:
        async def outermost() -> None:
            with contextlib.suppress(LinkLost):
                await work

        task = asyncio.create_task(outermost())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _refused(refusal: Refused) -> Any:
    raise refusal


async def serve(ends: process_link.Ends, engine: Engine, box: BlackBox | None = None) -> None:
    """Run the cluster that the worker at the other end of a link asks for, to its end."""
    try:
        begin = await process_link.read(ends.reader, process_link.down)
        if not isinstance(begin, Begin):
            raise LinkLost("a cluster begins with Begin")
        await ClusterMain(begin, engine, ends.writer, box).run(ends.reader)
    except LinkLost:
        pass  # it was ended before it began
    finally:
        ends.close()
