"""Label and field selectors: parse a query parameter once, then ask `matches` of many objects.

Modelled on `apimachinery/pkg/labels/selector.go` (grammar and error texts) and `apimachinery/pkg/fields/selector.go`.
Requirements are joined by "and". A label that is missing satisfies `!=` and `notin`; it never satisfies `=` or `in`.

    >>> selector = parse_label("app=web,tier in (front, back),!canary")
    >>> selector.matches({"app": "web", "tier": "back"}), selector.matches({"app": "web", "canary": ""})
    (True, False)
    >>> str(selector)
    'app=web,!canary,tier in (back,front)'
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cluster_engine.api.names import label_value_problems, qualified_name_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind, field_path
from cluster_engine.api.status import BadRequest
from cluster_engine.api.strconv import parse_int

_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_TOKEN = re.compile(r"(==|!=|[=!(),<>])|([^\s=!(),<>]+)")


class Requirement(msgspec.Struct, frozen=True):
    """One condition on one label; `values` is empty for `exists` and `!`."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether these labels satisfy it."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "in":
                return value in self.values
            case "!=" | "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return value is not None and _compares(value, self.operator, self.values)

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{self.operator}{next(iter(self.values))}"


def _compares(value: str, operator: str, values: frozenset[str]) -> bool:
    (bound,) = values
    try:
        number, limit = parse_int(value), parse_int(bound)
    except ValueError:
        return False
    return number > limit if operator == ">" else number < limit


def _is_integer(text: str) -> bool:
    try:
        parse_int(text)
    except ValueError:
        return False
    return True


class LabelSelector(msgspec.Struct, frozen=True):
    """All requirements must hold; without any it selects everything. `nothing` selects nothing at all."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @property
    def everything(self) -> bool:
        """True when no object can be left out."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Return whether an object with these labels is selected."""
        if self.nothing:
            return False
        found = labels or {}
        for requirement in self.requirements:  # noqa: SIM110, a generator would cost more than the test
            if not requirement.matches(found):
                return False
        return True

    def __str__(self) -> str:
        return ",".join(str(each) for each in sorted(self.requirements, key=lambda each: each.key))


NOTHING = LabelSelector(nothing=True)


def parse_label(text: str | None) -> LabelSelector:
    """Parse `labelSelector=`. Raises BadRequest in the words of `labels.Parse`."""
    if not text or not text.strip():
        return LabelSelector()
    return LabelSelector(tuple(_Parser(text).requirements()))


class _Parser:
    """Recursive descent over the selector's tokens; `("", "")` is the end of the text."""

    def __init__(self, text: str) -> None:
        self.tokens = [(mark, word) for mark, word in _TOKEN.findall(text)]
        self.at = 0

    def peek(self) -> str:
        mark, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        return mark or word

    def is_word(self) -> bool:
        return self.at < len(self.tokens) and bool(self.tokens[self.at][1])

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            if not self.is_word() and self.peek() != "!":
                expected = "identifier after ','" if found else "!, identifier, or 'end of string'"
                raise BadRequest(f"found '{self.peek()}', expected: {expected}")
            try:
                found.append(self.requirement())
            except BadRequest as problem:
                raise BadRequest(f"unable to parse requirement: {problem.message}") from None
            after = self.take()
            if not after:
                return found
            if after != ",":
                raise BadRequest(f"found '{after}', expected: ',' or 'end of string'")

    def requirement(self) -> Requirement:
        negated = self.peek() == "!"
        if negated:
            self.take()
        if not self.is_word():
            raise BadRequest(f"found '{self.peek()}', expected: identifier")
        key = self.take()
        _require(key, "key", qualified_name_problems)
        if self.peek() in ("", ","):
            return Requirement(key, "!" if negated else "exists")
        operator = self.take()
        if operator in ("in", "notin"):
            return _checked(key, operator, self.several_values())
        if operator in ("=", "==", "!=", ">", "<", "gt", "lt"):
            operator = {"==": "=", "gt": ">", "lt": "<"}.get(operator, operator)
            return _checked(key, operator, frozenset({self.take() if self.is_word() else ""}))
        raise BadRequest(f"found '{operator}', expected: {_OPERATORS}")

    def several_values(self) -> frozenset[str]:
        if self.peek() != "(":
            raise BadRequest(f"found '{self.peek()}' expected: '('")
        self.take()
        values = {self.take() if self.is_word() else ""}
        while self.peek() == ",":
            self.take()
            values.add(self.take() if self.is_word() else "")
        if self.peek() != ")":
            raise BadRequest(f"found '{self.peek()}', expected: ',' or ')'")
        self.take()
        return frozenset(values)


