"""One cluster in its process: its thread on one side, the link to its worker on the other.

The cluster's thread calls in with entries, clock and output; they go into an outbox, and the process's loop sends what
has gathered every `FLUSH_SECONDS`: consecutive batches joined, only the newest clock, consecutive output of one command
joined. When the link cannot keep up the outbox drops its oldest: whoever reads the stream sees the gap in the numbers
of its messages and asks for what was in it (`Entries`, `Inputs`, `Recap`).
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from cluster_engine.deeds import (
    Act,
    Applied,
    Background,
    Deed,
    Done,
    Editing,
    Frame,
    Input,
    NotKept,
    Output,
    Reads,
    Typed,
    title,
)
from cluster_engine.run import ReplayDiffersError, Run
from cluster_engine.words.sentences import sentence
from cluster_engine.world import bugs
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, encode, join
from visualizer.hosting.black_box import NOTHING, LastDone
from visualizer.hosting.messages import Clock, Create, Export, Left, Lesson, Outside, State, Told, state_after
from visualizer.hosting.played_lesson import PlayedLesson
from visualizer.hosting.process_link import LinkLost
from visualizer.hosting.refused import Refused
from visualizer.hosting.replay import PassedOver
from visualizer.hosting.revision import revision
from visualizer.hosting.terminals import Terminals
from visualizer.lessons import cluster_options

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.01
BATCH_ENTRIES_MAX = 100
BATCH_BYTES_MAX = 64 * 1024
OUTBOX_BYTES_MAX = 16 * 1024 * 1024
STOP_SECONDS = 5.0
APPLIED_MAX = 64


class ClusterThread(Protocol):
    """What is asked of `cluster_engine.thread.ClusterThread`; every method may be called from any thread."""

    def start(self) -> "Future[dict[str, Any]]": ...  # noqa: D102
    def put(self, deed: Deed) -> "Future[Any]": ...  # noqa: D102
    def detail(self, seq: int) -> "Future[dict[str, Any]]": ...  # noqa: D102
    def clock(self) -> "Future[dict[str, Any]]": ...  # noqa: D102
    def ping(self) -> "Future[None]": ...  # noqa: D102
    def entries(self, since: int, limit: int) -> "Future[list[dict[str, Any]]]": ...  # noqa: D102
    def state(self, view: str, at: int, args: dict[str, str]) -> "Future[dict[str, Any]]": ...  # noqa: D102
    def search(self, texts: list[str], since: int) -> "Future[dict[str, Any]]": ...  # noqa: D102
    def export(self, ask: Export, said: Sequence[Typed | Frame] = ()) -> "Future[Any]": ...  # noqa: D102
    def workers(self) -> "Future[list[str]]": ...  # noqa: D102
    def kubeconfig(self, name: str) -> "Future[str]": ...  # noqa: D102
    def stop(self) -> "Future[None]": ...  # noqa: D102


Engine = Callable[..., ClusterThread]  # (nodes=, …: the spec's fields; on_…=, run=) → ClusterThread
Say = Callable[[Told, int], Awaitable[None]]  # the nth message, onto the cluster's stream; may raise LinkLost


class HostedCluster:
    """One cluster, run by this process until it is stopped."""

    def __init__(
        self,
        cluster: str,
        create: Create,
        engine: Engine,
        say: Say,
        *,
        on_failure: Callable[[str], None],
        note: Callable[[int, Act], None] = lambda n, act: None,
    ) -> None:
        self.id = cluster
        self.started = False
        self._on_failure = on_failure
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[Told] = deque()
        self._outbox_bytes = 0
        self._said = 0  # messages; those that were dropped count
        self._standing: dict[object, Told] = {}  # the newest of what is told anew when it changes
        self._applied: deque[Applied] = deque(maxlen=APPLIED_MAX)
        self._terminals = Terminals()
        self._moved = asyncio.Event()
        self._stopping = False  # it is told to end
        self._closing = False  # it has ended, and sends its last words
        self._life = create.life
        self._revision = create.revision
        self._leaves = create.leaves
        self.resumes = create.until > 0 or create.lesson is not None
        self._joins_output = not self.resumes
        self._pass_over = PassedOver(create.recorded, create.last)
        self._outside = False
        self._run = self._run_of(create, note)
        self.thread = engine(
            nodes=create.nodes,
            seed=create.seed,
            pace=create.pace,
            epoch=None if create.epoch is None else datetime.fromtimestamp(create.epoch, UTC),
            gateway_names=tuple(create.gateway_names),
            effort=create.effort,
            secret=create.secret,
            **cluster_options.of(create),
            run=self._run,
            on_entries=self._entries,
            on_clock=self._clock,
            on_failure=self._failure,
        )
        self._flushing = asyncio.create_task(self._flush_for_ever(), name=f"flush {cluster}")

    def _run_of(self, create: Create, note: Callable[[int, Act], None]) -> Run:
        lesson = None
        if create.lesson is not None:
            replays = bool(create.inputs) or create.until > 0
            lesson = PlayedLesson(create.lesson, self._put, pace=create.pace, replays=replays)
        return Run(self._put, past=create.inputs, until=create.until, paused=create.paused, lesson=lesson, note=note)

    # Called on the cluster's thread ---------------------------------------------------------------------------------

    def _entries(self, entries: Sequence[dict[str, Any]]) -> None:
        fresh = self._pass_over(entries)
        for one in fresh:
            if one.get("kind") == bugs.KIND:
                logger.error("cluster %s: %s\n%s", self.id, sentence(one), one["fields"]["trace"])
        for start in range(0, len(fresh), BATCH_ENTRIES_MAX):
            self._put(encode(fresh[start : start + BATCH_ENTRIES_MAX], len(self._run.inputs)))
        if not self._outside and any(str(one.get("from")).startswith("outside/") for one in fresh):
            self._outside = True
            self._put(Outside())

    def _clock(self, clock: dict[str, Any]) -> None:
        self._put(Clock(**clock))

    def _failure(self, failure: BaseException) -> None:
        logger.error("cluster %s ended by a bug of ours", self.id, exc_info=failure)
        with contextlib.suppress(RuntimeError):
            reason = "memory" if isinstance(failure, MemoryError) else "broken"
            self._loop.call_soon_threadsafe(self._on_failure, reason)

    def _put(self, message: Told) -> None:
        with contextlib.suppress(RuntimeError):  # the process's loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._post, message)

    # Called on the process's loop -----------------------------------------------------------------------------------

    def _post(self, message: Told) -> None:
        self._outbox.append(message)
        self._outbox_bytes += _size(message)
        while self._outbox_bytes > OUTBOX_BYTES_MAX and len(self._outbox) > 1:
            dropped = self._outbox.popleft()  # what readers miss they ask for
            self._outbox_bytes -= _size(dropped)
            self._said += 1
            self._keep(dropped)
        self._moved.set()

    async def _flush_for_ever(self) -> None:
        while not self._closing or self._outbox:  # what is posted while it flushes for the last time is flushed too
            await self._moved.wait()
            if not self._closing:
                await asyncio.sleep(FLUSH_SECONDS)
            self._moved.clear()
            try:
                await self._flush()
            except LinkLost:
                return  # nobody listens any more, and this process is about to end

    async def _flush(self) -> None:
        waiting, self._outbox, self._outbox_bytes = self._outbox, deque(), 0
        said = coalesce(list(waiting), joins_output=self._joins_output)
        self._joins_output = self._joins_output or any(isinstance(one, State) for one in said)
        for message in said:
            self._keep(message)
        for message in said:
            self._said += 1
            await self._say(message, self._said)

    def _keep(self, message: Told) -> None:
        """Keep what `recap` tells."""
        match message:
            case State() | Clock() | Lesson() | Outside() | NotKept() | Left():
                self._standing[type(message)] = message
            case Applied():
                self._applied.append(message)
            case Typed() | Output() | Reads() | Editing() | Background() | Done():
                self._terminals.take(message)

    def recap(self) -> list[Told]:
        """Say again what stands; see `messages.Recap`. What is on its way to the stream may be in it too."""
        return [*self._standing.values(), *self._applied, *self._terminals.after({})]

    def said(self) -> list[Typed | Frame]:
        """Say what was typed and printed last."""
        return self._terminals.after({})

    async def beat(self) -> None:
        """Come to the cluster's thread and back, and have the clock told again.

        Pages that draw time by themselves drift, and who comes late needs one.
        """
        await asyncio.wrap_future(self.thread.ping())
        self.thread.clock().add_done_callback(self._beaten)

    def _beaten(self, told: "Future[dict[str, Any]]") -> None:
        if not told.cancelled() and told.exception() is None:  # else it is starting or ending
            self._clock(told.result())

    async def start(self) -> str | None:
        """Bring the cluster up and tell it; give why it cannot be, out of `REASONS`, else None."""
        try:
            up = await asyncio.shield(asyncio.wrap_future(self.thread.start()))
        except asyncio.CancelledError:
            raise
        except Exception as problem:  # the cluster's outermost edge
            if self._stopping:
                return None
            logger.exception("cluster %s did not start", self.id)
            match problem:
                case MemoryError():
                    return "memory"
                case ReplayDiffersError():
                    return self._differs()
                case _:
                    return "failed"
        if not self._pass_over.is_complete():
            logger.error("cluster %s came back as another; its inputs: %s", self.id, self._run.inputs)
            return self._differs()
        self.started = True
        if self._leaves:
            self._post(Left(up["now"], up["head"]))
        self._post(State("running", life=self._life))
        return None

    def _differs(self) -> str:
        return "differs" if self._revision == revision() else "other-version"

    async def stop(self, reason: str | None, successor: str | None = None) -> None:
        """Stop the cluster, send what it said, and say why it ended (None: say nothing, it is not ours any more)."""
        self._stopping = True
        with contextlib.suppress(Exception):  # where time stood, so that it can come back there
            async with asyncio.timeout(STOP_SECONDS):
                self._clock(await asyncio.wrap_future(self.thread.clock()))
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(asyncio.wrap_future(self.thread.stop()))
        except TimeoutError:
            logger.error("cluster %s has not stopped within %g s; its process ends it", self.id, STOP_SECONDS)
        await asyncio.sleep(0)  # what the thread said last has been posted by now
        if reason is not None:
            last = self.last_done() if reason in messages.KILLED else NOTHING
            self._post(state_after(reason, self._life, successor, n=last.n, doing=last.text))
        self._closing = True
        self._moved.set()
        await self._flushing

    def inputs(self, since: int) -> list[Input]:
        """Return the inputs after number `since`."""
        return self._run.inputs[since:]

    def last_done(self) -> LastDone:
        """Return the last thing that was done."""
        inputs = self._run.inputs
        return LastDone(inputs[-1].n, title(inputs[-1].act)) if inputs else NOTHING

    def refuse_while_resuming(self) -> None:
        """Raise `Refused` while the past is not over."""
        if self.resumes and not self.started:
            raise Refused("This cluster is still starting; please try again in a moment.")


def _size(message: Told) -> int:
    match message:
        case Batch():
            return len(message.entries)
        case Output() | Editing():
            return len(message.text)
        case Typed():
            return len(message.line)
        case _:
            return 64


def _continues(said: list[Told], output: Output) -> bool:
    before = said[-1] if said else None
    if not isinstance(before, Output) or (before.id, before.stream) != (output.id, output.stream):
        return False
    return len(before.text) + len(output.text) <= BATCH_BYTES_MAX


def coalesce(waiting: Sequence[Told], *, joins_output: bool = True) -> list[Told]:
    """Join what may be joined, keeping the order; of clocks and of lessons only the newest stays, in its place.

    What a replay prints, before the cluster is told to run, is not joined: whoever has heard a part of it passes over
    that part, frame by frame.
    """
    said: list[Told] = []
    run: list[Batch] = []
    newest = {type(one): one for one in waiting if isinstance(one, Clock | Lesson)}

    def end_run() -> None:
        if run:
            said.append(join(run))
            run.clear()

    for message in waiting:
        match message:
            case Batch():
                size = sum(len(one.entries) for one in run) + len(message.entries)
                if run and (message.first != run[-1].last + 1 or size > BATCH_BYTES_MAX):
                    end_run()
                run.append(message)
            case Clock() | Lesson() if message is not newest[type(message)]:
                pass
            case Output() if joins_output and not run and _continues(said, message):
                before = cast("Output", said.pop())
                said.append(Output(message.id, message.n, message.stream, before.text + message.text, message.after))
            case _:
                end_run()
                said.append(message)
                joins_output = joins_output or isinstance(message, State)
    end_run()
    return said
