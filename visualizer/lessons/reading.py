"""From `lesson.yaml` to a lesson, or to every mistake in it, each with its line and remedy.

Ids are gathered first, because predicates refer to one another by name in any order; then each part is read by itself,
so that one mistake hides no other. Names must not refer to each other in a circle: none of them could ever hold.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cluster_engine import predicates
from cluster_engine.predicates import Entry, Predicate, PredicateError, names_in
from cluster_engine.predicates.predicate import Objects, leaves
from cluster_engine.predicates.reading import LAYERS
from cluster_engine.stored import UnknownResourceError, resource
from visualizer.lessons import cluster_options
from visualizer.lessons.citations import Citation, claims_in, read_citation
from visualizer.lessons.lesson import EXERCISE, WALKTHROUGH, Ask, Beat, Event, Golf, HandOver, Lesson, Mark, NearMiss
from visualizer.lessons.myths import read_myth
from visualizer.lessons.questions import NUMBER_MAX, UNITS, Between, Question
from visualizer.lessons.reading_steps import SECONDS_MAX, StepReader
from visualizer.lessons.source import InvalidLessonError, Source, Where
from visualizer.lessons.yaml_values import Place, Problems, Wrong

BEATS_MAX = 12
MARKS_MAX = 60
QUESTIONS_MAX = 20
OPTIONS_MAX = 12
CHECKS_MAX = 20
HINTS_MAX = 10
NEAR_MISSES_MAX = 12
FOCUS_MAX = 20
EVENTS_MAX = 12
PAR_MAX = 100
SUBJECTS_OF_ONE_MAX = 4
LAST_QUESTIONS_MAX = 3
SOURCES_MAX = 40
NODES_MAX = 10
SEED_MAX = 2**32 - 1
TABS = ("what", "why", "headers", "body", "records", "bytes")

_ALWAYS = ("subjects", "minutes", "level", "cluster", "sources")
_BOTH = (*_ALWAYS, "start", "marks", "questions")
_OF_EXERCISES = ("catalogue", "checks", "ask", "hints", "golf", "events", "solution", "near-misses", "debriefs")
_KEYS = {WALKTHROUGH: (WALKTHROUGH, *_BOTH, "beats", "check"), EXERCISE: (EXERCISE, *_BOTH, *_OF_EXERCISES)}
_NEEDED = {WALKTHROUGH: (*_ALWAYS, "beats"), EXERCISE: (*_ALWAYS, "checks", "solution", "near-misses")}
_LEARNERS = ("answer", "hint")
_FIELDS = {"near-misses": "near_misses", "check": "last_questions"}  # where a key and its field are called otherwise


def read_lesson(folder: Path) -> Lesson:
    """Read a lesson's folder. InvalidLessonError with all mistakes."""
    source = Source.read(folder / "lesson.yaml")
    problems = Problems(source, [])
    lesson = problems.attempt(lambda: _Reader(source, problems, folder).lesson(), None)
    if problems.errors or lesson is None:
        raise InvalidLessonError(sorted(set(problems.errors)))
    return lesson


