"""Patterns of names: `*`, `?`, `[a-z]`, `[!a-z]`, matched without any engine and within the product of both lengths.

    matches(pattern("web*.[yj]*"), "web-1.yaml")     True

A pattern is a sequence of characters that stand for themselves, and of tests for one character; what was quoted stands
for itself, and so does a `[` that is not closed. Modelled on POSIX.1-2017, 2.13. Left out: classes (`[[:alpha:]]`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

Piece = tuple[str, bool]
"""Text, and whether it was quoted."""
SPECIAL = frozenset("*?[")


class OneOf(msgspec.Struct, frozen=True):
    """A test for one character: ranges that it may lie in, or must not."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False


ANY = OneOf((), negated=True)
STAR = OneOf(())
Pattern = Sequence[str | OneOf]


def is_pattern(pieces: Sequence[Piece]) -> bool:
    """Return whether a word has a character in it that is special and not quoted."""
    return any(not quoted and not SPECIAL.isdisjoint(text) for text, quoted in pieces)


def pattern(pieces: Sequence[Piece]) -> list[str | OneOf]:
    """Read a pattern."""
    characters = [(character, quoted) for text, quoted in pieces for character in text]
    found: list[str | OneOf] = []
    at = 0
    while at < len(characters):
        character, quoted = characters[at]
        at += 1
        if quoted or character not in SPECIAL:
            found.append(character)
        elif character == "*":
            found.append(STAR)
        elif character == "?":
            found.append(ANY)
        else:
            one, at = _bracket(characters, at)
            found.append(one)
    return found


def _bracket(characters: Sequence[tuple[str, bool]], at: int) -> tuple[str | OneOf, int]:
    negated = at < len(characters) and characters[at] in (("!", False), ("^", False))
    begin = at + negated
    end = next((n for n in range(begin + 1, len(characters)) if characters[n] == ("]", False)), None)
    if end is None or any(character == "/" for character, _ in characters[begin:end]):
        return "[", at
    inside = [character for character, _ in characters[begin:end]]
    ranges = []
    position = 0
    while position < len(inside):
        if position + 2 < len(inside) and inside[position + 1] == "-":
            ranges.append((inside[position], inside[position + 2]))
            position += 3
        else:
            ranges.append((inside[position], inside[position]))
            position += 1
    return OneOf(tuple(ranges), negated), end + 1


def matches(pattern: Pattern, name: str) -> bool:
    """Return whether a pattern matches a whole name: each star as short as can be, longer when what follows fails."""
    at = position = 0
    star, resumed = -1, 0
    while position < len(name):
        if at < len(pattern) and pattern[at] is STAR:
            star, resumed, at = at, position, at + 1
        elif at < len(pattern) and _fits(pattern[at], name[position]):
            at, position = at + 1, position + 1
        elif star >= 0:
            resumed += 1
            at, position = star + 1, resumed
        else:
            return False
    return all(one is STAR for one in pattern[at:])


def _fits(one: str | OneOf, character: str) -> bool:
    if isinstance(one, str):
        return one == character
    return any(low <= character <= high for low, high in one.ranges) is not one.negated


def paths(files: "FileSystem", pieces: Sequence[Piece], directory: str) -> list[str]:
    """Return the paths that a pattern matches, as they would be typed, sorted. Names with a dot only where it is typed.

    `directory` is the one that relative paths begin in. At most as many as there are files on the host.
    """
    whole = pattern(pieces)
    steps: list[list[str | OneOf]] = [[]]
    for one in whole:
        if one == "/":
            steps.append([])
        else:
            steps[-1].append(one)
    found = [""]
    if not steps[0]:
        found, steps = ["/"], steps[1:]
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        found = [path + ("" if last else "/") for base in found for path in _below(files, base, step, directory)]
        if not last:
            found = [path for path in found if _names(files, _full(path, directory))]
    return sorted(found)


def _below(files: "FileSystem", base: str, step: Sequence[str | OneOf], directory: str) -> list[str]:
    if all(isinstance(one, str) for one in step):
        path = base + "".join(str(one) for one in step)
        return [path] if not step or step in ([*".."], ["."]) or files.exists(_full(path, directory)) else []
    return [
        base + name
        for name in _names(files, _full(base, directory))
        if (not name.startswith(".") or step[0] == ".") and matches(step, name)
    ]


def _full(path: str, directory: str) -> str:
    return "/" + (path if path.startswith("/") else f"{directory}/{path}").strip("/")


def _names(files: "FileSystem", path: str) -> list[str]:
    try:
        return files.listdir(path)
    except FileNotFoundError:
        return []
