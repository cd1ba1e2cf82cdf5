"""What the server says about itself: version, health, discovery, OpenAPI, metrics, keys.

Modelled on apiserver/pkg/server/{healthz,routes}, endpoints/discovery, controlplane/apiserver. All of these are
non-resource paths; RBAC lets everybody read /version and /healthz and everybody known read discovery.
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from cluster_engine.api import kinds
from cluster_engine.api.status import MethodNotAllowed, NotAcceptable
from cluster_engine.apiserver.handlers.negotiation import negotiate, wants_aggregated_discovery
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT, TEXT_TYPE, document
from cluster_engine.apiserver.request_info import parse_query
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.world.process import Process

VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.13+glassplane",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.23.12",
    "compiler": "gc",
    "platform": "linux/amd64",
}
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OPENAPI_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
HEALTH_PATHS = ("/healthz", "/livez", "/readyz")

Check = Callable[[], Awaitable[str | None]]
"""A health check: None when all is well, else what is wrong."""


class Meta:
    """Answers requests for what are no resources."""

    def __init__(self, process: Process, checks: Mapping[str, Check]) -> None:
        self._process = process
        self._checks = checks
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self._version = msgspec.json.format(msgspec.json.encode(VERSION), indent=2)
        self._documents: dict[str, tuple[bytes, str]] = {}

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/") or "/"
        if path.startswith(HEALTH_PATHS):
            return await self._health(request, path)
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed()
        if path == "/version":
            return Response(200, "application/json", self._version)
        if path in ("/api", "/apis") or path.startswith(("/api/", "/apis/")):
            return self._discovery(request, path)
        if path.startswith("/openapi/v3"):
            return self._openapi_v3(request, path)
        if path == "/openapi/v2":
            return self._openapi_v2(request)
        if path == "/metrics":
            return Response(200, TEXT_TYPE, self._metrics())
        if path == "/":
            return document({"paths": self._paths()})
        return NOT_FOUND_TEXT

    # -- health ----------------------------------------------------------------------------------------------------

    async def _health(self, request: Request, path: str) -> Response:
        probe, _, only = path[1:].partition("/")
        if only and only not in self._checks:
            return NOT_FOUND_TEXT
        names = [only] if only else list(self._checks)
        problems = {name: await self._checks[name]() for name in names}
        failed = [name for name, problem in problems.items() if problem is not None]
        verbose = "verbose" in parse_query(request.query)
        if not failed and not verbose:
            return Response(200, TEXT_TYPE, b"ok")
        lines = [f"[-]{name} failed: reason withheld" if name in failed else f"[+]{name} ok" for name in names]
        lines.append(f"{probe} check {'failed' if failed else 'passed'}")
        return Response(500 if failed else 200, TEXT_TYPE, ("\n".join(lines) + "\n").encode())

    # -- discovery -------------------------------------------------------------------------------------------------

    def _discovery(self, request: Request, path: str) -> Response:
        from cluster_engine.api import discovery

        accept = request.header("accept")
        if path in ("/api", "/apis") and wants_aggregated_discovery(accept):
            made = discovery.aggregated_core if path == "/api" else discovery.aggregated_groups
            body, etag = self._remembered(f"aggregated {path}", made)
            headers = (("etag", f'"{etag}"'), ("vary", "Accept"), ("cache-control", "public"))
            if request.header("if-none-match").strip('"') == etag:
                return Response(304, "", b"", headers)
            return Response(200, AGGREGATED_TYPE, body, headers)
        negotiate(accept)
        legacy = _legacy(path)
        if legacy is None:
            return NOT_FOUND_TEXT
        body, _ = self._remembered(path, legacy)
        return Response(200, "application/json", body, (("vary", "Accept"),))

    def _remembered(self, name: str, make: Callable[[], Any]) -> tuple[bytes, str]:
        """Make a document once; give its bytes and the hash of them."""
        known = self._documents.get(name)
        if known is None:
            made = make()
            body = made if isinstance(made, bytes) else msgspec.json.encode(made)
            known = self._documents[name] = (body, hashlib.sha512(body).hexdigest().upper())
        return known

    # -- OpenAPI ---------------------------------------------------------------------------------------------------

    def _openapi_v3(self, request: Request, path: str) -> Response:
        from cluster_engine.api import openapi

        name = path.removeprefix("/openapi/v3").strip("/")
        if not name:
            return document(openapi.v3_index())
        if f"/openapi/v3/{name}" not in self._openapi_paths():
            return NOT_FOUND_TEXT
        body, digest = self._remembered(f"/openapi/v3/{name}", lambda: openapi.v3(name))
        asked = parse_query(request.query).get("hash", "")
        served = self._openapi_paths()[f"/openapi/v3/{name}"]
        right = parse_query(served.partition("?")[2]).get("hash", digest)
        headers: tuple[tuple[str, str], ...] = (("etag", f'"{right}"'), ("vary", "Accept-Encoding"))
        if asked and asked != right:
            return Response(301, "", b"", (*headers, ("location", f"{path}?hash={quote(right)}")))
        if request.header("if-none-match").strip('"') == right:
            return Response(304, "", b"", headers)
        if asked:
            expires = (self._process.now() + timedelta(days=365)).strftime("%a, %d %b %Y %H:%M:%S GMT")
            headers = (*headers, ("cache-control", "public, immutable"), ("expires", expires))
        return Response(200, "application/json", body, headers)

    def _openapi_paths(self) -> dict[str, str]:
        from cluster_engine.api import openapi

        index = openapi.v3_index()["paths"]
        return {f"/openapi/v3/{name}": entry["serverRelativeURL"] for name, entry in index.items()}

    def _openapi_v2(self, request: Request) -> Response:
        from cluster_engine.api import openapi

        accept = request.header("accept")
        if accept and "protobuf" not in accept and "*/*" not in accept:
            raise NotAcceptable()
        body, etag = self._remembered("/openapi/v2", openapi.v2_protobuf)
        headers = (("etag", f'"{etag}"'), ("vary", "Accept"))
        if request.header("if-none-match").strip('"') == etag:
            return Response(304, "", b"", headers)
        return Response(200, OPENAPI_V2_TYPE, body, headers)

    # -- the rest --------------------------------------------------------------------------------------------------

    def _metrics(self) -> bytes:
        lines = [
            "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each verb, "
            "resource and HTTP response code.",
            "# TYPE apiserver_request_total counter",
        ]
        for (verb, resource, code), count in sorted(self.requests.items()):
            lines.append(f'apiserver_request_total{{code="{code}",resource="{resource}",verb="{verb}"}} {count}')
        return ("\n".join(lines) + "\n").encode()

    def _paths(self) -> list[str]:
        groups = sorted({kind.api_version for kind in kinds.KINDS if kind.group and kind.verbs})
        named = ["/api", "/api/v1", "/apis"]
        for api_version in groups:
            named += [f"/apis/{api_version.partition('/')[0]}", f"/apis/{api_version}"]
        named += ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return list(dict.fromkeys(named))


def _legacy(path: str) -> Callable[[], Any] | None:
    """Find the legacy discovery document of a path."""
    from cluster_engine.api import discovery

    match path.strip("/").split("/"):
        case ["api"]:
            return discovery.api_versions
        case ["apis"]:
            return discovery.api_group_list
        case ["api", "v1"]:
            return lambda: discovery.api_resource_list("v1")
        case ["apis", group] if any(kind.group == group for kind in kinds.KINDS if kind.verbs):
            return lambda: discovery.api_group(group)
        case ["apis", group, version] if any(
            kind.api_version == f"{group}/{version}" for kind in kinds.KINDS if kind.verbs
        ):
            return lambda: discovery.api_resource_list(f"{group}/{version}")
    return None
