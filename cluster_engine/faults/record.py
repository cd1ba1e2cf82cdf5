"""What a fault is before it happens: a record with a target, a start, an end and a seed.

Records are frozen data; a lesson keeps them in a file, an instructor's console sends them. Seconds count from the
injection, so that a record written beforehand holds in every cluster; `end` None lasts until somebody heals it. Each
field says within which bounds it may be (`Range`, `Choice`, `Host`, `Component`, `Text`), which a form can show and
`check` enforces against one cluster.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Latency(Fault):
        target: str = field(metadata=bounded(Host()))
        seconds: float = field(default=0.2, metadata=bounded(Range(0.0, 10.0)))
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import msgspec

from cluster_engine.cast import PROGRAMS, HostProgram, Role
from cluster_engine.deeds import RefusedDeedError
from cluster_engine.faults.ground import Ground

DELAY_SECONDS_MAX = 86_400.0
SEED_MAX = 2**32 - 1

Heal = Callable[[], Awaitable[None]]
"""Puts right what a fault did."""


class Passing(msgspec.Struct, frozen=True):
    """What a fault gives that ends by itself once `over` is set, and is put right then too."""

    heal: Heal
    over: asyncio.Event


class FaultError(RefusedDeedError):
    """The record is wrong, or does not fit this cluster; the message says how, in words for a person."""


class Bounds(Protocol):
    """What a field may be."""

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when `value` is out of bounds in this cluster."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return it as JSON, for a form."""
        ...


def bounded(bounds: Bounds) -> dict[str, Bounds]:
    """Make a dataclass field's metadata."""
    return {"bounds": bounds}


class Range(msgspec.Struct, frozen=True):
    """A number from `least` to `most`; None too when it is `optional`."""

    least: float
    most: float
    optional: bool = False
    whole: bool = False

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when the value is no number or out of range."""
        if value is None and self.optional:
            return
        kinds = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.least <= value <= self.most:
            what = "a whole number" if self.whole else "a number"
            raise FaultError(f"{name} is {what} from {self.least:g} to {self.most:g}, not {value!r}")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"type": "number", "least": self.least, "most": self.most, "optional": self.optional}


class Choice(msgspec.Struct, frozen=True):
    """One of a few values."""

    values: tuple[Any, ...]

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when it is another."""
        if value not in self.values or isinstance(value, bool) != isinstance(self.values[0], bool):
            raise FaultError(f"{name} is one of {_listed(map(repr, self.values))}, not {value!r}")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"type": "choice", "values": list(self.values)}


class Text(msgspec.Struct, frozen=True):
    """A string of at most `length_max` characters."""

    length_max: int = 253
    empty: bool = False

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when it is too long, or empty and must not be."""
        if not isinstance(value, str) or len(value) > self.length_max or not (value or self.empty):
            raise FaultError(f"{name} is a text of {0 if self.empty else 1} to {self.length_max} characters")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"type": "text", "lengthMax": self.length_max, "empty": self.empty}


class Host(msgspec.Struct, frozen=True):
    """A host on which programs run; only those that run containers when `worker`.

    A `peer` may also be a person's, or outside.
    """

    worker: bool = False

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when there is no such host."""
        roles = [Role.WORKER] if self.worker else [Role.CONTROL_PLANE, Role.ETCD, Role.WORKER]
        if name == "peer":
            roles += [Role.PERSON, Role.GATEWAY]
        hosts = [host.name for host in ground.cast.of_role(*roles)]
        if value not in hosts:
            raise FaultError(f"there is no {'worker' if self.worker else 'host'} {value}; hosts are {_listed(hosts)}")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"type": "host", "worker": self.worker}


class Component(msgspec.Struct, frozen=True):
    """A component as "host/program"; only these programs when there are any named, only clients when `client`."""

    programs: tuple[str, ...] = ()
    client: bool = False
    """Only those that show the API server a certificate of theirs."""

    def check(self, name: str, value: Any, ground: Ground) -> None:
        """Raise FaultError when there is no such component."""
        known = [one.id for one in ground.cast.components if self._may_be(one.program)]
        if value not in known:
            raise FaultError(f"there is no such component {value}; possible are {_listed(known)}")

    def describe(self) -> dict[str, Any]:
        """Return it as JSON."""
        programs = [one.name for one in PROGRAMS if self._may_be(one)]
        return {"type": "component", "programs": programs if self.programs or self.client else []}

    def _may_be(self, program: HostProgram) -> bool:
        named = not self.programs or program.name in self.programs
        shows_certificate = program.identity is not None and program.identity.account is None
        return named and (shows_certificate or not self.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What all faults have. Subclasses have a `name` and a `target`; what they are called is in `words`."""

    name: ClassVar[str]

    target: str
    start: float = field(default=0.0, metadata=bounded(Range(0.0, DELAY_SECONDS_MAX)))
    end: float | None = field(default=None, metadata=bounded(Range(0.0, DELAY_SECONDS_MAX, optional=True)))
    seed: int = field(default=0, metadata=bounded(Range(0, SEED_MAX, whole=True)))

    def check(self, ground: Ground) -> None:
        """Raise FaultError unless every field is within its bounds in this cluster."""
        for one in fields(self):
            if "bounds" in one.metadata:
                one.metadata["bounds"].check(one.name, getattr(self, one.name), ground)
        if self.end is not None and self.end <= self.start:
            raise FaultError(f"the fault ends at {self.end:g} s, which is not after its start at {self.start:g} s")

    def claims(self) -> str:
        """Name what no other fault may change while this one lasts; "" for nothing."""
        return ""

    def parts(self) -> "tuple[Fault, ...]":
        """Return the faults that are injected with it and healed with it: those of a storyline."""
        return ()

    @abstractmethod
    async def begin(self, ground: Ground, id_: str) -> Heal | Passing | None:
        """Let it happen; give what heals it, None when it is over at once."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


__all__ = [
    "Bounds",
    "Choice",
    "Component",
    "Fault",
    "FaultError",
    "Heal",
    "Host",
    "Passing",
    "Range",
    "Text",
    "bounded",
]
