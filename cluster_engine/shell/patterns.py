"""Patterns of `case` and `${NAME%pattern}`: whether one fits a text, or its beginning, or its end.

    fits([("*.y*ml", False)], "web.yaml", budget)                           True
    without_end([(".*", False)], "a.tar.gz", budget, is_long=False)         "a.tar"

Patterns are read by `globs`; what has stars is matched by RE2, which never goes back, for both pattern and text are
visitors'. It may still look at each character once for each part of the pattern: both lengths multiplied are at most
STEPS_MAX, or the pattern fits nothing, and are taken from the budget.
"""

from collections.abc import Sequence

from cluster_engine.shell import globs
from cluster_engine.shell.budget import Budget
from cluster_engine.shell.globs import STAR, OneOf, Piece

STEPS_MAX = 4 * 1024 * 1024
STEPS_A_BYTE = 4
"""How many steps cost as much as a byte of other work."""
_NOTHING = r"[^\x00-\x{10FFFF}]"


def fits(pieces: Sequence[Piece], text: str, budget: Budget) -> bool:
    """Return whether a pattern fits a whole text."""
    pattern = globs.pattern(pieces)
    if all(isinstance(one, str) for one in pattern):
        return "".join(map(str, pattern)) == text
    return _end(pattern, text, budget, end="$") is not None


def without_begin(pieces: Sequence[Piece], text: str, budget: Budget, *, is_long: bool) -> str:
    """Take the shortest, or longest, beginning that fits a pattern from a text."""
    end = _end(globs.pattern(pieces), text, budget, lazy="" if is_long else "?")
    return text if end is None else text[end:]


def without_end(pieces: Sequence[Piece], text: str, budget: Budget, *, is_long: bool) -> str:
    """Take the shortest, or longest, end that fits a pattern from a text."""
    end = _end(globs.pattern(pieces)[::-1], text[::-1], budget, lazy="" if is_long else "?")
    return text if end is None else text[: len(text) - end]


def _end(pattern: Sequence[str | OneOf], text: str, budget: Budget, *, lazy: str = "", end: str = "") -> int | None:
    """Return where a pattern ends that fits a text from its beginning; with `lazy` "?" a star takes little."""
    import re2

    steps = (len(pattern) + 1) * len(text)
    if max(steps, len(pattern)) > STEPS_MAX:
        return None
    budget.work(steps // STEPS_A_BYTE)
    options = re2.Options()
    options.log_errors, options.dot_nl = False, True
    try:
        compiled = re2.compile("".join(f".*{lazy}" if one is STAR else _one(one) for one in pattern) + end, options)
    except re2.error:
        return None
    found = compiled.match(text)
    return None if found is None else int(found.end())


def _one(one: str | OneOf) -> str:
    if isinstance(one, str):
        return _written(one)
    ranges = "".join(f"{_written(low)}-{_written(high)}" for low, high in one.ranges if low <= high)
    if not ranges:
        return "." if one.negated else _NOTHING
    return f"[{'^' if one.negated else ''}{ranges}]"


def _written(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"
