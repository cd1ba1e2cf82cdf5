"""Globs: text in which `*` stands for any characters and `?` for one. Matched in linear time, without any engine.

Between two `*` the first place where a piece fits is as good as any other, so nothing is ever tried twice. A glob with
`?` is run as an automaton whose states are the bits of one integer, a step for each character of the text.

    fits("a*c", "abc"), fits("a?c", "abbc")      True, False
"""

from collections.abc import Callable
from functools import lru_cache


def fits(pattern: str, text: str) -> bool:
    """Return whether the whole text is one that the pattern stands for."""
    return _compiled(pattern)(text)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> Callable[[str], bool]:
    if "?" in pattern:
        return _automaton(pattern)
    if "*" in pattern:
        return _pieces(pattern.split("*"))
    return pattern.__eq__


def _pieces(pieces: list[str]) -> Callable[[str], bool]:
    head, *middle, tail = pieces

    def fits(text: str) -> bool:
        at, end = len(head), len(text) - len(tail)
        if end < at or not text.startswith(head) or not text.endswith(tail):
            return False
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits


def _automaton(pattern: str) -> Callable[[str], bool]:
    """Shift-And (Baeza-Yates and Gonnet, 1992): bit n says that the first n characters of the pattern are matched."""
    count = loops = anything = 0
    exactly: dict[str, int] = {}
    for character in pattern:
        if character == "*":
            loops |= 1 << count
            continue
        if character == "?":
            anything |= 1 << count
        else:
            exactly[character] = exactly.get(character, 0) | 1 << count
        count += 1

    def fits(text: str) -> bool:
        states = 1
        for character in text:
            states = (states & (exactly.get(character, 0) | anything)) << 1 | states & loops
            if not states:
                return False
        return bool(states >> count & 1)

    return fits


__all__ = ["fits"]
