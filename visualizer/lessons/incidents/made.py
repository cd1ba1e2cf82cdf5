"""From a seed to an incident: which case, when it begins, and the questions by which the learner deals with it.

    noticed     "something is wrong": right once the fault has begun, before that a false alarm, and may be said again
    diagnosis   {"fault", "target"}: right once it has begun and both are right; a wrong one says nothing but that
    remedy      what to do about it, once it is named; what is not the learner's to do happens then, by an event

Secrecy: what the page is told is the same for all incidents but for the seed, the fault is sealed, and the names
`began` and `seen` are kept back until it is solved. Whoever has this source code can work out what a seed means.

    case_of("2026-11-27").place         ("stop", "control-plane/kube-scheduler")
    make("2026-11-27").path             "incidents/2026-11-27"
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cluster_engine import faults, predicates
from cluster_engine.faults import FAULTS
from cluster_engine.predicates import Held, Predicate
from visualizer.lessons.incidents.cases import CASES, MINE, Case, Document, Place, Remedy
from visualizer.lessons.lesson import INCIDENT, Ask, Event, Lesson, Mark
from visualizer.lessons.questions import Question, Verdict
from visualizer.lessons.steps import Break, Heal, Run, Step, Until

FOLDER = Path(__file__).parent
SLUG = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,9}")
NODES = 2
MINUTES = 10
LEVEL = 2
HINTS = 3
BEGINS_SECONDS = (40, 120)
SEED_MAX = 2**31 - 1
TARGET_LENGTH_MAX = 256
NAMES = ("began", "seen", "mended", "noticed", "diagnosed", "repaired")
QUESTIONS = ("noticed", "diagnosis", "remedy")

DEPLOY = "kubectl create deployment web --image=nginx --replicas=2"
CHANGE = (
    "while true; do kubectl scale deployment web --replicas=4; sleep 30; "
    "kubectl scale deployment web --replicas=2; sleep 30; done > scaling.log 2>&1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Question):
    """Something is wrong: right once it is."""

    def accept(self, answer: Any) -> Any:
        """Take anything: there is nothing to choose."""
        return True

    def judge(self, answer: Any, held: Mapping[str, Held], decided_by: str | None = None) -> Verdict | None:
        """See Question."""
        return Verdict("began" in held, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Question):
    """What is broken, and where; `places` are right answers, the first of them the truth that is told."""

    places: tuple[Place, ...]

    def accept(self, answer: Any) -> Any:
        """Take a fault and a target. ValueError, in words for a person."""
        match answer:
            case {"fault": str(fault), "target": str(target)} if fault in FAULTS and len(target) <= TARGET_LENGTH_MAX:
                return {"fault": fault, "target": target.strip()}
        raise ValueError("A diagnosis names a fault and where it is.")

    def judge(self, answer: Any, held: Mapping[str, Held], decided_by: str | None = None) -> Verdict | None:
        """See Question. Nothing is right before it has begun."""
        fault, target = self.places[0]
        right = "began" in held and (answer["fault"], answer["target"]) in self.places
        return Verdict(right, {"fault": fault, "target": target})


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Question):
    """What is done about it. Nothing is right before it has been named: it would be ended, and so be told."""

    def judge(self, answer: Any, held: Mapping[str, Held], decided_by: str | None = None) -> Verdict | None:
        """See Question."""
        return Verdict("diagnosed" in held and answer in self.right, self.right[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Lesson):
    """A lesson made from a seed. What it is about is in `case`, which no page is told."""

    case: Case

    @property
    def untold(self) -> frozenset[str]:
        """See Lesson."""
        return frozenset({"began", "seen", "mended"})


def case_of(slug: str) -> Case | None:
    """Return what a seed means; None when it is none. Within as many days as there are cases, each comes once."""
    if not SLUG.fullmatch(slug):
        return None
    try:
        number = int(slug) if slug.isdigit() else date.fromisoformat(slug).toordinal()
    except ValueError:
        return None
    cycle, place = divmod(number, len(CASES))
    return random.Random(f"incidents {'by number' if slug.isdigit() else 'of days'} {cycle}").sample(CASES, len(CASES))[
        place
    ]


def make(slug: str, case: Case | None = None) -> Incident | None:
    """Make the incident of a seed; None when it is no seed. `case`: this one instead, for tests."""
    case = case or case_of(slug)
    if case is None:
        return None
    rng = random.Random(f"beginning of incident {slug}")
    return Incident(
        kind=INCIDENT,
        slug=slug,
        subjects=(),
        minutes=MINUTES,
        level=LEVEL,
        nodes=NODES,
        seed=rng.randint(1, SEED_MAX),
        folder=FOLDER,
        sources=(),
        case=case,
        start=_start(case, rng.randint(*BEGINS_SECONDS)),
        marks=_marks(case),
        questions=_questions(case),
        events=_events(case),
        checks=tuple(Mark(id=name, when=_read(when)) for name, when in _checks(case).items()),
        ask=(Ask("remedy"),),
        hints=HINTS,
    )


def _read(document: Document) -> Predicate:
    return predicates.read(document, NAMES, QUESTIONS)


def _start(case: Case, seconds: int) -> tuple[Step, ...]:
    running = {"objects": {"resource": "pods", "name": "web-*", "where": {"status.phase": "Running"}, "count": 2}}
    return (
        Run(line=DEPLOY),
        Until(predicate=_read(running), within=120.0),
        Run(line=CHANGE, code=None, background=True),
        Break(fault=faults.read({**case.fault, "start": float(seconds)}), sealed=True),
    )


def _marks(case: Case) -> tuple[Mark, ...]:
    mended = {"answered": {"question": "diagnosis" if case.remedy in MINE else "remedy", "right": True}}
    documents = {"began": {"entry": {"kind": "fault.started"}}, "seen": case.seen, "mended": mended}
    return tuple(Mark(id=name, when=_read(when)) for name, when in documents.items())


def _questions(case: Case) -> tuple[Question, ...]:
    return (
        Alarm(id="noticed", kind="alarm"),
        Diagnosis(id="diagnosis", kind="diagnosis", places=(case.place, *case.also)),
        Treatment(id="remedy", kind="choice", options=tuple(Remedy), right=(case.remedy,)),
    )


def _checks(case: Case) -> dict[str, Document]:
    named = {"answered": {"question": "diagnosis", "right": True}}
    return {
        "noticed": {"any": [{"answered": {"question": "noticed", "right": True}}, named]},
        "diagnosed": named,
        "repaired": {"all": [{"reached": "diagnosed"}, case.works]},
    }


def _events(case: Case) -> tuple[Event, ...]:
    """Do what is not the learner's to do; and once it works, end what is left of the fault, so that it is told."""
    name = "repaired" if case.remedy in MINE else "mended"
    return (Event(id="heal", when=_read({"reached": name}), do=(Heal(name=None),)),)


__all__ = ["SLUG", "Alarm", "Diagnosis", "Incident", "case_of", "make"]
