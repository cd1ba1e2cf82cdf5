"""The run of a cluster: what people do to it, performed at instants that can be found again.

Theory of operation. The loop of a world is deterministic: one seed gives one order of events at any pace. What people
do comes from outside, at any moment of real time, and would break this in two ways: it could fall between two callbacks
of one instant, and nobody would know at which virtual time it came. So an act (`deeds.Act`) waits until the world is at
rest, everything at this instant being done (`Clock.at_rest`); it is taken then, and kept as an `Input` with the clock's
time. The cluster's specification and its inputs are the whole run: a *replay* leaps from the time of one input to that
of the next, takes each one at rest as it was taken then, and ends at rest at `until`, with the same journal.

    live      now 4.20  at rest, "kubectl get pods" waits   ->  Input(1, 4.2, Command(…)), its task is made
    replay    now 3.90  at rest, next input at 4.2          ->  the clock leaps to 4.2 (or to a timer before it)
              now 4.20  at rest                             ->  Input(1, 4.2, Command(…)), its task is made

Modelled on the log of inputs of a replicated state machine. Acts are performed by `commands` and `injections`, or by
the lesson that plays on the cluster. What comes of them is told (`deeds.Told`). In a replay commands print again under
the same numbers, so whoever has heard them passes over that; inputs that were kept are not told again. A `Drive` turns
the clock at once and is no input. What comes in at the gateway comes at moments of its own; it is kept as it comes, and
in a replay somebody stands in for the client (`from_outside`).
"""

import asyncio
import contextlib
import contextvars
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from cluster_engine import deeds
from cluster_engine.cluster import Cluster
from cluster_engine.commands import Commands, Show
from cluster_engine.deeds import Act, Input
from cluster_engine.from_outside import FromOutsideAgain
from cluster_engine.injections import Injections
from cluster_engine.stops import Stops
from cluster_engine.world.clock import rounded_up

INPUTS_MAX = 2000
INPUTS_BYTES_MAX = 4 * 1024 * 1024
OUTSIDE_MAX = 4000
OUTSIDE_BYTES_MAX = 2 * 1024 * 1024
"""How many of the inputs may have come in at the gateway, and what they may have said."""


class ReplayDiffersError(RuntimeError):
    """A run does not go as it went: an input's time is over, or it is refused that was taken."""


class Lesson(Protocol):
    """What plays a lesson on the cluster, on its loop. ValueError: what is asked cannot be, in words for people."""

    async def begin(self, cluster: Cluster, show: Show) -> None:
        """Play the start; `show` is called with each line that the lesson types."""
        ...

    def replayed(self) -> None:
        """Called once, when what happens happens for the first time: from now on it is worth telling."""
        ...

    def advance(self, beat: str) -> Awaitable[None]:
        """Go on to a beat."""
        ...

    def answer(self, question: str, answer: Any) -> None:
        """Take an answer to a question."""
        ...

    def hint(self) -> None:
        """Unlock the next hint."""
        ...


