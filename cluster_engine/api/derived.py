"""What follows from a description alone is made once and kept with the description.

Cleaners, validators, defaulting plans, OpenAPI documents: each is a function of one record that never changes. Its
result lies on the record and not in a table of the module that makes it, so it is shared by all who share the record,
and is gone when the last of them has let a kind go.

    @derived
    def plan(message: Message) -> Plan: ...          plan(POD.schema) is plan(POD.schema)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

Derived = dict[Any, Any]
"""By the function that made it, what was made of the record."""


class Description(Protocol):
    """A record that never changes, with room for what is derived from it."""

    @property
    def derived(self) -> Derived:
        """What has been derived so far."""


D = TypeVar("D", bound=Description)
T = TypeVar("T")


def derived(make: Callable[[D], T]) -> Callable[[D], T]:
    """Make a function of one record work once for each record."""

    @wraps(make)
    def get(description: D) -> T:
        known = description.derived
        if make not in known:
            known[make] = make(description)
        found: T = known[make]
        return found

    return get
