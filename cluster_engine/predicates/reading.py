"""From a document (YAML, JSON) to a predicate, or to an error that says where, what and how to mend it.

A document is a mapping with one key, the predicate's kind:

    read({"entry": {"kind": "tls.alert"}})
    read({"entry": {"knd": "x"}})     PredicateError(("entry", "knd"), "there is no key knd", "keys are kind, …")
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from cluster_engine.deeds import RefusedDeedError
from cluster_engine.predicates import paths
from cluster_engine.predicates import predicate as p
from cluster_engine.predicates.matching import Absent, Between, Differs, Equal, Glob, Matcher, OneOf

DEPTH_MAX = 8
PARTS_MAX = 32
TEXT_LENGTH_MAX = 512
COUNT_MAX = 100_000
SECONDS_MAX = 86_400.0
LAYERS = ("story", "http", "tls", "tcp")
TRIGGERS = ("command", "timer", "fault", "signal", "start")
ENTRY_KEYS = ("kind", "from", "to", "label", "layer", "trigger", "heartbeat", "fields", "same", "nth", *p.RELATIONS)
OBJECTS_KEYS = ("resource", "group", "namespace", "name", "where", "count")

Where = tuple[Any, ...]


class PredicateError(RefusedDeedError):
    """A document is no predicate. `path` leads to the place, `remedy` says how to mend it."""

    def __init__(self, path: Where, problem: str, remedy: str) -> None:
        place = ".".join(map(str, path))
        super().__init__(f"{place}: {problem}; {remedy}" if place else f"{problem}; {remedy}")
        self.path, self.problem, self.remedy = path, problem, remedy


def read(document: Any, names: Collection[str] = (), questions: Collection[str] = ()) -> p.Predicate:
    """Make a predicate of a document. `names` and `questions` are those it may refer to. PredicateError."""
    return _Reader(names, questions).predicate(document, (), 0)


def read_entry(document: Any) -> p.Entry:
    """Make the description of an entry, alone. PredicateError."""
    return _Reader((), ()).entry(document, ("entry",), 1)


class _Reader:
    def __init__(self, names: Collection[str], questions: Collection[str]) -> None:
        self._names, self._questions = names, questions
        self._kinds: dict[str, Callable[[Any, Where, int], p.Predicate]] = {
            "entry": self.entry,
            "objects": self._objects,
            "answered": self._answered,
            "reached": lambda value, at, _: p.Reached(self._name(value, at)),
            "passed": self._passed,
            "all": lambda value, at, depth: p.All(self._parts(value, at, depth)),
            "any": lambda value, at, depth: p.Any(self._parts(value, at, depth)),
            "not": lambda value, at, depth: p.Not(self.predicate(value, at, depth)),
        }

    def predicate(self, document: Any, at: Where, depth: int) -> p.Predicate:
        kinds = ", ".join(self._kinds)
        if depth > DEPTH_MAX:
            _wrong(at, "this is nested too deeply", f"nest at most {DEPTH_MAX} levels")
        if not isinstance(document, Mapping) or len(document) != 1:
            _wrong(at, f"a predicate is a mapping with exactly one key, not {_shown(document)}", f"keys are {kinds}")
        ((key, value),) = document.items()
        if key not in self._kinds:
            _wrong((*at, key), f"there is no predicate {key}", f"predicates are {kinds}")
        return self._kinds[key](value, (*at, key), depth + 1)

    def _parts(self, value: Any, at: Where, depth: int) -> tuple[p.Predicate, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= PARTS_MAX:
            _wrong(at, f"this is a list of predicates, not {_shown(value)}", f"give 1 to {PARTS_MAX} in a list")
        return tuple(self.predicate(part, (*at, n), depth) for n, part in enumerate(value))

    # -- leaves --------------------------------------------------------------------------------------------------------

    def entry(self, value: Any, at: Where, _: int) -> p.Entry:
        """Read what an entry is to be like."""
        _keys(value, at, ENTRY_KEYS)
        own = [key for key in ("from", "to", "label", "layer", "trigger", "heartbeat") if key in value]
        entry = p.Entry(
            kind=_matcher(value["kind"], (*at, "kind")) if "kind" in value else None,
            own=tuple((key, _own(key, value[key], (*at, key))) for key in own),
            fields=_where(value.get("fields", {}), (*at, "fields")),
            same=self._same(value.get("same", {}), (*at, "same")),
            nth=_whole(value.get("nth", 1), (*at, "nth"), 1),
            **{key: self._name(value[key], (*at, key)) for key in p.RELATIONS if key in value},
        )
        if not (entry.kind or entry.own or entry.fields or entry.names):
            _wrong(at, "any entry fits this", f"say what it is like: {', '.join(ENTRY_KEYS)}")
        return entry

    def _same(self, value: Any, at: Where) -> p.Same:
        if not isinstance(value, Mapping) or len(value) > PARTS_MAX:
            _wrong(at, f"this is a mapping from a field to another's, not {_shown(value)}", "write {path: name.path}")
        found = []
        for key, theirs in value.items():
            name, _, path = _text(theirs, (*at, key)).partition(".")
            found.append((_path(key, (*at, key)), self._name(name, (*at, key)), _path(path, (*at, key))))
        return tuple(found)

    def _objects(self, value: Any, at: Where, _: int) -> p.Objects:
        _keys(value, at, OBJECTS_KEYS, needed=("resource",))
        texts = {key: _text(value[key], (*at, key)) for key in ("resource", "group", "namespace") if key in value}
        return p.Objects(
            **texts,
            name=_matcher(value["name"], (*at, "name")) if "name" in value else None,
            where=_where(value.get("where", {}), (*at, "where")),
            count=_count(value.get("count", {"least": 1}), (*at, "count")),
        )

    def _answered(self, value: Any, at: Where, _: int) -> p.Answered:
        _keys(value, at, ("question", "right"), needed=("question",))
        question, right = value["question"], value.get("right")
        if question not in self._questions:
            known = ", ".join(self._questions) or "none here"
            _wrong((*at, "question"), f"there is no question {_shown(question)}", f"questions are {known}")
        if right not in (None, True, False):
            _wrong((*at, "right"), f"right is true or false, not {_shown(right)}", "leave it out for any answer")
        return p.Answered(question, right)

    def _passed(self, value: Any, at: Where, _: int) -> p.Passed:
        _keys(value, at, ("since", "seconds"), needed=("since", "seconds"))
        seconds = value["seconds"]
        if not _is_number(seconds) or not 0 <= seconds <= SECONDS_MAX:
            _wrong((*at, "seconds"), f"{_shown(seconds)} is no number of seconds", f"give 0 to {SECONDS_MAX:g}")
        return p.Passed(self._name(value["since"], (*at, "since")), float(seconds))

    def _name(self, value: Any, at: Where) -> str:
        if not self._names:
            _wrong(at, "there are no names to refer to here", "say it without another predicate's name")
        if not isinstance(value, str) or value not in self._names:
            _wrong(at, f"there is no name {_shown(value)}", f"names are {', '.join(self._names)}")
        return value


# -- values ------------------------------------------------------------------------------------------------------------


def _own(key: str, value: Any, at: Where) -> Matcher:
    """Read a matcher for an entry's own key, with what can be known of that key."""
    known = {"layer": LAYERS, "trigger": TRIGGERS}.get(key)
    for one in value if isinstance(value, list) else (value,):
        if known and isinstance(one, str) and one not in known:
            _wrong(at, f"there is no {key} {one}", f"possible are {', '.join(known)}")
        if key in ("from", "to") and isinstance(one, str) and "/" not in one and not one.endswith("*"):
            _wrong(at, f"{one} is no participant", f'participants are host/program; write "*/{one}" for any host')
        if key == "heartbeat" and not isinstance(one, bool):
            _wrong(at, f"heartbeat is true or false, not {_shown(one)}", "say true or false")
    return _matcher(value, at)


