"""Steps: what a lesson does to its cluster, in its start, its beats, its solution and its near misses."""

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.faults import Fault
from cluster_engine.predicates import Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Type a line. `code` is the exit code that is expected, None any; in the background nobody waits for its end.

    A sealed one is run by the administrator on the control plane: nobody sees it typed, and no note tells of it.
    """

    line: str
    code: int | None = 0
    background: bool = False
    sealed: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Ctrl-C to everything in the background."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Let a fault happen; a sealed one is not named in the journal before it is over."""

    fault: Fault
    sealed: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heal:
    """Put right every fault of this name, None every fault."""

    name: str | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Wait until something holds, `within` virtual seconds."""

    predicate: Predicate
    within: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Wait some virtual seconds."""

    seconds: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer questions as a learner would."""

    answers: tuple[tuple[str, Any], ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Ask for the next hint."""

    at: int = field(default=0, compare=False)


Step = Run | Interrupt | Break | Heal | Until | Wait | Answer | Hint
"""`at` is the line in the lesson's file."""

__all__ = ["Answer", "Break", "Heal", "Hint", "Interrupt", "Run", "Step", "Until", "Wait"]
