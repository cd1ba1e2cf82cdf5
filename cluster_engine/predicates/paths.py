"""Dotted paths into JSON: which values lie there.

    status.phase                                        a key in a mapping
    status.conditions[type=Ready].status                of a list, the elements whose `type` is Ready
    spec.containers[0].image                            one element
    metadata.annotations["a.example/b"]                 a key that contains dots
    spec.containers.image                               of a list without brackets, every element

A path may lead to several values or to none; null and an empty list count as none.

    find({"a": [{"b": 1}, {"b": 2}]}, parse("a.b"))     -> [1, 2]
"""

import re
from typing import Any

Step = str | int | tuple[str, str]
"""A key, an element's number, or (key, value) that an element must have."""

Path = tuple[Step, ...]

_STEP = re.compile(
    r"""  \.? (?P<key> [^.\[\]"\s]+ )
        | \[ (?P<index> \d+ ) \]
        | \[ " (?P<quoted> [^"]+ ) " \]
        | \[ (?P<which> [^=\]"]+ ) = (?P<value> [^\]]* ) \]
    """,
    re.VERBOSE,
)


def parse(text: str) -> Path:
    """Read a path. ValueError when it is none."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found["key"] and (at > 0) != found.group().startswith(".")):
            raise ValueError(f"{text!r} is not a path")
        steps.append(_step(found))
        at = found.end()
    if not steps:
        raise ValueError("a path names at least one key")
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["which"]:
        return (found["which"].strip(), found["value"].strip())
    return int(found["index"]) if found["index"] else found["key"] or found["quoted"]


def find(document: Any, path: Path) -> list[Any]:
    """Return the values at `path`, in order."""
    values = [document]
    for step in path:
        values = [inner for value in values for inner in _go(value, step)]
    return [one for value in values for one in (value if isinstance(value, list) else (value,)) if one is not None]


def _go(value: Any, step: Step) -> list[Any]:
    if isinstance(step, int):
        return value[step : step + 1] if isinstance(value, list) else []
    if isinstance(step, tuple):
        key, wanted = step
        there = value if isinstance(value, list) else []
        return [one for one in there if isinstance(one, dict) and str(one.get(key)) == wanted]
    if isinstance(value, list):
        return [inner for one in value for inner in _go(one, step)]
    return [value[step]] if isinstance(value, dict) and step in value else []


__all__ = ["Path", "find", "parse"]
