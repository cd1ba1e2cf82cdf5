"""What the inputs of one cluster do to it, and what is told of that: the worker's `cluster_engine.inputs.Run`.

Everything here happens on the cluster's own thread. The same documents come from people and from a replay, and do the
same; only what has been told before, where a lesson stood and which inputs there were, is not told again. Commands run
again in a replay, so what they print is said again under the same numbers, and whoever has heard it passes over it.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Literal

import msgspec

from visualizer.hosting.inputs import INPUTS_BYTES_MAX, INPUTS_MAX
from visualizer.hosting.lessons import Shown, player
from visualizer.hosting.messages import Applied, Clock, Create, Done, Input, Lesson, Output, Told, Typed

logger = logging.getLogger(__name__)

COMMANDS_MAX = 8
OUTPUT_CHARACTERS_MAX = 32 * 1024  # of one frame
WAITING_MAX = 50
INTERRUPTED = 130  # what a shell says of a program ended by Ctrl-C
BROKE = 70


class Performer:
    """Performs the inputs of one cluster; `tell` may be called from its thread."""

    def __init__(
        self,
        create: Create,
        tell: Callable[[Told], None],
        note: Callable[[int, dict[str, Any]], None] = lambda n, document: None,
    ) -> None:
        self.past = [(one.at, one.document) for one in create.inputs]
        self.until, self.paused = create.until, create.paused
        self.inputs: list[Input] = []
        self._bytes = 0
        self._slug, self._pace = create.lesson, create.pace or 1.0
        self._replaying = bool(self.past) or create.until > 0
        self._tell = tell
        self._note = note  # is called before an input is performed, with its number
        self._commands: dict[str, asyncio.Task[None]] = {}
        self._frames: dict[str, int] = {}  # of each running command
        self._lesson_lines = 0
        self._waiting: dict[str, int | None] = {}  # faults that wait for their predicate, and their incidents
        self._incidents: dict[int, list[str]] = {}  # the faults of each
        self._healed: set[int] = set()  # incidents that were, perhaps before they came
        self._count = 0
        self._lookout: Any = None
        self._player: Any = None
        self._clock: Any = None

    # -- cluster_engine.inputs.Run -------------------------------------------------------------------------------------

    async def begin(self, cluster: Any) -> None:
        """Play the start of the lesson, if there is one."""
        if self._slug is not None:
            self._clock = cluster.clock
            self._player = player(cluster, self._slug, self._tell_lesson, self._lesson_types)
            await self._player.begin()
            if cluster.clock.pace is None:  # it has leapt through the start; whoever resumes wants to see something
                cluster.clock.set_pace(self._pace)

    def replayed(self) -> None:
        """Say where the lesson stands, now that it stands there for good."""
        self._replaying = False
        if self._player is not None:
            self._tell_lesson(self._player.state())

    def taken(self, n: int, at: float, document: dict[str, Any]) -> None:
        """Keep an input, and tell it unless it is known."""
        taken = Input(n, at, document)
        self.inputs.append(taken)
        self._bytes += len(msgspec.json.encode(document))
        if not self._replaying:
            self._tell(taken)

    def perform(self, cluster: Any, document: dict[str, Any]) -> Any:
        """Do what a document says. ValueError, LookupError: it cannot be, in words."""
        if len(self.inputs) >= INPUTS_MAX or self._bytes >= INPUTS_BYTES_MAX:
            raise ValueError("This cluster has been told as much as it can keep; please start a new one.")
        self._note(len(self.inputs) + 1, document)
        match document:
            case {"command": {"id": str(identifier), "line": str(line)}}:
                return self._type(cluster, identifier, line)
            case {"interrupt": str(identifier)}:
                if identifier in self._commands:
                    self._commands[identifier].cancel()
                return {}
            case {"fault": dict(record)}:
                asked = {name: document.get(name) for name in ("when", "incident", "sealed")}
                return self._inject(cluster, record, **asked)
            case {"heal": fault}:
                return self._heal(cluster, fault)
            case {"healIncident": int(incident)}:
                return self._heal_incident(cluster, incident)
            case _:
                return self._learn(document)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _type(self, cluster: Any, identifier: str, line: str) -> dict[str, Any]:
        if identifier in self._frames:
            raise ValueError("A command with this id is running already.")
        if len(self._commands) >= COMMANDS_MAX:
            raise ValueError("Too many commands are running in this cluster; interrupt one first.")
        self._begin(Typed(identifier, line))
        self._commands[identifier] = self._spawn(cluster, self._run(cluster, identifier, line))
        return {}

    def _begin(self, typed: Typed) -> None:
        self._frames[typed.id] = 0
        self._tell(typed)

    def _end(self, identifier: str, code: int) -> None:
        self._tell(Done(identifier, self._frames.pop(identifier) + 1, code))

    def _lesson_types(self, line: str) -> Shown:
        """Show a command of the lesson's as if it were typed: give where its output goes, and whom to tell its end."""
        self._lesson_lines += 1
        identifier = f"lesson-{self._lesson_lines}"
        while identifier in self._frames:  # a page may give its commands any id
            identifier += "'"
        self._begin(Typed(identifier, line, "lesson"))
        return partial(self._say, identifier), partial(self._end, identifier)

    async def _run(self, cluster: Any, identifier: str, line: str) -> None:
        try:
            code = await cluster.command(line, lambda stream, text: self._say(identifier, stream, text))
        except asyncio.CancelledError:
            code = INTERRUPTED
        except Exception:  # a bug of ours; the cluster goes on
            logger.exception("a command broke")
            self._say(identifier, "stderr", "This command broke inside Glassplane; that is our mistake.\n")
            code = BROKE
        del self._commands[identifier]
        self._end(identifier, code)

    def _say(self, identifier: str, stream: str, text: str) -> None:
        if identifier not in self._frames:
            return
        name: Literal["stdout", "stderr"] = "stderr" if stream == "stderr" else "stdout"
        for start in range(0, len(text), OUTPUT_CHARACTERS_MAX):
            self._frames[identifier] += 1
            piece = text[start : start + OUTPUT_CHARACTERS_MAX]
            self._tell(Output(identifier, self._frames[identifier], name, piece))

    # -- faults --------------------------------------------------------------------------------------------------------

    def _inject(
        self,
        cluster: Any,
        record: dict[str, Any],
        when: dict[str, Any] | None,
        incident: int | None,
        sealed: bool | None,
    ) -> dict[str, Any]:
        from cluster_engine import faults

        fault = faults.read(record)
        self._refuse_again(incident)
        if when is None:
            return {"fault": self._let_happen(cluster, fault, incident, bool(sealed))}
        fault.check(cluster)
        if len(self._waiting) >= WAITING_MAX:
            raise ValueError("Too many faults wait for their moment in this cluster; heal some first.")
        self._count += 1
        name = f"fault waiting {self._count}"
        self._look_out(cluster, name, when, lambda: self._moment_has_come(cluster, name, fault, bool(sealed)))
        self._waiting[name] = incident
        return {"fault": None}

    def _refuse_again(self, incident: int | None) -> None:
        """Refuse an incident that is here already, or was healed before it came: who asks may ask twice."""
        known = incident in self._incidents or incident in self._waiting.values() or incident in self._healed
        if incident is not None and known and not self._replaying:
            raise ValueError("This incident is in this cluster already, or is healed.")

    def _look_out(self, cluster: Any, name: str, when: dict[str, Any], then: Callable[[], None]) -> None:
        from cluster_engine import predicates

        predicate = predicates.read(when)
        if self._lookout is None:
            self._lookout = predicates.Lookout(cluster)
        self._lookout.watch(name, predicate, lambda _: then(), since=cluster.journal.head)

    def _moment_has_come(self, cluster: Any, name: str, fault: Any, sealed: bool) -> None:
        incident = self._waiting.pop(name)
        try:
            self._let_happen(cluster, fault, incident, sealed)
        except ValueError as problem:
            self._tell(Applied(incident, None, cluster.clock.now, str(problem)))

    def _let_happen(self, cluster: Any, fault: Any, incident: int | None, sealed: bool) -> str:
        identifier: str = cluster.inject(fault, sealed=sealed)
        if incident is not None:
            self._incidents.setdefault(incident, []).append(identifier)
        self._tell(Applied(incident, identifier, cluster.clock.now))
        return identifier

    def _heal(self, cluster: Any, fault: str | None) -> Coroutine[Any, Any, Any]:
        riddles = {one for faults in self._incidents.values() for one in faults}
        if fault is None:
            self._forget(lambda incident: incident is None)
            return _nothing(*(cluster.heal(one.id) for one in cluster.faults if one.id not in riddles))
        if fault in riddles:
            raise ValueError("Whoever let this happen heals it; find out first what it is.")
        if fault not in {one.id for one in cluster.faults}:
            raise LookupError("This fault is over already.")
        return _nothing(cluster.heal(fault))

    def _heal_incident(self, cluster: Any, incident: int) -> Coroutine[Any, Any, Any]:
        self._healed.add(incident)
        self._forget(lambda waiting: waiting == incident)
        active = {one.id for one in cluster.faults}
        mine = [fault for fault in self._incidents.pop(incident, ()) if fault in active]
        return _nothing(*(cluster.heal(fault) for fault in mine))

    def _forget(self, which: Callable[[int | None], bool]) -> None:
        """Keep faults that wait from happening."""
        for name in [name for name, incident in self._waiting.items() if which(incident)]:
            del self._waiting[name]
            self._lookout.forget(name)

    # -- lessons -------------------------------------------------------------------------------------------------------

    def _learn(self, document: dict[str, Any]) -> Any:
        if self._player is None:
            raise ValueError("There is no lesson in this cluster.")
        match document:
            case {"advance": str(beat)}:
                return _nothing(self._player.advance(beat))
            case {"answer": {"question": str(question), "answer": answer}}:
                self._player.answer(question, answer)
            case {"hint": True}:
                self._player.hint()
            case _:
                raise ValueError(f"nobody knows what {next(iter(document), 'nothing')} means")
        return {}

    def _tell_lesson(self, state: dict[str, Any]) -> None:
        if not self._replaying:
            self._tell(Lesson(state))
            self._tell(Clock(**self._clock.told()))  # the player drives it too

    def _spawn(self, cluster: Any, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Make a task that is no part of whichever process is running."""
        task: asyncio.Task[None] = cluster.loop.create_task(work, context=contextvars.Context())
        return task


async def _nothing(*work: Awaitable[Any]) -> dict[str, Any]:
    """Wait for some work side by side, and give nothing."""
    await asyncio.gather(*work)
    return {}
