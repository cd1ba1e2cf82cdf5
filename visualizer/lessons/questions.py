"""Questions: what may be answered, and whether it is right, as soon as that can be told.

A `choice` is right by the lesson, which may name what decides it: then it is judged when that holds. An `order` is
judged by the journal: its items are names, and the right order is that in which they came to hold; a group of items may
come in either order. A `number` is known, or it is the virtual time between two names.

    order.judge(["a", "b"], held)      None until both hold, then Verdict(right=True, truth=["a", "b"], seq=1243)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.deeds import RefusedDeedError
from cluster_engine.predicates import Held

NUMBER_MAX = 1e9
UNITS = ("seconds", "milliseconds", "minutes", "messages", "requests", "connections", "pods", "bytes")
"""The page has words for these (`lesson.unit.*`)."""


@dataclass(frozen=True, slots=True)
class Between:
    """The time from one name to another."""

    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right, what would have been, and the entry that decided it (None: the lesson alone)."""

    right: bool
    truth: Any
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `options` of a choice, `groups` of an order, `truth` of a number."""

    id: str
    kind: str
    options: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    many: bool = False
    any_of: bool = False  # each of `right` is a right answer
    decided_by: str | None = None
    groups: tuple[tuple[str, ...], ...] = ()  # of an order, as they must follow each other
    unit: str = ""
    truth: Between | float = 0.0
    tolerance: float = 0.0
    line: int = field(default=0, compare=False)

    @property
    def items(self) -> tuple[str, ...]:
        """What an order orders."""
        return tuple(item for group in self.groups for item in group)

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which the journal judges it."""
        return (self.truth.begin, self.truth.end) if isinstance(self.truth, Between) else self.items

    def accept(self, answer: Any) -> Any:
        """Return an answer in its own form. ValueError, in words for a person, when it is none to this question."""
        if self.kind == "number":
            if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
                raise RefusedDeedError(f"The answer to {self.id} is a number.")
            if abs(answer) > NUMBER_MAX:
                raise RefusedDeedError(f"The answer to {self.id} is at most {NUMBER_MAX:g}.")
            return answer
        chosen = [answer] if isinstance(answer, str) else answer
        known = self.options or self.items
        if not isinstance(chosen, list) or not chosen or any(one not in known for one in chosen):
            raise RefusedDeedError(f"The answer to {self.id} is made of {', '.join(known)}.")
        if len(set(chosen)) != len(chosen) or (self.kind == "order" and len(chosen) != len(known)):
            raise RefusedDeedError(f"The answer to {self.id} has each of {', '.join(known)} once.")
        if self.kind == "order":
            return chosen
        if not self.many and len(chosen) > 1:
            raise RefusedDeedError(f"The answer to {self.id} is one of {', '.join(known)}.")
        return [one for one in known if one in chosen] if self.many else chosen[0]

    def judge(self, answer: Any, held: Mapping[str, Held], decided_by: str | None = None) -> Verdict | None:
        """Judge an accepted answer; None while the journal cannot tell yet. A choice waits for `decided_by`."""
        names = self.names if decided_by is None else (decided_by,)
        if any(name not in held for name in names):
            return None
        seq = max((held[name].seq for name in names), default=None)
        match self.kind:
            case "choice":
                right = [one for one in self.options if one in self.right]
                if self.any_of:
                    return Verdict(answer in right, right, seq)
                truth = right if self.many else right[0]
                return Verdict(answer == truth, truth, seq)
            case "order":
                truth = sorted(self.items, key=lambda name: held[name].seq)
                return Verdict(self._grouped(answer) == self._grouped(truth), truth, seq)
            case _:
                known = self.truth
                seconds = held[known.end].at - held[known.begin].at if isinstance(known, Between) else known
                return Verdict(abs(answer - seconds) <= self.tolerance, round(seconds, 3), seq)

    def _grouped(self, order: Sequence[str]) -> list[int]:
        """Return for each item which group it is of: the order within a group makes no difference."""
        return [n for item in order for n, group in enumerate(self.groups) if item in group]


__all__ = ["Between", "Question", "Verdict"]
