"""What is wrong with an API server's answers: written by faults, read by the server. It lies on its host's disk.

Theory of operation. A *rule* counts the requests that match it, those of a verb and a resource, and does something to
the nth of them and a few that follow: it refuses them, in the server's usual words, or ends the server once etcd has
taken what they write and before anybody is answered.

    Rule("patch", "pods", nth=3, times=1, refuses=409)
        PATCH pods/web-0   200      PATCH pods/web-1   200      PATCH pods/web-0   409 Conflict      PATCH …   200

Requests are counted behind authentication and authorization: who may not ask is refused for that. A watch cache that
*lags* takes nothing from etcd for as long as it does; lists from it are old, and whoever watches hears nothing.

Left out: refusals before authorization, where a real server's 429 comes from (priority and fairness).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Conflict, Expired, Refusal, ServiceUnavailable, Timeout
from cluster_engine.apiserver.request_info import RequestInfo
from cluster_engine.apiserver.serving.exchange import Request, Response

TROUBLE = "/var/lib/kube-apiserver-trouble"
ANY = "any"
TOO_MANY = b"Too many requests, please try again later.\n"
"""What tooManyRequests says (apiserver/pkg/server/filters/maxinflight.go): plain text, no Status."""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    generate_name: str = ""


class _Named(msgspec.Struct):
    metadata: _Metadata


def _name_in(body: bytes) -> str:
    """Read the name of an object that is to be created; "" where there is none to be read."""
    try:
        metadata = msgspec.json.decode(body, type=_Named).metadata
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return metadata.name or metadata.generate_name


def _conflict(info: RequestInfo, name: str) -> Refusal:
    about = Resource(
        group=info.group, version=info.version, name="", plural=info.resource, singular="", namespaced=False
    )
    return Conflict(about, name, subresource=info.subresource)


REFUSALS: dict[int, Callable[[RequestInfo, str], Refusal]] = {
    409: _conflict,
    410: lambda *_: Expired("The resourceVersion for the provided watch is too old."),
    500: lambda *_: Refusal("etcdserver: request timed out"),
    503: lambda *_: ServiceUnavailable("the server is currently unable to handle the request"),
    504: lambda *_: Timeout("request did not complete within requested timeout - context deadline exceeded"),
}
CODES = (*sorted((*REFUSALS, 429)),)
"""With which codes a rule may refuse."""


class Rule(msgspec.Struct):
    """What happens to the `nth` request that matches, counted from 1, and to those after it, `times` in all.

    `refuses` is a code of CODES, 0 for none; `after` is called once the answer is known and before it is sent. `over`
    is set when the last has been served.
    """

    verb: str
    resource: str
    nth: int = 1
    times: int = 1
    refuses: int = 0
    retry_after_seconds: int = 1
    after: Callable[[], None] | None = None
    over: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    seen: int = 0

    def takes(self, info: RequestInfo) -> bool:
        """Count a request; return whether something happens to it."""
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        if self.verb not in (ANY, info.verb) or self.resource not in (ANY, resource):
            return False
        self.seen += 1
        if self.seen >= self.nth + self.times - 1:
            self.over.set()
        return self.nth <= self.seen < self.nth + self.times

    async def refusal(self, info: RequestInfo, request: Request) -> Response | None:
        """Return the answer of a request that is refused, None for one that is not; raise one that is a Status."""
        if self.refuses == 429:
            headers = (("retry-after", str(self.retry_after_seconds)), ("x-content-type-options", "nosniff"))
            return Response(429, "text/plain; charset=utf-8", TOO_MANY, headers)
        if self.refuses:
            name = info.name or (_name_in(await request.read()) if info.verb == "create" else "")
            raise REFUSALS[self.refuses](info, name)
        return None


class Trouble(msgspec.Struct):
    """What is wrong with the API server of a host. Faults write it; `on_drop` is the server's."""

    rules: dict[str, Rule] = msgspec.field(default_factory=dict)
    lagging: dict[str, asyncio.Event] = msgspec.field(default_factory=dict)
    """By resource: set once it lags no more."""
    on_drop: Callable[[str], None] | None = None

    def take(self, info: RequestInfo) -> Rule | None:
        """Count a request; return the rule by which something happens to it."""
        taken = [rule for rule in self.rules.values() if rule.takes(info)]
        return taken[0] if taken else None

    def drop_watches(self, resource: str) -> None:
        """End the watches of a resource that are open now."""
        if self.on_drop is not None:
            self.on_drop(resource)

    async def wait_for(self, resource: str) -> None:
        """Wait until a resource does not lag."""
        while (gone := self.lagging.get(resource)) is not None:
            await gone.wait()


def trouble_of(disk: dict[str, Any]) -> Trouble:
    """Return the trouble of the API server of the host whose disk this is."""
    trouble: Trouble = disk.setdefault(TROUBLE, Trouble())
    return trouble
