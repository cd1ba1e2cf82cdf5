"""What people do to a cluster, taken at instants that can be found again.

Theory of operation. The loop of a world is deterministic: one seed gives one order of events at any pace. What people
do comes from outside, at any moment of real time, and would break this in two ways: it could fall between two callbacks
of one instant, and nobody would know at which virtual time it came. So an *input* is a document (JSON) which waits
until the world is at rest, everything at this instant being done (`Clock.at_rest`); it is taken then and told with the
clock's time. The cluster's specification and its inputs with their times are the whole run: a *replay* leaps from the
time of one input to that of the next, takes each one at rest as it was taken then, and ends at rest at `until`, with
the same journal.

    live      now 4.20  at rest, "kubectl get pods" waits   ->  told(1, 4.2, {"command": …}), its task is made
    replay    now 3.90  at rest, next input at 4.2          ->  the clock leaps to 4.2 (or to a timer before it)
              now 4.20  at rest                             ->  told(1, 4.2, {"command": …}), its task is made

Modelled on the log of inputs of a replicated state machine. What documents mean is the business of whoever makes the
`Run`; here they are only dated. Left out: what comes through the gateway, which has a time of its own.
"""

import asyncio
import contextlib
import contextvars
import inspect
from collections import deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from cluster_engine.world.clock import rounded_up
from cluster_engine.world.loop import ClusterLoop

Json = dict[str, Any]
Past = tuple[float, Json]
"""An input that was taken, and when."""


class ReplayDiffersError(RuntimeError):
    """A run does not go as it went: an input's time is over, or it is refused that was taken."""


class Run(Protocol):
    """What is to be done to a cluster, and how. `past` is replayed up to `until`; then time stands if `paused`."""

    past: Sequence[Past]
    until: float
    paused: bool

    async def begin(self, cluster: Any) -> None:
        """Do what comes before all inputs, at the instant the cluster is up."""
        ...

    def replayed(self) -> None:
        """Hear that the past is over, if there was any: what comes now comes for the first time."""
        ...

    def perform(self, cluster: Any, document: Json) -> Any:
        """Do what a document says, give the answer or a coroutine that will. ValueError, LookupError: refused."""
        ...

    def taken(self, n: int, at: float, document: Json) -> None:
        """Hear that input number `n`, counted from 1, was taken; before it has any effect that can be seen."""
        ...


class Inputs:
    """The inputs of one cluster. `put` may be called from any thread, all else belongs to the cluster's."""

    def __init__(self, loop: ClusterLoop, cluster: Any, run: Run) -> None:
        self._loop, self._clock = loop, loop.clock
        self._cluster, self._run = cluster, run
        self._count = 0
        self._past = deque(run.past)
        self._until = rounded_up(run.until)  # a time that the clock can have: it would leap towards any other for ever
        self._waiting: deque[tuple[Json, Future[Any]]] = deque()
        self._doing: set[asyncio.Task[None]] = set()
        self._replayed: asyncio.Future[None] | None = None
        self._closed = False

    async def begin(self) -> None:
        """Begin the run and replay what is past. ReplayDiffersError when it cannot be done as it was."""
        await self._run.begin(self._cluster)
        self._clock.at_rest = self._at_rest
        if self._past or self._until > self._clock.now:
            self._replayed = self._loop.create_future()
            self._clock.leap_until = self._next()
            await self._replayed
            self._stand()
        self._run.replayed()

    def put(self, document: Json) -> "Future[Any]":
        """Have a document taken as soon as the world is at rest; the future gives what `perform` answers."""
        future: Future[Any] = Future()
        self._waiting.append((document, future))
        with contextlib.suppress(RuntimeError):  # the loop is closed; `close` refuses what waits
            self._loop.call_soon_threadsafe(lambda: None)  # wakes it; changes nothing in the world
        if self._closed:
            self.close()
        return future

    def close(self) -> None:
        """Take no more, and refuse what still waits."""
        self._closed = True
        self._clock.at_rest, self._clock.leap_until = lambda: False, None
        while self._waiting:
            with contextlib.suppress(IndexError):
                self._waiting.popleft()[1].set_exception(RuntimeError("the cluster is not running"))

    # -- between two instants ------------------------------------------------------------------------------------------

    def _at_rest(self) -> bool:
        if self._replayed is not None:
            return self._replay(self._replayed)
        if not self._waiting:
            return False
        self._take(*self._waiting.popleft())
        return True

    def _replay(self, replayed: "asyncio.Future[None]") -> bool:
        now = self._clock.now
        try:
            if self._past and self._past[0][0] < now:
                raise ReplayDiffersError(f"at {now} s the input of {self._past[0][0]} s has not been taken")
            if self._past and self._past[0][0] == now:
                self._take_again(self._past.popleft()[1])
            elif not self._past and now >= self._until:
                self._end_replay(replayed, None)
            else:
                self._clock.leap_until = self._next()
                return False
        except ReplayDiffersError as difference:
            self._end_replay(replayed, difference)
        return True

    def _next(self) -> float:
        return self._past[0][0] if self._past else self._until

    def _end_replay(self, replayed: "asyncio.Future[None]", difference: ReplayDiffersError | None) -> None:
        self._replayed = self._clock.leap_until = None
        if difference is None:
            replayed.set_result(None)
        else:
            replayed.set_exception(difference)

    def _stand(self) -> None:
        """Let time stand or go as it did; whoever was stepping goes on stepping."""
        if not self._clock.stepping:
            (self._clock.pause if self._run.paused else self._clock.resume)()

    def _take_again(self, document: Json) -> None:
        future: Future[Any] = Future()
        self._take(document, future)
        if future.done() and isinstance(refusal := future.exception(), ValueError | LookupError):
            raise ReplayDiffersError(f"an input that was taken is refused: {refusal}") from refusal

    def _take(self, document: Json, future: "Future[Any]") -> None:
        try:
            doing = self._run.perform(self._cluster, document)
        except (ValueError, LookupError) as refusal:
            future.set_exception(refusal)
            return
        self._count += 1
        self._run.taken(self._count, self._clock.now, document)
        if not inspect.iscoroutine(doing):
            future.set_result(doing)
        else:  # not a part of whichever process is running
            task = self._loop.create_task(_settle(doing, future), context=contextvars.Context())
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)


async def _settle(doing: Coroutine[Any, Any, Any], future: "Future[Any]") -> None:
    try:
        answer = await doing
    except Exception as problem:
        future.set_exception(problem)
    else:
        future.set_result(answer)


__all__ = ["Inputs", "Past", "ReplayDiffersError", "Run"]
