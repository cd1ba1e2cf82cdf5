"""The names that a jq filter sees, and what its run may spend.

scope.function("map/1"), scope.variable("$x")        the innermost of that name
run.budget.step()                                    SpentError after STEPS_MAX
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

from cluster_engine.programs.jq.syntax import Node, parse_definitions

Path = tuple[Any, ...] | None
Results = Iterator[tuple[Path, Any]]
STEPS_MAX = 1_000_000
DEPTH_MAX = 120
"""How deep functions may call each other: Python's stack holds some eight frames for each."""


class SpentError(Exception):
    """A filter has taken STEPS_MAX steps, or goes deeper than DEPTH_MAX; the text says which."""


class BreakError(Exception):
    """`break $out`, on its way to its label."""

    def __init__(self, label: object) -> None:
        super().__init__()
        self.label = label


class Budget(msgspec.Struct):
    """What is left to a run."""

    steps: int = STEPS_MAX
    depth: int = 0

    def step(self, count: int = 1) -> None:
        """Count steps. SpentError."""
        self.steps -= count
        if self.steps < 0:
            raise SpentError(f"a filter may take {STEPS_MAX} steps: no more of it is run")


class Closure(msgspec.Struct):
    """A function, or a filter given as a parameter: its text, and the names that it sees."""

    parameters: Sequence[str]
    body: Node
    scope: "Scope"


class Scope(msgspec.Struct):
    """Names and what they mean, the inner before the outer."""

    functions: Mapping[str, Closure]
    variables: Mapping[str, Any]
    outer: "Scope | None"
    run: "Run"

    def function(self, name: str) -> Closure | None:
        """Find a function by name and number of parameters: "map/1"."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.functions:
                return scope.functions[name]
            scope = scope.outer
        return None

    def variable(self, name: str) -> Any:
        """Find a variable. KeyError."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.outer
        raise KeyError(name)

    def inner(
        self, functions: Mapping[str, Closure] | None = None, variables: Mapping[str, Any] | None = None
    ) -> "Scope":
        """Return a scope within this one."""
        return Scope({} if functions is None else functions, {} if variables is None else variables, self, self.run)


Native = Callable[["Run", Any, list[Any]], Any]
"""A function of values: the run, its input, and one value for each parameter."""
Special = Callable[[Sequence[Node], "Scope", Path, Any], Results]
"""A function of filters: what they are, the names that they see, and its input with its path."""


class Run(msgspec.Struct):
    """One run of jq: its budget, its functions, and where `input` reads."""

    natives: Mapping[str, Native]
    special: Mapping[str, Special]
    environment: Mapping[str, str]
    inputs: Iterator[Any]
    say: Callable[[str], None]
    now: float = 0.0
    budget: Budget = msgspec.field(default_factory=Budget)


@functools.cache
def _prelude() -> Sequence[Node]:
    return parse_definitions(resources.files(__package__).joinpath("prelude.jq").read_text())


def scope_of(run: Run, variables: Mapping[str, Any]) -> Scope:
    """Return the scope of a whole filter: the functions there are, and the variables given."""
    functions: dict[str, Closure] = {}
    scope = Scope(
        functions,
        {"$ENV": dict(run.environment), "$__loc__": {"file": "<top-level>", "line": 1}, **variables},
        None,
        run,
    )
    for node in _prelude():
        name, parameters, body = node.parts
        functions[f"{name}/{len(parameters)}"] = Closure(parameters, body, scope)
    return scope