def _checked(key: str, operator: str, values: frozenset[str]) -> Requirement:
    if operator in (">", "<") and not all(map(_is_integer, values)):
        raise BadRequest("for 'Gt', 'Lt' operators, the value must be an integer")
    for value in sorted(values):
        _require(value, "values[0]", label_value_problems, key)
    return Requirement(key, operator, values)


def _require(text: str, what: str, problems_of: Callable[[str], list[str]], key: str = "") -> None:
    problems = problems_of(text)
    if problems:
        where = f"values[0][{key}]" if key else what
        raise BadRequest(f'{where}: Invalid value: "{text}": {"; ".join(problems)}')


_OBJECT_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def label_selector_from_object(selector: Mapping[str, Any] | None) -> LabelSelector:
    """Make the selector of a `LabelSelector` object. A missing one selects nothing, an empty one everything.

    Raises BadRequest for an unknown operator.
    """
    if selector is None:
        return NOTHING
    pairs: Mapping[str, str] = selector.get("matchLabels") or {}
    found = [Requirement(key, "=", frozenset({value})) for key, value in pairs.items()]
    for expression in selector.get("matchExpressions") or ():
        operator = _OBJECT_OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise BadRequest(f'"{expression.get("operator", "")}" is not a valid label selector operator')
        found.append(Requirement(expression["key"], operator, frozenset(expression.get("values") or ())))
    return LabelSelector(tuple(found))


class FieldRequirement(msgspec.Struct, frozen=True):
    """One field must (or must not) have one value."""

    label: str
    get: Callable[[Object], str]
    value: str
    negated: bool

    def __str__(self) -> str:
        return f"{self.label}{'!=' if self.negated else '='}{self.value}"


class FieldSelector(msgspec.Struct, frozen=True):
    """All requirements must hold; without any it selects everything."""

    requirements: tuple[FieldRequirement, ...] = ()

    @property
    def everything(self) -> bool:
        """True when no object can be left out."""
        return not self.requirements

    def matches(self, obj: Object) -> bool:
        """Return whether this object is selected."""
        for each in self.requirements:  # noqa: SIM110, a generator would cost more than the test
            if (each.get(obj) == each.value) is each.negated:
                return False
        return True

    def exact(self, label: str) -> str | None:
        """Return the one value a field must have, if the selector says so: a list by name is nearly a get."""
        return next((each.value for each in self.requirements if each.label == label and not each.negated), None)

    def __str__(self) -> str:
        return ",".join(str(each) for each in self.requirements)


_METADATA_LABELS = {label: field_path(label) for label in ("metadata.name", "metadata.namespace")}


def parse_field(kind: Kind, text: str | None) -> FieldSelector:
    """Parse `fieldSelector=` for a kind. Raises BadRequest for bad syntax and for a field not to select by."""
    if not text:
        return FieldSelector()
    return FieldSelector(tuple(_field_requirement(kind, term) for term in _terms(text) if term))


def _terms(text: str) -> list[str]:
    return re.split(r"(?<!\\),", text)


def _field_requirement(kind: Kind, term: str) -> FieldRequirement:
    parts = re.split(r"(?<!\\)(!=|==|=)", term, maxsplit=1)
    if len(parts) != 3:
        raise BadRequest(f"invalid selector: '{term}'; can't understand '{term}'")
    label, operator, value = parts
    get = kind.field_labels.get(label) or _METADATA_LABELS.get(label)
    if get is None:
        if kind.field_labels:
            raise BadRequest(f"field label not supported: {label}")
        raise BadRequest(f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"')
    return FieldRequirement(label, get, re.sub(r"\\([\\,=])", r"\1", value), operator == "!=")
