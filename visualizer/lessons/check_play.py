"""Does a lesson keep what it promises? It is played on real clusters, in leaping time.

A walkthrough is gone through from the first beat to the last. An exercise is tried several times, each on a cluster of
its own: by its start alone, by its solution, by each of its near misses.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.export.jsonl import lines_into
from cluster_engine.predicates.reading import LAYERS
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.work import REAL_EFFORT
from visualizer.lessons.lesson import Beat, Lesson, NearMiss
from visualizer.lessons.player import Player
from visualizer.lessons.questions import Question
from visualizer.lessons.source import LessonError
from visualizer.lessons.stage import StepFailedError
from visualizer.lessons.steps import Step

ALONE_SECONDS = 120.0
SETTLE_SECONDS = 300.0

Story = Callable[[Cluster, Player], Awaitable[None]]


@dataclass(slots=True)
class Trial:
    """What came of playing a lesson: mistakes, entries, and which names and debriefs ever held.

    Each play's journal is written to `journals`, one entry a line, when that folder is given. `before` is called with
    each play's cluster before it starts.
    """

    lesson: Lesson
    journals: Path | None = None
    before: Callable[[Cluster], None] = lambda _: None
    errors: list[LessonError] = field(default_factory=list)
    entries: int = 0
    clusters: int = 0
    held: set[str] = field(default_factory=set)
    debriefs: set[str] = field(default_factory=set)

    def wrong(self, line: int, problem: str, remedy: str) -> None:
        """Note a mistake in lesson.yaml."""
        self.errors.append(LessonError(self.lesson.file, line, problem, remedy))

    def play(self, story: Story) -> None:
        """Begin the lesson on a new cluster and tell a story of it. What ends a cluster is a mistake too."""
        loop = ClusterLoop(Clock())
        try:
            loop.run_until_complete(self._play(loop, story))
        except Exception as failure:
            self.wrong(1, f"the cluster ended: {failure!r}", "this is a mistake of the engine; please tell")
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _play(self, loop: ClusterLoop, story: Story) -> None:
        spec = ClusterSpec(**self.lesson.cluster, pace=None, effort=REAL_EFFORT)
        self.clusters += 1
        cluster = Cluster(spec, loop)
        cluster.world.is_strict = True
        self.before(cluster)
        async with cluster:
            loop.clock.before_waiting.append(lambda: _goes_on(cluster))
            player = Player(cluster, self.lesson, lambda _: None)
            player.pace = None
            told = asyncio.ensure_future(self._tell(cluster, player, story))
            ends: list[asyncio.Future[Any]] = [told, cluster.world.failed]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if cluster.world.failed.done():
                cluster.world.failed.result()
            told.result()

    async def _tell(self, cluster: Cluster, player: Player, story: Story) -> None:
        await player.begin()
        if not player.problems:
            await story(cluster, player)
        for failed in player.problems:
            self._failed(failed)
        self._write(cluster)
        self.held |= set(player.lookout.held)
        self.debriefs |= set(player.state()["debriefs"])

    def _write(self, cluster: Cluster) -> None:
        journal = cluster.journal
        assert journal is not None
        self.entries += journal.head - journal.first + 1
        if self.journals is not None:
            with (self.journals / f"{self.lesson.slug}-{self.clusters}.jsonl").open("wb") as file:
                write = lines_into(file)
                for entry in journal.since(0, journal.head):
                    write(entry)

    def _failed(self, failed: StepFailedError) -> None:
        self.wrong(failed.at, failed.problem, failed.remedy)


def _goes_on(cluster: Cluster) -> bool:
    """See to it that a trial fails rather than waits for ever: nobody is there who could press a button."""
    clock, failed = cluster.clock, cluster.world.failed
    if clock.paused and not clock.stepping and not failed.done():
        failed.set_exception(RuntimeError(f"time stands at {clock.now:.3f} s and nobody goes on"))
        return True
    return False


def play(lesson: Lesson, journals: Path | None = None) -> Trial:
    """Play a lesson in every way it must stand: an exercise by its start, its solution, each near miss."""
    trial = Trial(lesson, journals)
    if not lesson.beats:
        trial.play(_alone(trial))
    play_as_meant(trial)
    if not lesson.beats:
        for near_miss in lesson.near_misses:
            trial.play(_near_miss(trial, near_miss))
    if not trial.errors:
        _never(trial)
    return trial


def play_as_meant(trial: Trial) -> None:
    """Play a lesson once, as it ought to go: all beats of a walkthrough, the solution of an exercise."""
    trial.play(_Walk(trial).story if trial.lesson.beats else _solution(trial))


def _never(trial: Trial) -> None:
    for mark in trial.lesson.marks:
        if mark.id not in trial.held:
            trial.wrong(mark.line, f"the mark {mark.id} never holds", "mend it, or remove it")
    for debrief in trial.lesson.debriefs:
        if debrief.id not in trial.debriefs:
            trial.wrong(
                debrief.line, f"the debrief {debrief.id} is never shown", "write the near miss that it speaks of"
            )


# -- walkthroughs ------------------------------------------------------------------------------------------------------


class _Walk:
    """From the first beat to the last, answering as well as can be."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._lesson = trial, trial.lesson
        self._before: tuple[Beat, int] | None = None

    async def story(self, cluster: Cluster, player: Player) -> None:
        for beat in self._lesson.beats:
            question = self._lesson.question(beat.question or "")
            if question is not None and question.id not in player.state()["answers"]:
                player.answer(question.id, _answer(question))
            await player.advance(beat.id)
            if player.state()["lost"]:
                problem = f"the anchor of {beat.id} does not come within {beat.within:g} s"
                self._trial.wrong(beat.line, problem, "mend the anchor, its do, or within; --journals shows what came")
                return
            self._look(cluster, player, beat)
        for id_ in self._lesson.last_questions:
            question = self._lesson.question(id_)
            assert question is not None
            player.answer(id_, _answer(question))
        await self._settle(cluster, player)
        self._lanes(cluster)

    def _look(self, cluster: Cluster, player: Player, beat: Beat) -> None:
        """Is the beat's entry where the page will show it?"""
        seq = player.lookout.held[beat.id].seq
        before, self._before = self._before, (beat, seq)
        if before is not None and seq < before[1]:
            problem = f"{beat.id} stands at entry {seq}, before {before[0].id} at {before[1]}"
            self._trial.wrong(beat.line, problem, f"add after: {before[0].id}, or tell it earlier")
        assert cluster.journal is not None
        entry = cluster.journal.since(seq - 1, 1)[0]
        if LAYERS.index(entry["layer"]) > LAYERS.index(beat.layer):
            problem = f"{beat.id} shows the layer {beat.layer}, its entry is drawn at {entry['layer']} only"
            self._trial.wrong(beat.line, problem, f"say layer: {entry['layer']}")
        hidden = [lane for lane in (entry["from"], entry["to"]) if lane and beat.focus and lane not in beat.focus]
        if hidden:
            problem = f"{beat.id} hides {' and '.join(hidden)}, between whom its entry is drawn"
            self._trial.wrong(beat.line, problem, "add to its focus")

    async def _settle(self, cluster: Cluster, player: Player) -> None:
        """Let time run on: marks may lie behind the last beat, and answers wait for them."""
        cluster.clock.set_pace(None)
        cluster.clock.resume()
        names = set(self._lesson.names)

        def settled() -> bool:
            answers = player.state()["answers"].values()
            return names <= set(player.lookout.held) and all(one["right"] is not None for one in answers)

        if not await _came_true(cluster, settled):
            self._unanswered(player)

    def _unanswered(self, player: Player) -> None:
        answers = player.state()["answers"]
        for question in self._lesson.questions:
            if question.id in answers and answers[question.id]["right"] is None:
                decider = self._lesson.decided_by(question)
                names = [name for name in (decider, *question.names) if name and name not in player.lookout.held]
                problem = f"{question.id} cannot be judged: {', '.join(names)} never holds"
                self._trial.wrong(question.line, problem, "ask for what comes")

    def _lanes(self, cluster: Cluster) -> None:
        assert cluster.journal is not None
        entries = cluster.journal.since(0, cluster.journal.head)
        lanes = {lane for entry in entries for lane in (entry["from"], entry["to"])}
        for beat in self._lesson.beats:
            for lane in beat.focus:
                if lane not in lanes:
                    known = ", ".join(sorted(lane for lane in lanes if lane))
                    self._trial.wrong(
                        beat.line, f"{beat.id} shows {lane}, and there is no such lane", f"lanes are {known}"
                    )


