"""Targets that answer wrongly, each in its way: the judge must find them out."""

import os
import signal
from typing import Any

from tests.fuzz.targets import Target

WRONG_CASE = 5


def _at(case: int, do: Any) -> None:
    if case == WRONG_CASE:
        do()


def _fail() -> None:
    raise KeyError("oh")


def _loop() -> None:
    while True:
        pass


def _die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


_cases = iter(range(-1, 10**6))


def _next(_: Any) -> int:
    """Count the cases that this process takes; the one before the first is its warming up."""
    return next(_cases)


TARGETS = {
    "raises": Target(_next, lambda case: _at(case, _fail)),
    "loops": Target(_next, lambda case: _at(case, _loop), cpu_seconds_max=1.0),
    "swells": Target(_next, lambda case: _at(case, lambda: bytearray(8 << 30))),
    "dies": Target(_next, lambda case: _at(case, _die)),
    "raises in a fork": Target(_next, lambda case: None, prepare=lambda: lambda case: _at(case, _fail)),
    "dies in a fork": Target(_next, lambda case: None, prepare=lambda: lambda case: _at(case, _die)),
}