class Run:
    """One run of one cluster. `put` and `close` may be called from any thread, all else on the cluster's.

    The `past` is replayed up to `until`, in virtual seconds; then time stands if `paused`. `tell` is called with what
    comes of acts; `note` with the number and the act of each input, before it is performed.
    """

    def __init__(
        self,
        tell: Callable[[deeds.Told], None] = lambda told: None,
        *,
        past: Sequence[Input] = (),
        until: float = 0.0,
        paused: bool = False,
        lesson: Lesson | None = None,
        note: Callable[[int, Act], None] = lambda n, act: None,
    ) -> None:
        self.past, self.until, self.paused = past, until, paused
        self.inputs: list[Input] = []
        self._typed: set[str] = set()  # ids of commands
        self._bytes = 0
        self._overheard = self._overheard_bytes = 0  # inputs that came in at the gateway
        self._keeps_outside = True
        self._replaying = bool(past) or until > 0
        self._tell, self._note, self._lesson = tell, note, lesson
        self._commands, self._injections = Commands(tell, self._head), Injections(tell)
        self._cluster: Cluster
        self._ahead = deque(past)  # inputs that the replay has not come to
        self._until = rounded_up(until)  # a time that the clock can have: it would leap towards any other for ever
        self._arrived: asyncio.Future[None] | None = None  # at `until`, in a replay
        self._waiting: deque[tuple[Act, Future[Any]]] = deque()
        self._doing: set[asyncio.Task[None]] = set()
        self._closed = False

    # -- life ----------------------------------------------------------------------------------------------------------

    def enter(self, cluster: Cluster) -> None:
        """Be the run of this cluster, which is up; before anything else."""
        self._cluster = cluster
        self._stops = Stops(cluster)
        self._from_outside = FromOutsideAgain(cluster, self.past)
        cluster.overhear = self._overhear

    def _head(self) -> int:
        journal = self._cluster.journal
        return journal.head if journal is not None else 0

    async def begin(self) -> None:
        """Begin the run and replay what is past. ReplayDiffersError when it cannot be done as it was."""
        await self.play_start()
        clock = self._cluster.clock
        clock.at_rest = self._at_rest
        if self._ahead or self._until > clock.now:
            self._arrived = self._cluster.loop.create_future()
            clock.leap_until = self._next()
            await self._arrived
            self._stand()
        self.replayed()

    async def play_start(self) -> None:
        """Do what comes before all inputs, at the instant the cluster is up: the lesson's start."""
        if self._lesson is not None:
            await self._lesson.begin(self._cluster, self._commands.show)

    def replayed(self) -> None:
        """Know that the past is over: what comes now comes for the first time."""
        self._replaying = False
        if self._lesson is not None:
            self._lesson.replayed()

    def put(self, act: Act) -> "Future[Any]":
        """Have an act taken as soon as the world is at rest; the future gives the answer, {} where there is none."""
        future: Future[Any] = Future()
        self._waiting.append((act, future))
        with contextlib.suppress(RuntimeError):  # the loop is closed; `close` refuses what waits
            self._cluster.loop.call_soon_threadsafe(lambda: None)  # wakes it; changes nothing in the world
        if self._closed:
            self.close()
        return future

    def close(self) -> None:
        """Take no more, and refuse what still waits."""
        self._closed = True
        self._cluster.clock.at_rest, self._cluster.clock.leap_until = lambda: False, None
        while self._waiting:
            with contextlib.suppress(IndexError):
                self._waiting.popleft()[1].set_exception(RuntimeError("the cluster is not running"))

    # -- between two instants ------------------------------------------------------------------------------------------

    def _at_rest(self) -> bool:
        if self._arrived is not None:
            return self._replay(self._arrived)
        if not self._waiting:
            return False
        self._take_for(*self._waiting.popleft())
        return True

    def _replay(self, arrived: "asyncio.Future[None]") -> bool:
        now = self._cluster.clock.now
        try:
            if self._ahead and self._ahead[0].at < now:
                raise ReplayDiffersError(f"at {now} s the input of {self._ahead[0].at} s has not been taken")
            if self._ahead and self._ahead[0].at == now:
                self._take_again(self._ahead.popleft().act)
            elif not self._ahead and now >= self._until:
                self._end_replay(arrived, None)
            else:
                self._cluster.clock.leap_until = self._next()
                return False
        except ReplayDiffersError as difference:
            self._end_replay(arrived, difference)
        return True

    def _next(self) -> float:
        return self._ahead[0].at if self._ahead else self._until

    def _end_replay(self, arrived: "asyncio.Future[None]", difference: ReplayDiffersError | None) -> None:
        self._arrived = self._cluster.clock.leap_until = None
        if difference is None:
            arrived.set_result(None)
        else:
            arrived.set_exception(difference)

    def _stand(self) -> None:
        """Let time stand or go as it did; whoever was stepping goes on stepping."""
        clock = self._cluster.clock
        if not clock.stepping:
            (clock.pause if self.paused else clock.resume)()

    def _take_again(self, act: Act) -> None:
        future: Future[Any] = Future()
        self._take_for(act, future)
        if future.done() and isinstance(refusal := future.exception(), deeds.RefusedDeedError):
            raise ReplayDiffersError(f"an input that was taken is refused: {refusal}") from refusal

    def _take_for(self, act: Act, future: "Future[Any]") -> None:
        """Take an act for who waits for its answer."""
        try:
            doing = self.take(act)
        except Exception as problem:
            self._not_done(problem, future)
            return
        if not inspect.iscoroutine(doing):
            future.set_result(doing)
        else:  # not a part of whichever process is running
            task = self._cluster.loop.create_task(self._settle(doing, future), context=contextvars.Context())
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _settle(self, doing: Coroutine[Any, Any, Any], future: "Future[Any]") -> None:
        try:
            answer = await doing
        except Exception as problem:
            self._not_done(problem, future)
        else:
            future.set_result(answer)

    def _not_done(self, problem: Exception, future: "Future[Any]") -> None:
        """Say why something was not done: it was refused, or failed as things do in this world, or by a bug of ours."""
        future.set_exception(problem)
        if not isinstance(problem, deeds.RefusedDeedError | OSError):
            self._cluster.world.end_with(problem, "what was asked for")

    # -- what is done --------------------------------------------------------------------------------------------------

    def take(self, act: Act) -> Any:
        """Perform an act now and keep it as an input; the answer, or a coroutine that gives it.

        A command that was typed already is not typed again, and its answer says so: who sends one cannot know whether
        it came, where the connection is lost before the answer. RefusedDeedError: it cannot be done, and has not been.
        """
        if isinstance(act, deeds.Command) and act.id in self._typed and not self._replaying:
            return {"again": True}
        if len(self.inputs) - self._overheard >= INPUTS_MAX or self._bytes >= INPUTS_BYTES_MAX:
            raise deeds.RefusedDeedError("This cluster has been told as much as it can keep; please start a new one.")
        taken = Input(len(self.inputs) + 1, self._cluster.clock.now, act, self._head())
        self._note(taken.n, act)
        answer = self._perform(act)
        self.inputs.append(taken)
        if isinstance(act, deeds.Command):
            self._typed.add(act.id)
        if isinstance(act, deeds.FromOutside):
            self._overheard += 1
            self._overheard_bytes += len(act.data)
        else:
            self._bytes += len(msgspec.json.encode(act))
        if not self._replaying:
            self._tell(taken)
        return answer

    def _overhear(self, act: deeds.FromOutside | None) -> None:
        """Keep what has come in at the gateway, as an input of this moment; None is what cannot be done again."""
        if self._replaying or not self._keeps_outside:
            return
        full = self._overheard >= OUTSIDE_MAX or self._overheard_bytes >= OUTSIDE_BYTES_MAX
        if act is None or full:
            self._keeps_outside = False
            self._tell(deeds.NotKept(self._head()))
            return
        taken = Input(len(self.inputs) + 1, self._cluster.clock.now, act, self._head())
        self._note(taken.n, act)
        self.inputs.append(taken)
        self._overheard += 1
        self._overheard_bytes += len(act.data)
        self._tell(taken)

    def _perform(self, act: Act) -> Any:
        cluster, injections = self._cluster, self._injections
        match act:
            case deeds.Command():
                self._commands.type(cluster, act)
            case deeds.Keys():
                self._commands.keys(act)
            case deeds.Resize():
                self._commands.resize(act)
            case deeds.Edited():
                self._commands.edited(act)
            case deeds.Complete(line=line):
                return self._commands.complete(cluster, line)
            case deeds.Interrupt(id=identifier):
                self._commands.interrupt(identifier)
            case deeds.Inject(fault=fault, when=when, sealed=sealed):
                return {"fault": injections.inject(cluster, fault, when, sealed=sealed)}
            case deeds.Incident(incident=incident, fault=fault, when=when, sealed=sealed):
                if not self._replaying:  # inputs of before this was refused are there all the same
                    injections.refuse_again(incident)
                return {"fault": injections.inject(cluster, fault, when, incident=incident, sealed=sealed)}
            case deeds.Heal(fault=None):
                return _answered(injections.heal_all(cluster))
            case deeds.Heal(fault=str(fault)):
                return _answered(injections.heal(cluster, fault))
            case deeds.HealIncident(incident=incident):
                return _answered(injections.heal_incident(cluster, incident))
            case deeds.Advance() | deeds.Answer() | deeds.Hint():
                return self._learn(act)
            case deeds.FromOutside():
                return self._from_outside.do(act)
        return {}

    def _learn(self, act: deeds.Advance | deeds.Answer | deeds.Hint) -> Any:
        if self._lesson is None:
            raise deeds.RefusedDeedError("There is no lesson in this cluster.")
        match act:
            case deeds.Advance(beat=beat):
                return _answered(self._lesson.advance(beat))
            case deeds.Answer(question=question, answer=answer):
                self._lesson.answer(question, answer)
            case deeds.Hint():
                self._lesson.hint()
        return {}

    async def drive(self, drive: deeds.Drive) -> Any:
        """Turn the clock; return the answer. ValueError when it is out of range."""
        clock = self._cluster.clock
        match drive:
            case deeds.Pace(pace=pace):
                clock.set_pace(pace)
            case deeds.Pause():
                clock.pause()
            case deeds.Resume():
                clock.resume()
                self._stops.arm()
            case deeds.Stops():
                self._stops.want(drive)
            case deeds.Step(layer=layer):
                return {"seq": await self._cluster.step(layer)}
        return {}


async def _answered(work: Awaitable[None]) -> dict[str, Any]:
    """Wait for some work, and give the answer of who has nothing to say."""
    await work
    return {}


__all__ = ["INPUTS_BYTES_MAX", "INPUTS_MAX", "Lesson", "ReplayDiffersError", "Run"]
