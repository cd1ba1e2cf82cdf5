"""test and [: whether something is so, as exit code 0 or 1; 2 where the question makes no sense.

    [ -f web.yaml ]      [ "$A" = b ]      [ ! -z "$A" ]      test "$(kubectl get pods | wc -l)" -gt 3

Modelled on POSIX's test. `-a`, `-o` and parentheses, which POSIX has withdrawn, are left out: use && and ||.
"""

import operator
import re
from collections.abc import Callable, Sequence

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.streams import is_directory

_INTEGER = re.compile(r"[ \t]{0,9}[+-]?[0-9]{1,18}[ \t]{0,9}")
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq, "-ne": operator.ne, "-lt": operator.lt, "-le": operator.le, "-gt": operator.gt,
    "-ge": operator.ge,
}  # fmt: skip
_TEXTS: dict[str, Callable[[str, str], bool]] = {"=": operator.eq, "==": operator.eq, "!=": operator.ne}


class _NonsenseError(Exception):
    """A question that makes no sense; the text is what the program says of it."""


async def test(invocation: Invocation) -> int:
    """Run test, or [."""
    name, words = invocation.argv[0], list(invocation.argv[1:])
    if name == "[" and (not words or words.pop() != "]"):
        invocation.err("[: missing `]'\n")
        return 2
    try:
        return 0 if _holds(invocation, words) else 1
    except _NonsenseError as problem:
        invocation.err(f"{name}: {problem}\n")
        return 2


def _holds(invocation: Invocation, words: Sequence[str]) -> bool:
    negated = False
    while len(words) > 1 and words[0] == "!":
        negated, words = not negated, words[1:]
    match words:
        case []:
            holds = False
        case [text]:
            holds = bool(text)
        case [question, text]:
            holds = _unary(invocation, question, text)
        case [left, question, right] if question in _TEXTS:
            holds = _TEXTS[question](left, right)
        case [left, question, right] if question in _COMPARISONS:
            holds = _COMPARISONS[question](_integer(left), _integer(right))
        case [_, question, _]:
            raise _NonsenseError(f"{question}: binary operator expected")
        case _:
            raise _NonsenseError("too many arguments")
    return holds is not negated


def _unary(invocation: Invocation, question: str, text: str) -> bool:
    if question in ("-z", "-n"):
        return bool(text) is (question == "-n")
    path = invocation.absolute(text) if text else ""
    is_folder = is_directory(invocation.files, path)
    exists = is_folder or (bool(path) and invocation.files.exists(path))
    match question:
        case "-e" | "-r" | "-w" | "-x":
            return exists
        case "-f":
            return exists and not is_folder
        case "-s":
            return is_folder or (exists and bool(invocation.files.read(path)))
        case "-d":
            return is_folder
    raise _NonsenseError(f"{question}: unary operator expected")


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _NonsenseError(f"{text}: integer expression expected")
    return int(text)