def _answer(question: Question) -> Any:
    match question.kind:
        case "choice":
            return list(question.right) if question.many else question.right[0]
        case "order":
            return list(question.items)
        case _:
            return question.truth if isinstance(question.truth, float) else 0


# -- exercises ---------------------------------------------------------------------------------------------------------


def _alone(trial: Trial) -> Story:
    async def story(_: Cluster, player: Player) -> None:
        await asyncio.sleep(ALONE_SECONDS)
        if player.state()["solved"]:
            trial.wrong(1, "the start alone solves it", "add a check that only the learner can pass")

    return story


def _solution(trial: Trial) -> Story:
    lesson = trial.lesson

    async def story(cluster: Cluster, player: Player) -> None:
        if not await _performed(trial, player, lesson.solution):
            return
        await _came_true(cluster, lambda: player.state()["solved"])
        state = player.state()
        for check in lesson.checks:
            if check.id not in state["checks"]:
                trial.wrong(check.line, f"the solution does not pass {check.id}", "mend the check or the solution")
        for question in lesson.questions:
            given = state["answers"].get(question.id)
            if given is None and any(ask.question == question.id for ask in lesson.ask):
                trial.wrong(question.line, f"the solution does not answer {question.id}", "add answer: to the solution")
            elif given is not None and given["right"] is not True:
                problem = f"the solution answers {question.id} with {given['given']}, which is not right"
                truth = given.get("truth", ", ".join(question.right) or "the journal's order")
                trial.wrong(question.line, problem, f"mend the answer or the question; what is right is {truth}")
        if lesson.golf is not None and state["golf"] is not None and state["golf"]["count"] != lesson.golf.par:
            problem = f"the solution takes {state['golf']['count']}, and par is {lesson.golf.par}"
            trial.wrong(lesson.golf.line, problem, "give what the solution takes, and let it take as few as can be")
        for debrief in lesson.debriefs:
            if debrief.id in state["debriefs"]:
                trial.wrong(debrief.line, f"{debrief.id} is shown to the solution", "let it hold for a mistake only")

    return story


def _near_miss(trial: Trial, near_miss: NearMiss) -> Story:
    async def story(cluster: Cluster, player: Player) -> None:
        if not await _performed(trial, player, near_miss.play):
            return
        wanted = near_miss.debrief
        if wanted is not None and not await _came_true(cluster, lambda: wanted in player.state()["debriefs"]):
            trial.wrong(near_miss.line, f"{near_miss.id} does not show {wanted}", "mend the debrief or the near miss")
        checks = player.state()["checks"]
        for check in near_miss.refuses:
            if check in checks:
                trial.wrong(near_miss.line, f"{near_miss.id} passes {check}", "make the check stricter")

    return story


async def _performed(trial: Trial, player: Player, play: Sequence[Step]) -> bool:
    try:
        await player.stage.perform(play)
    except StepFailedError as failed:
        trial.wrong(failed.at, failed.problem, failed.remedy)
        return False
    return True


async def _came_true(cluster: Cluster, claim: Callable[[], bool]) -> bool:
    try:
        await cluster.world.until(claim, within_seconds=SETTLE_SECONDS)
    except TimeoutError:
        return False
    return True


__all__ = ["Trial", "play", "play_as_meant"]
