"""Performs steps on a cluster, one after the other; in virtual time, on the cluster's own loop.

stage = Stage(cluster, lookout, learner)
await stage.perform(lesson.start)            StepFailedError when a step does not go as it must
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from cluster_engine.cluster import INTERRUPTED, Cluster
from cluster_engine.commands import Show
from cluster_engine.faults import FaultError
from cluster_engine.predicates import Lookout
from visualizer.lessons import steps

BACKGROUND_MAX = 10
TERMINAL = "lesson"  # of its own: its lines run where they were written to run, wherever a learner has gone
PRINTED_LENGTH_MAX = 300


class StepFailedError(Exception):
    """A step did not go as it must. `at` is its line in the lesson's file."""

    def __init__(self, at: int, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.at, self.problem, self.remedy = at, problem, remedy


class Learner(Protocol):
    """Who answers questions and asks for hints."""

    def answer(self, question: str, answer: Any) -> None:
        """Answer a question. RefusedDeedError."""
        ...

    def hint(self) -> None:
        """Ask for the next hint. RefusedDeedError."""
        ...


class Stage:
    """Where steps are performed. What runs in the background goes on until it is interrupted or the cluster ends."""

    def __init__(self, cluster: Cluster, lookout: Lookout, learner: Learner, typed: Show | None = None) -> None:
        self._cluster, self._lookout, self._learner = cluster, lookout, learner
        self._typed = typed or (lambda *_: (lambda *_: None, lambda _: None))
        self._background: list[asyncio.Task[tuple[int, str]]] = []
        self._untils = 0

    async def perform(self, play: Sequence[steps.Step]) -> None:
        """Perform steps in order. StepFailedError."""
        for step in play:
            await self._perform(step)

    async def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.Run():
                await self._run(step)
            case steps.Interrupt():
                await self._interrupt()
            case steps.Break():
                self._break(step)
            case steps.Heal():
                await self._heal(step)
            case steps.Until():
                await self._until(step)
            case steps.Wait():
                await asyncio.sleep(step.seconds)
            case steps.Answer():
                for question, answer in step.answers:
                    self._learn(step.at, partial(self._learner.answer, question, answer))
            case steps.Hint():
                self._learn(step.at, self._learner.hint)

    async def _run(self, step: steps.Run) -> None:
        if step.background:
            self._background = [task for task in self._background if not task.done()]
            if len(self._background) >= BACKGROUND_MAX:
                raise StepFailedError(step.at, "too much runs in the background", "interrupt: all first")
            self._background.append(self._cluster.accompany(self._command(step.line), step.line))
            return
        code, printed = await (self._cluster.administer if step.sealed else self._command)(step.line)
        if step.code is not None and code != step.code:
            problem = f"`{step.line}` ended with {code}, not {step.code}: {' '.join(printed.split())}"
            raise StepFailedError(step.at, problem, "mend the command, or expect this code")

    async def _command(self, line: str) -> tuple[int, str]:
        """Type a line, and show it; give its exit code and the end of what it printed."""
        printed = ""
        write, done = self._typed(line, self._cluster.terminal(TERMINAL).prompt)

        def show(stream: str, text: str) -> None:
            nonlocal printed
            printed = (printed + text)[-PRINTED_LENGTH_MAX:]
            write(stream, text)

        code = INTERRUPTED
        try:
            code = await self._cluster.command(line, show, terminal=TERMINAL)
        finally:
            done(code)
        return code, printed

    async def _interrupt(self) -> None:
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)
        self._background.clear()

    def _break(self, step: steps.Break) -> None:
        try:
            self._cluster.inject(step.fault, sealed=step.sealed)
        except FaultError as problem:
            raise StepFailedError(step.at, str(problem), "mend the fault's record") from problem

    async def _heal(self, step: steps.Heal) -> None:
        if step.name is None:
            await self._cluster.heal_all()
            return
        ids = [one.id for one in self._cluster.faults if one.record.name == step.name]
        if not ids:
            raise StepFailedError(step.at, f"no fault {step.name} is active", "let it happen first")
        await asyncio.gather(*(self._cluster.heal(id_) for id_ in ids))

    async def _until(self, step: steps.Until) -> None:
        self._untils += 1
        name = f"until {self._untils}"
        held: asyncio.Future[None] = self._cluster.loop.create_future()
        self._lookout.watch(name, step.predicate, lambda _: None if held.done() else held.set_result(None))
        try:
            async with asyncio.timeout(step.within):
                await held
        except TimeoutError as problem:
            remedy = "wait for something that comes, or longer"
            raise StepFailedError(step.at, f"this did not come within {step.within:g} s", remedy) from problem
        finally:
            self._lookout.forget(name)

    def _learn(self, at: int, learn: Callable[[], None]) -> None:
        try:
            learn()
        except ValueError as problem:
            raise StepFailedError(at, str(problem).rstrip("."), "leave it out here") from problem


__all__ = ["Stage", "StepFailedError"]
