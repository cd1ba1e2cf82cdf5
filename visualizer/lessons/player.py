"""Plays a lesson on a cluster: brings it to the start, from beat to beat, and says what the learner has reached.

Theory of operation. Everything happens on the cluster's own loop. A lookout watches the lesson's names. To come to a
beat, the beat's steps are begun and the clock leaps until the anchor holds; it is stopped by the lookout, in the very
instant of the entry, so that time stands there with everything still in flight. Steps that are not over by then go on
when time does. A beat whose anchor holds already costs no time.

    player = Player(cluster, find("walkthroughs/mutual-tls"), print)
    await player.begin()                     the start, in leaping time; then time stands
    await player.advance("client-hello")     time stands at the ClientHello
    player.state()["anchors"]["client-hello"]["seq"]

    exercise: after its start time runs, and checks and events are looked for in what comes from then on

Nothing that a learner does in between can break this: a command may bring an anchor about, a pause only delays it.
Telling is put off until everything waits, so a page hears of an entry before it hears what that entry means.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.cluster import Cluster
from cluster_engine.commands import Show
from cluster_engine.deeds import RefusedDeedError
from cluster_engine.predicates import Held, Lookout, Tally
from visualizer.lessons.answers import Answers
from visualizer.lessons.lesson import WALKTHROUGH, Beat, Event, Lesson, Mark
from visualizer.lessons.stage import Stage, StepFailedError
from visualizer.lessons.steps import Run, Step

START = "start"
PACE = 1.0
_DEBRIEF = "debrief "
_EVENT = "event "


class Player:
    """One run of a lesson. `told` gets the whole state whenever it has changed; `typed` the lesson's own commands.

    `pace` is that of the time that is the learner's. `problems` are the steps that failed.
    """

    def __init__(
        self, cluster: Cluster, lesson: Lesson, told: Callable[[Object], None], typed: Show | None = None
    ) -> None:
        self.lesson = lesson
        self.pace: float | None = PACE
        self.problems: list[StepFailedError] = []
        self.lookout = Lookout(cluster)
        self.stage = Stage(cluster, self.lookout, self, typed)
        self._cluster, self._clock, self._told = cluster, cluster.clock, told
        self._answers = Answers(lesson)
        self._at: int | None = None
        self._furthest = -1
        self._hints = 0
        self._tally: Tally | None = None
        self._busy = self._ready = self._handed_over = False
        self._lost: str | None = None
        self._begun: set[str] = set()
        self._doing: asyncio.Task[None] | None = None
        self._awaited: tuple[str, asyncio.Future[bool]] | None = None
        self._changed = True
        self._clock.before_waiting.append(self._tell)

    # -- what is asked -------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Play the start in leaping time. Then a walkthrough stands, and an exercise runs."""
        self._busy = True
        self._clock.set_pace(None)
        self._clock.resume()
        for beat in self.lesson.beats:
            self._watch(beat.id, Mark(id=beat.id, when=beat.anchor))
        for mark in self.lesson.marks:
            self._watch(mark.id, mark)
        try:
            await self.stage.perform(self.lesson.start)
        except StepFailedError as failed:
            self.problems.append(failed)
            self._lost = START
        self._let_learner_in()

    def advance(self, beat: str) -> Awaitable[None]:
        """Go to a beat, by way of all that lie between. ValueError, at once, in words for a person."""
        number = self.lesson.beat_number(beat)
        if number is None:
            raise RefusedDeedError(f"There is no beat {beat} in this lesson.")
        if not self._ready:
            raise RefusedDeedError("The lesson is still being prepared.")
        if self._busy:
            raise RefusedDeedError("The lesson is on its way already; please wait until it is there.")
        self._busy = self._changed = True
        self._lost, self._handed_over = None, False
        return self._cluster.accompany(self._advance(number), f"advance to {beat}")

    def answer(self, question: str, answer: Any) -> None:
        """Take an answer. ValueError in words for a person."""
        self._answers.take(question, answer)
        self.lookout.answer(question, None)
        self._judge()
        self._changed = True

    def hint(self) -> None:
        """Unlock the next hint. ValueError when there is none left."""
        if self._hints >= self.lesson.hints:
            raise RefusedDeedError("There are no more hints.")
        self._hints += 1
        self._changed = True

    def state(self) -> Object:
        """Say how far it has come, whole.

        lesson      "walkthroughs/mutual-tls"
        beat        where the learner is, None before the first; furthest: how far they have been
        busy        on the way to a beat, or still at the start; ready: the learner may begin
        lost        the beat (or "start") whose anchor did not come within its time, None
        handedOver  time runs and the terminal is the learner's, until the next anchor holds
        anchors     {name: {"seq", "at"}} of the beats, marks and checks that hold; checks: of the checks alone
        answers     {question: {"given", "right", "tries", "truth", "seq"}}; right is None until it can be judged, truth
                    comes after, tries is there from the second on, seq is the entry that decided it, None: none did
        hints       how many are unlocked
        debriefs    {id: {"seq", "at"}} of those that apply
        golf        {"count", "par"} of a solved exercise for which requests are counted, else None
        solved      an exercise's checks have all passed, a walkthrough's last beat was reached
        """
        held, checks = self.lookout.held, self._checks()
        solved = self._solved(checks)
        told = [name for name in self.lesson.names if solved or name not in self.lesson.untold]
        return {
            "lesson": self.lesson.path,
            "beat": None if self._at is None else self.lesson.beats[self._at].id,
            "furthest": None if self._furthest < 0 else self.lesson.beats[self._furthest].id,
            "busy": self._busy,
            "ready": self._ready,
            "lost": self._lost,
            "handedOver": self._handed_over,
            "anchors": _said(held, {name: name for name in told}),
            "checks": checks,
            "answers": self._answers.state(),
            "hints": self._hints,
            "golf": self._golf() if solved else None,
            "debriefs": _said(held, {one.id: _DEBRIEF + one.id for one in self.lesson.debriefs}),
            "solved": solved,
        }

    def close(self) -> None:
        """Look at the cluster no more."""
        self.lookout.close()
        if self._tally is not None:
            self._tally.close()
        self._clock.before_waiting.remove(self._tell)

    # -- beginning -----------------------------------------------------------------------------------------------------

    def _watch(self, name: str, mark: Mark, since: int = 0) -> None:
        self.lookout.watch(name, mark.when, lambda held: self._held(name, held), since)

    def _let_learner_in(self) -> None:
        """Look for checks and debriefs from now on: what came before the learner passes none."""
        since = self.lookout.now().seq
        for check in self.lesson.checks:
            self._watch(check.id, check, since)
        for debrief in self.lesson.debriefs:
            self._watch(_DEBRIEF + debrief.id, debrief, since)
        if self.lesson.golf is not None:
            journal = self._cluster.journal
            assert journal is not None, "the lookout has one"
            self._tally = Tally(journal, self.lesson.golf.counts)
        for event in self.lesson.events:
            self.lookout.watch(_EVENT + event.id, event.when, partial(self._happen, event), since)
        self._run_time()
        if self.lesson.kind == WALKTHROUGH or self._lost is not None:
            self._clock.pause()
        self._busy, self._ready, self._changed = False, self._lost is None, True

    def _run_time(self) -> None:
        self._clock.set_pace(self.pace)
        self._clock.resume()

    # -- from beat to beat ---------------------------------------------------------------------------------------------

    async def _advance(self, number: int) -> None:
        here = -1 if self._at is None else self._at
        for next_ in range(here + 1, number + 1) if number > here else (number,):
            if not await self._reach(next_):
                self._lost = self.lesson.beats[next_].id
                break
            self._at, self._furthest = next_, max(next_, self._furthest)
        else:
            self._hand_over(self.lesson.beats[number], number)
        self._busy, self._changed = False, True

    async def _reach(self, number: int) -> bool:
        """Let time leap until the beat's anchor holds; tell whether it does."""
        beat, loop = self.lesson.beats[number], self._cluster.loop
        self._clock.pause()
        if beat.id in self.lookout.held:
            return True
        arrived: asyncio.Future[bool] = loop.create_future()
        self._awaited = (beat.id, arrived)
        self._do(beat, self._steps_to(number))
        deadline = loop.call_later(beat.within, lambda: self._arrive(False))
        self._clock.step(arrived.done)
        try:
            there = await arrived
        finally:
            deadline.cancel()
            self._awaited = None
        self._clock.pause()
        return there

    def _steps_to(self, number: int) -> tuple[Step, ...]:
        """Return what leads to a beat: its own steps, or what the beat before suggested and nobody has typed."""
        before = self.lesson.beats[number - 1].hand_over if number else None
        steps = self.lesson.beats[number].do
        if steps or before is None or before.suggest is None:
            return steps
        return (Run(line=before.suggest, code=None),)

    def _do(self, beat: Beat, steps: tuple[Step, ...]) -> None:
        """Begin a beat's steps, once; they follow those of the beats before."""
        if beat.id in self._begun or not steps:
            return
        self._begun.add(beat.id)
        self._doing = self._cluster.accompany(self._perform(beat, steps, self._doing), f"beat {beat.id}")

    async def _perform(self, beat: Beat, steps: tuple[Step, ...], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self.stage.perform(steps)
        except StepFailedError as failed:
            self.problems.append(failed)
            if self._awaited is not None and self._awaited[0] == beat.id:
                self._arrive(False)

    def _arrive(self, there: bool) -> None:
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_result(there)

    def _hand_over(self, beat: Beat, number: int) -> None:
        following = self.lesson.beats[number + 1 : number + 2]
        if beat.hand_over is not None and not any(one.id in self.lookout.held for one in following):
            self._handed_over = True
            self._run_time()

    # -- what comes to hold --------------------------------------------------------------------------------------------

    def _held(self, name: str, _: Held) -> None:
        self._changed = True
        if self._awaited is not None and name == self._awaited[0]:
            self._clock.pause()
            self._arrive(True)
        elif self._handed_over and self._at is not None and self.lesson.beat_number(name) == self._at + 1:
            self._clock.pause()
            self._handed_over = False
        self._judge()
        if self._tally is not None and self._solved(self._checks()):
            self._tally.close()

    def _happen(self, event: Event, _: Held) -> None:
        self._cluster.accompany(self._play(event), f"event {event.id}")

    async def _play(self, event: Event) -> None:
        try:
            await self.stage.perform(event.do)
        except StepFailedError as failed:
            self.problems.append(failed)

    def _judge(self) -> None:
        for question, right in self._answers.judge(self.lookout.held_names):
            self.lookout.answer(question, right)

    def _checks(self) -> Object:
        return _said(self.lookout.held, {check.id: check.id for check in self.lesson.checks})

    def _golf(self) -> Object | None:
        golf = self.lesson.golf
        return None if golf is None or self._tally is None else {"count": self._tally.count, "par": golf.par}

    def _solved(self, checks: Object) -> bool:
        if self.lesson.kind == WALKTHROUGH:
            return self._furthest == len(self.lesson.beats) - 1
        return self._ready and len(checks) == len(self.lesson.checks)

    def _tell(self) -> bool:
        if self._changed:
            self._changed = False
            self._told(self.state())
        return False


def _said(held: dict[str, Held], names: dict[str, str]) -> Object:
    return {id_: {"seq": held[name].seq, "at": held[name].at} for id_, name in names.items() if name in held}


__all__ = ["START", "Player"]