class _Reader:
    def __init__(self, source: Source, problems: Problems, folder: Path) -> None:
        self._source, self._problems, self._folder = source, problems, folder
        self._names: dict[str, Where] = {}
        self._circles: dict[str, frozenset[str]] = {}
        self._questions: dict[str, Question] = {}
        self._question_ids: list[str] = []
        self._steps = StepReader(source, problems, self._predicate, self._questions)

    # -- the whole -----------------------------------------------------------------------------------------------------

    def lesson(self) -> Lesson:
        root = Place(self._source.data, ())
        kind = next((one for one in _KEYS if isinstance(root.value, dict) and one in root.value), None)
        if kind is None:
            raise root.wrong("this is neither a walkthrough nor an exercise", "begin with walkthrough: or exercise:")
        keys = root.keys(_KEYS[kind], needed=_NEEDED[kind])
        self._gather_ids(keys)
        facts: dict[str, Any] = {"kind": kind, "folder": self._folder, "slug": self._slug(keys[kind])}
        self._take(facts, self._facts(keys))
        self._take(facts, self._parts(keys))
        if not self._problems.errors:
            self._refuse_circles()
        if self._problems.errors:
            raise InvalidLessonError(sorted(set(self._problems.errors)))
        return Lesson(**facts)

    def _take(self, facts: dict[str, Any], reads: Iterable[tuple[str, Callable[[], Any]]]) -> None:
        for name, read in reads:
            facts[name] = self._problems.attempt(read, None)

    def _slug(self, place: Place) -> str:
        if place.value != self._folder.name:
            self._problems.add(place.where, f"{place.value} is not the folder's name", f"write {self._folder.name}")
        return self._folder.name

    def _facts(self, keys: dict[str, Place]) -> list[tuple[str, Callable[[], Any]]]:
        return [
            ("subjects", lambda: _numbers(keys["subjects"])),
            ("minutes", lambda: keys["minutes"].whole(1, 120)),
            ("level", lambda: keys["level"].whole(1, 3)),
            ("nodes", lambda: self._cluster(keys["cluster"])["nodes"].whole(1, NODES_MAX)),
            ("seed", lambda: self._cluster(keys["cluster"])["seed"].whole(0, SEED_MAX)),
            ("system_pods", lambda: self._has(keys["cluster"], "system-pods")),
            ("audit", lambda: self._has(keys["cluster"], "audit")),
            ("key_lab", lambda: self._has(keys["cluster"], "key-lab")),
            ("etcd_members", lambda: self._etcd_members(keys["cluster"])),
        ]

    def _cluster(self, place: Place) -> dict[str, Place]:
        options = [name.replace("_", "-") for name in cluster_options.DEFAULTS]
        return place.keys(("nodes", "seed", *options), needed=("nodes", "seed"))

    def _has(self, place: Place, option: str) -> bool:
        wanted = self._cluster(place).get(option)
        return wanted is not None and wanted.flag()

    def _etcd_members(self, place: Place) -> int:
        wanted = self._cluster(place).get("etcd-members")
        if wanted is None or wanted.value in (1, 3):
            return 1 if wanted is None else int(wanted.value)
        raise wanted.wrong(f"{wanted.value!r} cannot be this", "give 1 or 3")

    def _parts(self, keys: dict[str, Place]) -> list[tuple[str, Callable[[], Any]]]:
        each = self._problems.each

        def near_miss(place: Place) -> NearMiss:
            return self._near_miss(place, keys)

        parts: list[tuple[str, Callable[[Place], Any]]] = [
            ("questions", lambda place: each(place.items(QUESTIONS_MAX), self._question)),  # first: steps answer them
            ("marks", lambda place: each(place.items(MARKS_MAX), self._mark)),
            ("start", lambda place: self._steps.read(place, without=_LEARNERS)),
            ("beats", lambda place: each(place.items(BEATS_MAX, 1), self._beat)),
            ("sources", self._sources),
            ("catalogue", lambda place: place.whole(1, 99)),
            ("events", lambda place: each(place.items(EVENTS_MAX), self._event)),
            ("check", self._last_questions),
            ("checks", lambda place: each(place.items(CHECKS_MAX, 1), self._mark)),
            ("ask", lambda place: each(place.items(QUESTIONS_MAX), self._ask)),
            ("hints", lambda place: place.whole(0, HINTS_MAX)),
            ("golf", self._golf),
            ("solution", self._steps.read),
            ("debriefs", lambda place: each(place.items(CHECKS_MAX), self._mark)),
            ("near-misses", lambda place: each(place.items(NEAR_MISSES_MAX, 1), near_miss)),
        ]
        return [
            (_FIELDS.get(name, name), lambda read=read, place=keys[name]: read(place))  # type: ignore[misc]
            for name, read in parts
            if name in keys
        ]

    # -- names ---------------------------------------------------------------------------------------------------------

    def _gather_ids(self, keys: dict[str, Place]) -> None:
        for part in ("beats", "marks", "checks"):
            for id_, where in _ids(keys, part):
                if id_ in self._names:
                    line = self._source.line(self._names[id_])
                    self._problems.add(where, f"the id {id_} is taken (line {line})", "beats, marks and checks differ")
                self._names[id_] = where
        for part in ("questions", "debriefs", "near-misses", "events"):
            seen: set[str] = set()
            for id_, where in _ids(keys, part):
                if id_ in seen:
                    self._problems.add(where, f"the id {id_} is there twice", "give each its own")
                seen.add(id_)
        self._question_ids = [id_ for id_, _ in _ids(keys, "questions")]

    def _predicate(self, place: Place) -> Predicate:
        try:
            predicate = predicates.read(place.value, tuple(self._names), tuple(self._question_ids))
        except PredicateError as error:
            raise Wrong((*place.where, *error.path), error.problem, error.remedy) from error
        for leaf in leaves(predicate):
            if isinstance(leaf, Objects):
                self._check_resource(leaf, place)
        return predicate

    def _check_resource(self, objects: Objects, place: Place) -> None:
        try:
            resource(objects.resource, objects.group)
        except UnknownResourceError as error:
            problem, _, remedy = str(error).partition("; ")
            raise place.wrong(problem, remedy) from error

    def _named(self, id_: str, predicate: Predicate) -> None:
        self._circles[id_] = names_in(predicate)

    def _refuse_circles(self) -> None:
        """Find names that wait for each other: what is left when all that can hold is taken away."""
        left = dict(self._circles)
        while free := [id_ for id_, needs in left.items() if not needs & left.keys()]:
            for id_ in free:
                del left[id_]
        for id_, needs in left.items():
            others = ", ".join(sorted(needs & left.keys()))
            self._problems.add(self._names[id_], f"{id_} waits for {others}, which waits for it", "break the circle")

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _mark(self, place: Place) -> Mark:
        keys = place.keys(("id", "when"), needed=("id", "when"))
        id_, when = keys["id"].identifier(), self._predicate(keys["when"])
        if place.where[0] != "debriefs":
            self._named(id_, when)
        return Mark(id=id_, when=when, line=self._source.line(place.where))

    def _question(self, place: Place) -> Question:
        known = {
            "choice": ("options", "right", "decided-by"),
            "order": ("items",),
            "number": ("unit", "truth", "tolerance"),
        }
        head = place.keys(("id", "kind", *(key for keys in known.values() for key in keys)), needed=("id", "kind"))
        kind = head["kind"].one_of(known, "kind of question")
        needed = [key for key in known[kind] if key != "decided-by"]
        keys = place.keys(("id", "kind", *known[kind]), needed=("id", "kind", *needed))
        read = {"choice": self._choice, "order": self._order, "number": self._number}[kind]
        id_ = keys["id"].identifier()
        made = Question(id=id_, kind=kind, line=self._source.line(place.where), **read(keys))
        self._questions[id_] = made
        return made

    def _choice(self, keys: dict[str, Place]) -> dict[str, Any]:
        options = tuple(one.identifier() for one in keys["options"].items(OPTIONS_MAX, 2))
        _refuse_twice(options, keys["options"])
        place = keys["right"]
        any_of = isinstance(place.value, dict)
        place = place.keys(("any",), needed=("any",))["any"] if any_of else place
        many = isinstance(place.value, list)
        right = place.items(OPTIONS_MAX, 2 if any_of else 1) if many or any_of else [place]
        return {
            "options": options,
            "right": tuple(one.one_of(options, "option") for one in right),
            "many": many and not any_of,
            "any_of": any_of,
            "decided_by": keys["decided-by"].one_of(self._names, "name") if "decided-by" in keys else None,
        }

    def _order(self, keys: dict[str, Place]) -> dict[str, Any]:
        groups = tuple(self._group(one) for one in keys["items"].items(OPTIONS_MAX, 2))
        _refuse_twice(tuple(item for group in groups for item in group), keys["items"])
        return {"groups": groups}

    def _group(self, place: Place) -> tuple[str, ...]:
        """Read one item of an order, or several that may come in either order."""
        items = place.items(OPTIONS_MAX, 2) if isinstance(place.value, list) else [place]
        return tuple(one.one_of(self._names, "name") for one in items)

    def _number(self, keys: dict[str, Place]) -> dict[str, Any]:
        place = keys["truth"]
        truth: Between | float
        if isinstance(place.value, dict):
            ends = place.keys(("from", "to"), needed=("from", "to"))
            truth = Between(ends["from"].one_of(self._names, "name"), ends["to"].one_of(self._names, "name"))
        else:
            truth = place.number(-NUMBER_MAX, NUMBER_MAX)
        return {
            "unit": keys["unit"].one_of(UNITS, "unit"),
            "truth": truth,
            "tolerance": keys["tolerance"].number(0, NUMBER_MAX),
        }

    def _beat(self, place: Place) -> Beat:
        known = ("id", "do", "anchor", "within", "layer", "focus", "open", "question", "myth", "hand-over")
        keys = place.keys(known, needed=("id", "anchor"))
        id_, anchor = keys["id"].identifier(), self._predicate(keys["anchor"])
        self._named(id_, anchor)
        optional: dict[str, Any] = {
            "do": lambda one: self._steps.read(one, without=_LEARNERS),
            "within": lambda one: one.number(0, SECONDS_MAX),
            "layer": lambda one: one.one_of(LAYERS, "layer"),
            "focus": lambda one: tuple(lane.text() for lane in one.items(FOCUS_MAX, 1)),
            "open": lambda one: one.one_of(TABS, "tab"),
            "question": lambda one: one.one_of(self._question_ids, "question"),
            "myth": lambda one: read_myth(one, self._names),
            "hand-over": self._hand_over,
        }
        facts = {key.replace("-", "_"): read(keys[key]) for key, read in optional.items() if key in keys}
        return Beat(id=id_, anchor=anchor, line=self._source.line(place.where), **facts)

    def _hand_over(self, place: Place) -> HandOver:
        if place.value is True:
            return HandOver()
        keys = place.keys(("suggest",))
        return HandOver(suggest=keys["suggest"].text() if "suggest" in keys else None)

    def _ask(self, place: Place) -> Ask:
        if isinstance(place.value, str):
            return Ask(place.one_of(self._question_ids, "question"))
        keys = place.keys(("question", "before"), needed=("question",))
        before = keys["before"].one_of(("start", "checks"), "such moment:") if "before" in keys else "start"
        return Ask(keys["question"].one_of(self._question_ids, "question"), before)

    def _event(self, place: Place) -> Event:
        keys = place.keys(("id", "when", "do"), needed=("id", "when", "do"))
        return Event(
            id=keys["id"].identifier(),
            when=self._predicate(keys["when"]),
            do=self._steps.read(keys["do"], without=_LEARNERS),
            line=self._source.line(place.where),
        )

    def _golf(self, place: Place) -> Golf:
        keys = place.keys(("counts", "par"), needed=("counts", "par"))
        try:
            counts = predicates.read({"entry": keys["counts"].value}, (), ())
        except PredicateError as error:
            raise Wrong((*keys["counts"].where, *error.path[1:]), error.problem, error.remedy) from error
        assert isinstance(counts, Entry)
        return Golf(counts=counts, par=keys["par"].whole(1, PAR_MAX), line=self._source.line(place.where))

    def _last_questions(self, place: Place) -> tuple[str, ...]:
        asked = tuple(one.one_of(self._question_ids, "question") for one in place.items(LAST_QUESTIONS_MAX, 1))
        _refuse_twice(asked, place)
        return asked

    def _sources(self, place: Place) -> tuple[Citation, ...]:
        claims = list(claims_in(self._source.data))

        def read(one: Place) -> Citation:
            return read_citation(one, claims, self._source.line(one.where))

        cited = self._problems.each(place.items(SOURCES_MAX, 1), read)
        without = [claim for claim in claims if not any(claim in one.of for one in cited)]
        if without:
            self._problems.add(place.where, f"{', '.join(without)} has no source", "name each in the of: of a source")
        return cited

    def _near_miss(self, place: Place, lesson: dict[str, Place]) -> NearMiss:
        keys = place.keys(("id", "play", "refuses", "debrief"), needed=("id", "play", "refuses"))
        checks = [id_ for id_, _ in _ids(lesson, "checks")]
        debriefs = [id_ for id_, _ in _ids(lesson, "debriefs")]
        return NearMiss(
            id=keys["id"].identifier(),
            play=self._steps.read(keys["play"]),
            refuses=tuple(one.one_of(checks, "check") for one in keys["refuses"].items(CHECKS_MAX, 1)),
            debrief=keys["debrief"].one_of(debriefs, "debrief") if "debrief" in keys else None,
            line=self._source.line(place.where),
        )


def _numbers(place: Place) -> tuple[int, ...]:
    return tuple(one.whole(1, 99) for one in place.items(SUBJECTS_OF_ONE_MAX, 1))


def _ids(keys: dict[str, Place], part: str) -> list[tuple[str, Where]]:
    """Return the ids of a part, as far as they are there; what is wrong with them is told when the part is read."""
    items = keys[part].value if part in keys and isinstance(keys[part].value, list) else []
    ids = [(one.get("id"), (part, n)) for n, one in enumerate(items) if isinstance(one, dict)]
    return [(id_, where) for id_, where in ids if isinstance(id_, str)]


def _refuse_twice(ids: tuple[str, ...], place: Place) -> None:
    for id_ in ids:
        if ids.count(id_) > 1:
            raise place.wrong(f"{id_} is there twice", "name each once")


__all__ = ["read_lesson"]
