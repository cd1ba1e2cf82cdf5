"""The learner's map: every subject with what teaches it, what practises it and what can break in it.

Nothing of it is written down twice. A lesson names its subjects, a fault's card names the lessons that teach the fault,
so a fault belongs to the subjects of its lessons; and a subject stands in the course in which its first lesson stands.
What has no lesson is shown too: a subject as one to come, a fault with its card.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from cluster_engine.words.languages import document
from visualizer import fault_cards, lesson_cards, subjects
from visualizer.lesson_cards import Card
from visualizer.lessons.courses import course_of, courses, ordered
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Lesson
from visualizer.people.notes import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that can break, and where its card is."""

    name: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A row of the map."""

    number: int
    name: str
    walkthroughs: tuple[Card, ...]
    exercises: tuple[Card, ...]
    faults: tuple[Fault, ...]

    @property
    def cards(self) -> tuple[Card, ...]:
        """All its lessons."""
        return self.walkthroughs + self.exercises

    @property
    def done(self) -> int:
        """How many of its lessons are done."""
        return sum(card.mark == "done" for card in self.cards)

    @property
    def state(self) -> str:
        """Return "done" when all its lessons are, "begun" when one is begun or done, else ""."""
        if self.cards and self.done == len(self.cards):
            return "done"
        return "begun" if any(card.mark for card in self.cards) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The subjects of one course; `url` is empty for what has no lesson yet."""

    id: str
    title: str
    url: str
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many subjects are done, begun and neither."""

    done: int
    begun: int
    untouched: int

    @property
    def started(self) -> bool:
        """Whether anything is known of this learner."""
        return bool(self.done or self.begun)


def regions(notes: Mapping[str, Note]) -> list[Region]:
    """Return all subjects by course, in the order of their numbers; `notes` are somebody's, by lesson."""
    lessons = ordered()
    faults = _subjects_of_faults(lessons)
    homes: dict[str, list[Subject]] = {}
    for number in subjects.SUBJECTS:
        of_it = [lesson for lesson in lessons if number in lesson.subjects]
        course = course_of(of_it[0].path) if of_it else None
        cards = [card for one in of_it if (card := lesson_cards.card(one, notes.get(one.path))) is not None]
        breaking = [name for name, taught in faults.items() if number in taught]
        homes.setdefault(course.id if course is not None else "", []).append(_subject(number, cards, breaking))
    language = lesson_cards.language()
    named = [(course.id, course.titles[language], reverse("course", args=[course.id])) for course in courses()]
    named.append(("", gettext("To come"), ""))
    return [
        Region(id=id_ or "to-come", title=title, url=url, subjects=tuple(homes[id_]))
        for id_, title, url in named
        if id_ in homes
    ]


def standing(regions: list[Region]) -> Standing:
    """Return how many of all subjects are in which state."""
    states = Counter(subject.state for region in regions for subject in region.subjects)
    return Standing(done=states["done"], begun=states["begun"], untouched=states[""])


def other_faults() -> list[Fault]:
    """Return the faults that no lesson teaches."""
    return [_fault(name) for name, taught in _subjects_of_faults(ordered()).items() if not taught]


def _subject(number: int, cards: list[Card], faults: list[str]) -> Subject:
    return Subject(
        number=number,
        name=subjects.subject(number),
        walkthroughs=tuple(card for card in cards if card.kind == WALKTHROUGH),
        exercises=tuple(card for card in cards if card.kind == EXERCISE),
        faults=tuple(_fault(name) for name in faults),
    )


def _subjects_of_faults(lessons: list[Lesson]) -> dict[str, set[int]]:
    return {
        name: {number for lesson in lessons if lesson.path in facts["lessons"] for number in lesson.subjects}
        for name, facts in fault_cards.facts().items()
    }


def _fault(name: str) -> Fault:
    names = document(lesson_cards.language())
    return Fault(name=name, title=names[f"fault.{name}.name"], url=f"{reverse('fault_cards')}#{name}")


__all__ = ["Fault", "Region", "Standing", "Subject", "other_faults", "regions", "standing"]
