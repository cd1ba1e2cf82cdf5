"""A plugin of pytest's: the tests come in another order, each file cut into pieces, as when processes share a run.

A process that has nothing left to do takes tests from another's list, so that one may begin in the middle of a file, go
on with another and come back: what a file makes for all of its tests is then made twice in one process.
"""

import itertools
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from tests.jitter.chance import of_run

PIECE_TESTS = 6
"""How many tests a piece of a file has, on average."""


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Cut the files into pieces and shuffle those, alike in every process of one run."""
    chance = of_run()
    parts = [piece for _, file in itertools.groupby(items, lambda test: test.path) for piece in pieces(file, chance)]
    chance.shuffle(parts)
    items[:] = itertools.chain.from_iterable(parts)


def pieces(tests: Iterable[Any], chance: Random) -> Iterator[list[Any]]:
    """Cut tests into pieces of random lengths."""
    piece: list[Any] = []
    for test in tests:
        piece.append(test)
        if chance.random() < 1 / PIECE_TESTS:
            yield piece
            piece = []
    yield piece
