"""Faults of the API server's answers: the third PATCH of pods is refused, a watch is dropped, a cache lags behind.

They are rules on the API server's disk (`apiserver/trouble.py`); what clients make of the answers is up to them.

    RequestRefused(verb="patch", resource="pods", nth=3, code=409)      read, modify, write: and once more
    RequestRefused(verb="list", code=429, retry_after_seconds=5, times=20)
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.apiserver.trouble import ANY, CODES, Rule, Trouble, trouble_of
from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Choice, Component, Fault, Heal, Passing, Range, Text, bounded

WRITES = ("create", "update", "patch", "delete")
VERBS = (ANY, "get", "list", "watch", *WRITES, "deletecollection")
REQUESTS_MAX = 10_000
RETRY_AFTER_SECONDS_MAX = 300
SIGKILL = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerFault(Fault):
    """What the API server does with requests for a resource: "pods", "pods/status"."""

    target: str = field(default=f"{CONTROL_PLANE}/kube-apiserver", metadata=bounded(Component(("kube-apiserver",))))
    resource: str = field(default="pods", metadata=bounded(Text()))

    def trouble(self, ground: Ground) -> Trouble:
        """Return what is wrong with this server."""
        return trouble_of(ground.world.host(self.target.partition("/")[0]).disk)


async def _add(trouble: Trouble, id_: str, rule: Rule) -> Passing:
    trouble.rules[id_] = rule

    async def forget() -> None:
        trouble.rules.pop(id_, None)

    return Passing(forget, rule.over)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(ApiServerFault):
    """The `nth` request that matches from now on, and those after it, `times` in all, get `code`; then it is over."""

    name: ClassVar[str] = "request-refused"

    resource: str = field(default="pods", metadata=bounded(Text()))
    verb: str = field(default="patch", metadata=bounded(Choice(VERBS)))
    nth: int = field(default=1, metadata=bounded(Range(1, REQUESTS_MAX, whole=True)))
    times: int = field(default=1, metadata=bounded(Range(1, REQUESTS_MAX, whole=True)))
    code: int = field(default=409, metadata=bounded(Choice(CODES)))
    retry_after_seconds: int = field(default=1, metadata=bounded(Range(0, RETRY_AFTER_SECONDS_MAX, whole=True)))
    """Of a 429."""

    async def begin(self, ground: Ground, id_: str) -> Passing:
        """Wait for such requests."""
        rule = Rule(self.verb, self.resource, self.nth, self.times, self.code, self.retry_after_seconds)
        return await _add(self.trouble(ground), id_, rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLost(ApiServerFault):
    """At the `nth` write that matches the API server dies, after etcd has committed and before it answers.

    Whoever wrote does not know whether it happened. The server is started again after ten seconds.
    """

    name: ClassVar[str] = "answer-lost"

    verb: str = field(default="create", metadata=bounded(Choice(WRITES)))
    nth: int = field(default=1, metadata=bounded(Range(1, REQUESTS_MAX, whole=True)))

    async def begin(self, ground: Ground, id_: str) -> Passing:
        """Wait for such a write."""
        die: Callable[[], None] = functools.partial(ground.supervisor.signal, self.target, SIGKILL)
        return await _add(self.trouble(ground), id_, Rule(self.verb, self.resource, self.nth, after=die))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDropped(ApiServerFault):
    """Every watch of the resource ends in good order, as one does whose time is over: clients resume."""

    name: ClassVar[str] = "watch-dropped"

    async def begin(self, ground: Ground, id_: str) -> None:
        """Drop those that are open now."""
        self.trouble(ground).drop_watches(self.resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleCache(ApiServerFault):
    """The watch cache of the resource takes nothing from etcd: lists from it are old, watches are silent."""

    name: ClassVar[str] = "stale-cache"

    def claims(self) -> str:
        """Lagging and level again by one."""
        return f"the watch cache of {self.resource}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Let it lag."""
        lagging = self.trouble(ground).lagging
        gone = lagging[self.resource] = asyncio.Event()

        async def catch_up() -> None:
            lagging.pop(self.resource, None)
            gone.set()

        return catch_up
