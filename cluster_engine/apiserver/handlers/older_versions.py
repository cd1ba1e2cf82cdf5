"""Older versions of a kind: other spellings of the objects that are stored in a newer one.

Theory of operation. A request for the older version is answered as one for the newer: what it brings is converted
before, what is answered is converted back if it is JSON. Tables are alike in all versions.

    POST …/v1/…  {spec: {targetCPUUtilizationPercentage: 80}}  ──►  v2 {metrics: [cpu 80 %]}  ──►  201 as v1

Modelled on what apimachinery's codecs do by way of internal versions. Left out: patches and watches of older versions.
"""

from collections.abc import Awaitable, Callable

import msgspec

from cluster_engine.api import strict
from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.apiserver.handlers import bodies
from cluster_engine.apiserver.serving.exchange import Body, Request, Response

Serve = Callable[[Request], Awaitable[Response]]


class _Body(Body):
    """A body in the newer version."""

    __slots__ = ("_kind", "_kinds", "_request", "_warnings")

    def __init__(self, request: Request, kinds: KindSet, kind: Kind, warnings: list[str]) -> None:
        super().__init__()
        self._request, self._kinds, self._kind, self._warnings = request, kinds, kind, warnings

    async def read(self) -> bytes:
        """Read the body, and convert it."""
        body = await self._request.read()
        obj = bodies.decode(self._kinds, body, self._request.header("content-type"), self._kind.name)
        if obj.get("kind") != self._kind.name or obj.get("apiVersion") != self._kind.api_version:
            return msgspec.json.encode(obj)
        problems, cleaned = strict.check(self._kind, obj)
        self._warnings.extend(problems)
        assert self._kind.to_stored is not None
        return msgspec.json.encode(self._kind.to_stored(cleaned))


async def serve(request: Request, kinds: KindSet, kind: Kind, warnings: list[str], newer: Serve) -> Response:
    """Answer a request for an older version by way of the newer one."""
    if request.method in ("POST", "PUT"):
        headers = {**request.headers, "content-type": ("application/json",)}
        body = _Body(request, kinds, kind, warnings)
        request = Request(request.method, request.path, request.query, headers, request.peer, body)
    response = await newer(request)
    if response.content_type != "application/json" or response.status >= 400 or response.stream is not None:
        return response
    answer = msgspec.json.decode(response.body)
    converted = _converted(kind, answer)
    return (
        response
        if converted is answer
        else msgspec.structs.replace(response, body=msgspec.json.encode(converted) + b"\n")
    )


def _converted(kind: Kind, answer: Object) -> Object:
    assert kind.from_stored is not None
    if answer.get("apiVersion") != (kind.stored_as or kind).api_version:
        return answer
    if answer.get("kind") == kind.list_kind:
        items = [kind.from_stored(item) for item in answer["items"]]
        plain = [{name: value for name, value in item.items() if name not in ("kind", "apiVersion")} for item in items]
        return {**answer, "apiVersion": kind.api_version, "items": plain}
    return kind.from_stored(answer) if answer.get("kind") == kind.name else answer
