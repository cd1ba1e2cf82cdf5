"""Whether what clients saw of keys could have happened one operation after the other, each between its call and answer.

Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with Lowe's memory of what has been tried, key by key:
a history is linearizable if each of its keys' is. Operations are tried in any order in which none comes before one that
had ended when it began. One whose outcome nobody knows (a write that timed out) may take effect at any later time, or
never.

    put x=1  |------|                 get x → 1      |----|      linearizable
    put x=2     |------|              get x → 2        |----|    not: 2 then 1 then 2 would have to be
"""

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Any

UNKNOWN = object()
"""The result of an operation of which nobody knows whether it happened."""


TRIED_MAX = 100_000


@dataclass(frozen=True)
class Operation:
    """One operation of a client: `put` (value), `get` (result is the value), `swap` ((old, new); result: whether)."""

    key: str
    kind: str
    value: Any
    result: Any
    begin: float
    end: float

    @property
    def is_known(self):
        return self.result is not UNKNOWN


def step(operation, state):
    """The state after an operation, or None when its result does not fit the state."""
    if operation.kind == "put":
        return (operation.value,)
    if operation.kind == "get":
        return (state,) if operation.result in (state, UNKNOWN) else None
    old, new = operation.value
    if not operation.is_known:
        return (new if state == old else state,)
    if operation.result != (state == old):
        return None
    return (new if state == old else state,)


def is_linearizable(history):
    """Whether the history of every key is; keys have the value None before."""
    by_key = {}
    for operation in history:
        by_key.setdefault(operation.key, []).append(operation)
    return all(_one_key(operations) for operations in by_key.values())


def _one_key(operations):
    operations = [one for one in operations if one.is_known or one.kind != "get"]
    ends = [one.end if one.is_known else math.inf for one in operations]
    everything = frozenset(range(len(operations)))
    must = frozenset(number for number in everything if operations[number].is_known)
    tried, waiting = set(), [(everything, None)]
    while waiting:
        left, state = waiting.pop()
        if not left & must:
            return True
        if (left, state) in tried:
            continue
        tried.add((left, state))
        assert len(tried) < TRIED_MAX, "too many operations of unknown outcome: make the story shorter"
        first_end = min(ends[number] for number in left)
        for number in left:
            if operations[number].begin <= first_end:
                after = step(operations[number], state)
                if after is not None:
                    waiting.append((left - {number}, after[0]))
    return False


def is_linearizable_by_trying_all(history):
    """The same for one key, by its definition: for the tests of the test."""
    known = [one for one in history if one.is_known]
    unknown = [one for one in history if not one.is_known and one.kind != "get"]
    subsets = [[one for bit, one in enumerate(unknown) if mask >> bit & 1] for mask in range(2 ** len(unknown))]
    return any(_fits(order) for subset in subsets for order in permutations([*known, *subset]))


def _fits(order):
    state = None
    for number, operation in enumerate(order):
        if any(later.is_known and later.end < operation.begin for later in order[number + 1 :]):
            return False
        after = step(operation, state)
        if after is None:
            return False
        state = after[0]
    return True
