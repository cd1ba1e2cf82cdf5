"""How much memory something holds, in Python's own sizes: the same in every run, unlike what a process is given."""

import gc
import sys
import types
from array import array
from collections import deque
from collections.abc import Iterable
from typing import Any

SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType)
CONTAINERS = (dict, list, set, deque, array, bytearray)


def weigh(root: object) -> int:
    """Give the bytes of an object and of all that it leads to, but for code and modules."""
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, SHARED):
            seen[id(one)] = one
            waiting += gc.get_referents(one)
    return sum(map(sys.getsizeof, seen.values()))


def containers(*, besides: Iterable[int] = (), items_min: int) -> dict[int, Any]:
    """Give, by id, every container of this process with at least so many items, except those of the ids `besides`.

    Modules are not asked what they refer to: their dicts are found by themselves, and CPython 3.12's _asyncio names the
    freed iterators of futures that it keeps, which go back onto their list a second time once they are let go of. From
    then on that list is a ring, and the collector walks it for ever (python/cpython issue 122695).
    """
    known = frozenset(besides)
    return {
        id(one): one
        for tracked in gc.get_objects()
        for one in (tracked, *(() if isinstance(tracked, types.ModuleType) else gc.get_referents(tracked)))
        if id(one) not in known and isinstance(one, CONTAINERS) and len(one) >= items_min
    }