def _matcher(value: Any, at: Where) -> Matcher:
    if value is None:
        return Absent()
    if isinstance(value, str):
        return (Glob if "*" in value or "?" in value else Equal)(_text(value, at))
    if isinstance(value, bool) or _is_number(value):
        return Equal(value)
    if isinstance(value, list) and 1 <= len(value) <= PARTS_MAX:
        return OneOf(tuple(_matcher(one, (*at, n)) for n, one in enumerate(value)))
    if isinstance(value, Mapping) and set(value) == {"not"} and len(at) < DEPTH_MAX * 4:
        return Differs(_matcher(value["not"], (*at, "not")))
    if isinstance(value, Mapping) and value and set(value) <= {"least", "most"}:
        return _bounds(value, at)
    remedy = "give a text, a number, a list, {least, most} or {not: …}"
    raise PredicateError(at, f"{_shown(value)} cannot be compared with", remedy)


def _bounds(value: Mapping[str, Any], at: Where) -> Between:
    for key, bound in value.items():
        if not _is_number(bound):
            _wrong((*at, key), f"{_shown(bound)} is no number", "give a number")
    return Between(value.get("least"), value.get("most"))


def _where(value: Any, at: Where) -> p.Where:
    if not isinstance(value, Mapping) or len(value) > PARTS_MAX:
        _wrong(at, f"this is a mapping from paths to what must be there, not {_shown(value)}", "write {path: value}")
    return tuple((_path(key, (*at, key)), _matcher(one, (*at, key))) for key, one in value.items())


def _path(key: Any, at: Where) -> paths.Path:
    try:
        return paths.parse(_text(key, at))
    except ValueError as problem:
        remedy = 'write a.b, a[key=value].b or a["dotted.key"].b'
        raise PredicateError(at, str(problem), remedy) from problem


def _count(value: Any, at: Where) -> Between:
    if isinstance(value, Mapping) and value and set(value) <= {"least", "most"}:
        return _bounds(value, at)
    exactly = _whole(value, at, 0)
    return Between(exactly, exactly)


def _whole(value: Any, at: Where, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= COUNT_MAX:
        _wrong(at, f"{_shown(value)} is no count", f"give a whole number from {least} to {COUNT_MAX}")
    return value


def _text(value: Any, at: Where) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LENGTH_MAX:
        _wrong(at, f"this is a text, not {_shown(value)}", f"give 1 to {TEXT_LENGTH_MAX} characters, in quotes")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _keys(value: Any, at: Where, known: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
    if not isinstance(value, Mapping):
        _wrong(at, f"this is a mapping, not {_shown(value)}", f"keys are {', '.join(known)}")
    for key in value:
        if key not in known:
            _wrong((*at, key), f"there is no key {key}", f"keys are {', '.join(known)}")
    for key in needed:
        if key not in value:
            _wrong(at, f"{key} is missing", f"add {key}")


def _shown(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def _wrong(at: Where, problem: str, remedy: str) -> NoReturn:
    raise PredicateError(at, problem, remedy)


__all__ = ["LAYERS", "PredicateError", "read"]
