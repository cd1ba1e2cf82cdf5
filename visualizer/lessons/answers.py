"""A learner's answers: taken once, judged as soon as the journal can tell, and no truth told before.

In a walkthrough a question is answered once: it is a prediction, and what is right is told with the verdict. In an
exercise a wrong answer may be given again, so what is right stays untold until it is given; but for a number, which the
journal shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cluster_engine.deeds import RefusedDeedError
from cluster_engine.predicates import Held
from visualizer.lessons.lesson import WALKTHROUGH, Lesson
from visualizer.lessons.questions import Question, Verdict


@dataclass(slots=True)
class _Given:
    question: Question
    answer: Any
    tries: int = 1
    verdict: Verdict | None = None


class Answers:
    """The answers in one run of a lesson."""

    def __init__(self, lesson: Lesson) -> None:
        self._lesson = lesson
        self._given: dict[str, _Given] = {}

    def take(self, id_: str, answer: Any) -> None:
        """Take an answer. ValueError when there is no such question, it cannot be one, or there is one already."""
        question = self._lesson.question(id_)
        if question is None:
            raise RefusedDeedError(f"There is no question {id_} in this lesson.")
        before = self._given.get(id_)
        if before is not None and not self._may_try_again(before):
            raise RefusedDeedError("This question has been answered already.")
        self._given[id_] = _Given(question, question.accept(answer), before.tries + 1 if before is not None else 1)

    def _may_try_again(self, given: _Given) -> bool:
        return self._lesson.kind != WALKTHROUGH and given.verdict is not None and not given.verdict.right

    def judge(self, held: Mapping[str, Held]) -> list[tuple[str, bool]]:
        """Judge what can be judged now; give the questions that were, and whether rightly answered."""
        judged = []
        for id_, given in self._given.items():
            if given.verdict is None:
                given.verdict = given.question.judge(given.answer, held, self._lesson.decided_by(given.question))
                if given.verdict is not None:
                    judged.append((id_, given.verdict.right))
        return judged

    def state(self) -> dict[str, dict[str, Any]]:
        """Say all of it, as the page is told."""
        return {id_: self._say(given) for id_, given in self._given.items()}

    def _say(self, given: _Given) -> dict[str, Any]:
        verdict = given.verdict
        tries = {"tries": given.tries} if given.tries > 1 else {}
        if verdict is None:
            return {"given": given.answer, "right": None, **tries}
        told = verdict.right or self._lesson.kind == WALKTHROUGH or given.question.kind == "number"
        said = {"given": given.answer, "right": verdict.right, **tries, "seq": verdict.seq}
        return {**said, "truth": verdict.truth} if told else said


__all__ = ["Answers"]
