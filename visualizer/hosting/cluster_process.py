"""One cluster as its worker sees it: a process that is told things, says things, and may have to be ended.

The worker holds the lease of this life of the cluster and gives the process a voice: what it says goes onto the bus
under that lease, so that a worker that was stopped and has lost it says nothing more. What is asked is handed down in
order and remembered until it is answered: when the process dies, who waits is told at once.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable

from visualizer.hosting import messages, process_link
from visualizer.hosting.black_box import NOTHING, LastDone
from visualizer.hosting.bus import Bus, BusLost, Held
from visualizer.hosting.messages import Ask, Create, Reply, Stop, state_after
from visualizer.hosting.process_link import Begin, LinkLost, Ping, Pong, Question, Replied, Told, Up
from visualizer.hosting.processes import Process
from visualizer.hosting.refused import GONE, Refused
from visualizer.hosting.watchdog import Watchdog

logger = logging.getLogger(__name__)

STOP_SECONDS = 12.0
ASKED_MAX = 512
KILLED_FROM_OUTSIDE: dict[int, str] = {
    signal.SIGKILL: "process-lost",
    signal.SIGTERM: "process-lost",
    signal.SIGHUP: "worker-lost",
}


class ClusterProcess:
    """One life of a cluster. `run` it once; it ends when the process has."""

    def __init__(self, cluster: str, create: Create, bus: Bus, worker: str, memory_bytes_max: int) -> None:
        self.id = cluster
        self.create = create
        self.life = create.life
        self.held = Held(messages.cluster_name(cluster), messages.holder_of(worker, create.life))
        self.held_until = 0.0  # on the worker's clock
        self.resumes = create.until > 0 or create.lesson is not None
        self.turn = asyncio.Event()  # to come back, among others
        self.released = asyncio.Event()  # its lease is free
        self.up = asyncio.Event()  # its past is replayed, or it has ended
        self.ended = asyncio.Event()
        self._bus = bus
        self._process: Process | None = None
        self._early: list[process_link.Down] = []  # said before there was a process
        self._verdict: str | None = None  # why it was killed
        self._stopping: Stop | None = None
        self._silent = False  # killed without a word
        self._asked: dict[int, Ask] = {}
        self._count = self._pinged = self._ponged = 0
        self._watchdog = Watchdog(memory_bytes_max=memory_bytes_max)

    # -- its life ------------------------------------------------------------------------------------------------------

    async def run(self, begin: Callable[[], Awaitable[Process]], gateway_host: str) -> None:
        """Have a process begun, and give it a voice until it has ended; then say what became of it, if it did not."""
        try:
            if self._stopping is None and not self._silent:
                await self._run(await begin(), gateway_host)
            else:
                await self._say_end(self._stopping.reason if self._stopping else None)
        except OSError as problem:
            logger.error("cluster %s: no process could be begun: %s", self.id, problem)
            await self._say_end("failed")
        finally:
            for ask in list(self._asked.values()):
                await self._reply(ask.reply_to, messages.pack(Reply(ask.id, refusal=GONE)))
            self.up.set()
            self.ended.set()

    async def _run(self, process: Process, gateway_host: str) -> None:
        self._process = process
        try:
            for frame in (Begin(self.id, self.create, gateway_host), *self._early):
                process_link.write(process.writer, frame)
            with contextlib.suppress(LinkLost):
                while True:
                    await self._hear(await process_link.read(process.reader, process_link.up))
            code = await self._code(process)
            if self._verdict is not None or code != 0:
                await self._say_death(process, code)
        finally:
            self._process = None
            process.close()

    async def _code(self, process: Process) -> int:
        """Wait for its end; it has closed its link and has nothing left to do."""
        await asyncio.wait([process.ended], timeout=STOP_SECONDS)
        if not process.ended.done():
            await process.kill()
        return await process.ended

    async def _hear(self, frame: process_link.Upwards) -> None:
        match frame:
            case Told(message):
                await self._append(self.held.lease, message)
            case Replied(number, to, message):
                if self._asked.pop(number, None) is not None:
                    await self._reply(to, message)
            case Up():
                self.up.set()
            case Pong(n):
                self._ponged = max(self._ponged, n)
                if self._ponged == self._pinged:
                    self._watchdog.answered()

    async def _say_death(self, process: Process, code: int) -> None:
        reason = self._verdict or KILLED_FROM_OUTSIDE.get(-code, "crashed")
        last = process.last_done() if reason in messages.KILLED else NOTHING
        trace = process.trace()
        logger.error(
            "cluster %s, life %d, was ended (%s, code %d) while doing %r%s", *(self.id, self.life, reason, code),
            *(last.text, f"; it was at\n{trace}" if trace else ""),
        )  # fmt: skip
        await self._say_end(reason, last)

    async def _say_end(self, reason: str | None, last: LastDone = NOTHING) -> None:
        if reason is None or self._silent:
            return
        successor = None
        if self._stopping is not None:  # it was on its way out in any case
            reason, successor, last = self._stopping.reason, self._stopping.successor, NOTHING
        state = state_after(reason, self.life, successor, n=last.n, doing=last.text)
        await self._append(self.held.lease, messages.say(state, self.life))

    # -- what its worker does ------------------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> None:
        """Hand a question down; it is answered to who asks. Raise `Refused` when too much is asked."""
        if len(self._asked) >= ASKED_MAX:
            raise Refused("The cluster is busy and gave no answer in time.")
        self._count += 1
        self._asked[self._count] = ask
        self._write(Question(self._count, ask))

    def stop(self, stop: Stop) -> None:
        """Have the cluster say its last words, and end."""
        self._stopping = stop
        self.turn.set()
        self._write(Question(0, Ask(0, "", self.id, stop, self.life)))

    async def stop_and_wait(self, stop: Stop) -> None:
        """Have it end; by force, if it does not."""
        self.stop(stop)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.ended.wait()
                return
        await self._kill("worker-lost")
        await self.ended.wait()

    async def kill_silently(self) -> None:
        """End it by force and say nothing: its lease is somebody else's."""
        self._silent = True
        self.turn.set()
        await self._kill("worker-lost")
        if self._process is not None:
            await self.ended.wait()

    async def check(self, now: float) -> None:
        """Look whether it is well; have it say the time; end it when a bound is passed."""
        process = self._process
        if process is None or self._verdict is not None:
            return
        waiting = self._pinged > self._ponged
        reason = self._watchdog.judge(process.look(), now, waiting=waiting)
        if reason is not None:
            await self._kill(reason)
        elif not waiting:
            self._pinged += 1
            self._write(Ping(self._pinged))

    async def _kill(self, reason: str) -> None:
        if self._process is not None and self._verdict is None:
            self._verdict = reason
            await self._process.kill()

    def _write(self, frame: process_link.Down) -> None:
        if self._process is None:
            self._early.append(frame)
        else:
            process_link.write(self._process.writer, frame)

    # -- the bus -------------------------------------------------------------------------------------------------------

    async def _reply(self, to: str, reply: bytes) -> None:
        await self._append(to, reply)

    async def _append(self, stream: str, message: bytes) -> None:
        try:
            await self._bus.append(stream, message, under=self.held)
        except BusLost as problem:
            logger.warning("cluster %s: what it said is lost, readers will ask again: %s", self.id, problem)
