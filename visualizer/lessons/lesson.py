"""What a lesson is: frozen records, made by `reading` from `lesson.yaml`.

A lesson's *names* are the ids of its beats, marks and checks: whatever can come to hold at an entry of the journal.
`line` is where each stands in the file.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_engine.predicates import Entry, Predicate
from cluster_engine.words.languages import languages
from visualizer.lessons import cluster_options
from visualizer.lessons.citations import Citation
from visualizer.lessons.myths import Myth
from visualizer.lessons.questions import Question
from visualizer.lessons.steps import Run, Step

WALKTHROUGH, EXERCISE = "walkthrough", "exercise"
INCIDENT = "incident"  # an exercise that is made, not read: `visualizer.lessons.incidents`
INCIDENTS = f"{INCIDENT}s/"  # how the paths of all of them begin
LANGUAGES = tuple(languages())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A name and what makes it hold: a mark, a check or a debrief."""

    id: str
    when: Predicate
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Time runs and the terminal is the learner's, until the next beat's anchor holds."""

    suggest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One place of a walkthrough: what is done to get there, and the entry it stands at."""

    id: str
    anchor: Predicate
    do: tuple[Step, ...] = ()
    within: float = 120.0
    layer: str = "story"
    focus: tuple[str, ...] = ()
    open: str | None = None
    question: str | None = None
    myth: Myth | None = None
    hand_over: HandOver | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of an exercise and when it is asked: before the `start`, or before the `checks` are looked at."""

    question: str
    before: str = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happens to the learner of an exercise, once, as soon as `when` holds in what came after the start."""

    id: str
    when: Predicate
    do: tuple[Step, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Golf:
    """How many entries that fit `counts` an exercise takes: `par` are enough, as its solution shows."""

    counts: Entry
    par: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """What nearly solves an exercise, which checks refuse it, and what is said to it."""

    id: str
    play: tuple[Step, ...]
    refuses: tuple[str, ...]
    debrief: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A walkthrough or an exercise. `slug` is its folder's name, `path` names it among all lessons."""

    kind: str
    slug: str
    subjects: tuple[int, ...]  # of the curriculum, `visualizer.subjects.SUBJECTS`
    minutes: int
    level: int
    nodes: int
    seed: int
    folder: Path
    sources: tuple[Citation, ...]
    system_pods: bool = False  # on a cluster as kubeadm makes it
    etcd_members: int = 1
    audit: bool = False  # its API server keeps an audit log
    key_lab: bool = False  # its API server agrees on keys by RSA with who asks for it
    catalogue: int | None = None  # an exercise's number in `visualizer.subjects.EXERCISES`
    start: tuple[Step, ...] = ()
    marks: tuple[Mark, ...] = ()
    questions: tuple[Question, ...] = ()
    beats: tuple[Beat, ...] = ()
    last_questions: tuple[str, ...] = ()  # asked after the last beat; `check:` in the file
    events: tuple[Event, ...] = ()
    checks: tuple[Mark, ...] = ()
    ask: tuple[Ask, ...] = ()
    hints: int = 0
    golf: Golf | None = None
    solution: tuple[Step, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    debriefs: tuple[Mark, ...] = ()

    @property
    def path(self) -> str:
        """Name it among all lessons: "walkthroughs/mutual-tls"."""
        return f"{self.kind}s/{self.slug}"

    @property
    def cluster(self) -> dict[str, Any]:
        """Return what cluster it plays on, by the names of `ClusterSpec`."""
        return {"nodes": self.nodes, "seed": self.seed, **cluster_options.of(self)}

    @property
    def url(self) -> str:
        """Return its page's address."""
        return f"/{self.path}/"

    @property
    def file(self) -> str:
        """Name the file it was read from, for errors."""
        return str(self.folder / "lesson.yaml")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the ids of whatever may come to hold."""
        beats = [beat.id for beat in self.beats]
        return (*beats, *(mark.id for mark in (*self.marks, *self.checks)))

    @property
    def untold(self) -> frozenset[str]:
        """Return the names that nobody is told before the lesson is solved."""
        return frozenset()

    def question(self, id_: str) -> Question | None:
        """Find a question."""
        return next((one for one in self.questions if one.id == id_), None)

    def decided_by(self, question: Question) -> str | None:
        """Return the name that decides a choice: its own, or the beat that asks it; None: it is judged at once."""
        asking = next((beat.id for beat in self.beats if beat.question == question.id), None)
        return question.decided_by or (asking if question.kind == "choice" else None)

    def beat_number(self, id_: str) -> int | None:
        """Find a beat's place, from 0."""
        return next((n for n, beat in enumerate(self.beats) if beat.id == id_), None)

    def page_data(self, titles: dict[str, dict[tuple[str, str], str]]) -> dict[str, Any]:
        """Return what a page may know of a lesson, never what is right. `titles`: of sections, by language."""

        def titled(kind: str, id_: str) -> dict[str, str]:
            return {language: there.get((kind, id_), "") for language, there in titles.items()}

        return {
            "lesson": self.path,
            "slug": self.slug,
            "kind": self.kind,
            "subjects": list(self.subjects),
            "minutes": self.minutes,
            "level": self.level,
            "titles": titled("lesson", ""),
            "beats": [{**_beat(beat), "title": titled("beat", beat.id)} for beat in self.beats],
            "questions": [_question(one) for one in self.questions],
            "check": list(self.last_questions),
            "sources": [one.page_data() for one in self.sources],
            "checks": [{"id": check.id} for check in self.checks],
            "ask": [{"question": ask.question, "before": ask.before} for ask in self.ask],
            "hints": self.hints,
            "solution": [_typed(step) for step in self.solution if isinstance(step, Run)],
        }


def _typed(step: Run) -> str:
    return f"{step.line} &" if step.background else step.line


def _beat(beat: Beat) -> dict[str, Any]:
    myth, hand_over = beat.myth, beat.hand_over
    return {
        "id": beat.id,
        "layer": beat.layer,
        "focus": list(beat.focus),
        "open": beat.open,
        "question": beat.question,
        "myth": myth.page_data() if myth else None,
        "handOver": {"suggest": hand_over.suggest} if hand_over else None,
    }


def _question(question: Question) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": question.id, "kind": question.kind}
    match question.kind:
        case "choice":
            return {**facts, "options": list(question.options), "many": question.many}
        case "order":
            return {**facts, "items": sorted(question.items)}
        case _:
            return {**facts, "unit": question.unit}


__all__ = [
    "EXERCISE",
    "INCIDENT",
    "INCIDENTS",
    "LANGUAGES",
    "WALKTHROUGH",
    "Ask",
    "Beat",
    "Event",
    "HandOver",
    "Lesson",
    "Mark",
    "NearMiss",
]
