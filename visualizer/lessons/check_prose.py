"""Does the prose say everything that the lesson has, in every language, and nothing else?"""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Lesson
from visualizer.lessons.myths import Myth
from visualizer.lessons.prose import Link, Prose, Section
from visualizer.lessons.questions import Question
from visualizer.lessons.source import LessonError

Key = tuple[str, str]

MAY_BE_EMPTY = ("question", "check")
OPTIONAL = (("differs", ""), ("goal", ""))

WORDS_A_MINUTE = 180
SECONDS_A_STEP = 20
MINUTES_OVER_MAX = 3
WORDS_MAX = 900
"""Of a walkthrough's beats, in each language."""
_TAG = re.compile(r"<[^<>]*>")


def compare(lesson: Lesson, texts: dict[str, Prose], lessons: Collection[str]) -> list[LessonError]:
    """Find what is missing and what is left over; `lessons` are the paths that links may lead to."""
    expected = dict(_expected(lesson))
    chosen = {(one.kind, one.id) for text in texts.values() for one in text.sections} & set(OPTIONAL)
    expected |= {key: 1 for key in chosen if key not in expected}
    errors: list[LessonError] = []
    for text in texts.values():
        errors += _sections(lesson, text, expected)
        errors += [error for question in lesson.questions for error in _question(question, text)]
        errors += [error for beat in lesson.beats if beat.myth for error in _myth(beat.myth, text)]
        errors += [error for link in text.links for error in _link(link, lesson, text, lessons)]
    return errors + list(_length(lesson, texts))


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a walkthrough is in one language: `words` of its beats, `minutes` to read it and do what it asks."""

    words: int
    minutes: int


def measure(lesson: Lesson, text: Prose) -> Measure:
    """Count the words of a walkthrough and the minutes: 180 words each, and 20 s for each beat and question."""
    told = [section for section in text.sections if section.kind == "beat"]
    asked = [section for section in text.sections if section.kind == "question"]
    words = sum(_words(section.html) for section in told)
    read = words + sum(_words(" ".join((section.title, section.html, *section.options.values()))) for section in asked)
    steps = len(lesson.beats) + len(lesson.questions)
    return Measure(words, math.ceil(read / WORDS_A_MINUTE + steps * SECONDS_A_STEP / 60))


def _length(lesson: Lesson, texts: dict[str, Prose]) -> Iterator[LessonError]:
    """Refuse a walkthrough that is too long, or takes other minutes than it names."""
    if lesson.kind != WALKTHROUGH or not texts:
        return
    measures = {language: measure(lesson, text) for language, text in texts.items()}
    for language, one in measures.items():
        if one.words > WORDS_MAX:
            problem = f"its beats have {one.words} words"
            yield LessonError(texts[language].file, 1, problem, f"cut them to {WORDS_MAX}")
    minutes = max(one.minutes for one in measures.values())
    if not minutes <= lesson.minutes <= minutes + MINUTES_OVER_MAX:
        problem = f"reading and doing it takes {minutes} minutes, not {lesson.minutes}"
        yield LessonError(lesson.file, 1, problem, f"write minutes: {minutes}")


def _words(html: str) -> int:
    return len(_TAG.sub(" ", html).split())


def _expected(lesson: Lesson) -> Iterator[tuple[Key, int]]:
    """Yield each section that must be there, with the line of what it speaks of."""
    for beat in lesson.beats:
        yield ("beat", beat.id), beat.line
        if beat.myth is not None:
            yield ("myth", beat.myth.id), beat.line
    for question in lesson.questions:
        yield ("question", question.id), question.line
    for check in lesson.checks:
        yield ("check", check.id), check.line
    for debrief in lesson.debriefs:
        yield ("debrief", debrief.id), debrief.line
    for number in range(1, lesson.hints + 1):
        yield ("hint", str(number)), 1
    if lesson.kind == EXERCISE:
        yield ("goal", ""), 1
        yield ("solution", ""), 1


def _sections(lesson: Lesson, text: Prose, expected: dict[Key, int]) -> Iterator[LessonError]:
    there = {(one.kind, one.id): one for one in text.sections}
    for key, line in expected.items():
        if key not in there:
            remedy = f"write the section ## {_name(key)}: Title (lesson.yaml, line {line})"
            yield LessonError(text.file, 1, f"there is no {_name(key)}", remedy)
    for key, section in there.items():
        if key not in expected:
            problem = f"lesson.yaml has no {_name(key)}"
            yield LessonError(text.file, section.line, problem, "remove the section, or mend its id")
        elif not section.html.strip() and section.kind not in MAY_BE_EMPTY:
            yield LessonError(text.file, section.line, f"{_name(key)} says nothing", "write its text below the heading")


def _question(question: Question, text: Prose) -> Iterator[LessonError]:
    section = text.section("question", question.id)
    if section is None:
        return
    known = question.options or question.items
    yield from _items(section, known, "option", f"options are {', '.join(known) or 'not there for a number'}", text)
    yield from _answers(question, section, text)


def _myth(myth: Myth, text: Prose) -> Iterator[LessonError]:
    section = text.section("myth", myth.id)
    if section is not None:
        known = ", ".join(myth.said)
        remedy = f"its arrows say {known}" if known else "give an arrow says: in lesson.yaml, or take the item away"
        yield from _items(section, myth.said, "label", remedy, text)


def _items(section: Section, known: Collection[str], what: str, remedy: str, text: Prose) -> Iterator[LessonError]:
    """Compare a section's list items with the ids that lesson.yaml has."""
    for one in known:
        if one not in section.options:
            problem = f"the {what} {one} of {section.id} has no text"
            yield LessonError(text.file, section.line, problem, f"add the list item - {one}: text")
    for one in section.options:
        if one not in known:
            yield LessonError(text.file, section.line, f"{section.id} has no {what} {one}", remedy)


def _answers(question: Question, section: Section, text: Prose) -> Iterator[LessonError]:
    wrong = [option for option in question.options if option not in question.right]
    own = {f"wrong {option}" for option in wrong}
    said = section.answers
    if "right" not in said:
        yield LessonError(
            text.file, section.line, f"nothing is said to the right answer of {question.id}", "add ### right"
        )
    if "wrong" not in said and not (own and own <= set(said)):
        remedy = "add ### wrong, or ### wrong <option> for each"
        yield LessonError(text.file, section.line, f"nothing is said to a wrong answer of {question.id}", remedy)
    for name in said:
        if name not in ("right", "wrong", *own):
            remedy = f"wrong options are {', '.join(wrong) or 'none'}"
            yield LessonError(text.file, section.line, f"{question.id} cannot be answered {name!r}", remedy)


def _link(link: Link, lesson: Lesson, text: Prose, lessons: Collection[str]) -> Iterator[LessonError]:
    targets: Collection[str]
    match link.kind:
        case "beat":
            targets = [beat.id for beat in lesson.beats]
        case "mark":
            targets = [mark.id for mark in lesson.marks]
        case "check":
            targets = [check.id for check in lesson.checks]
        case "lesson":
            targets = lessons
        case _:
            return
    if link.target not in targets:
        remedy = f"there are {', '.join(sorted(targets))}" if targets else f"there is no {link.kind} in this lesson"
        yield LessonError(text.file, link.line, f"{link.kind}:{link.target} leads nowhere", remedy)


def _name(key: Key) -> str:
    return " ".join(key).strip()


__all__ = ["Measure", "compare", "measure"]
