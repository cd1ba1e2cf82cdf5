"""What the server says about itself: version, health, metrics, and by way of `documents` discovery and OpenAPI.

    GET /readyz?verbose     [+]ping ok␊[+]etcd ok␊[+]poststarthook/rbac/bootstrap-roles ok␊readyz check passed

Modelled on apiserver/pkg/server/{healthz,routes} and component-base/version. All of these are non-resource paths;
RBAC lets everybody read /version and /healthz and everybody known read discovery.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from cluster_engine.api.kinds import Kinds
from cluster_engine.api.status import MethodNotAllowed
from cluster_engine.apiserver.handlers import documents
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT, TEXT_TYPE, document
from cluster_engine.apiserver.request_info import RequestInfo, parse_query
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
COUNTED_VERBS = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
    "post": "POST",
    "put": "PUT",
}
"""By verb, what metrics call it (apiserver/pkg/endpoints/metrics)."""
LABELS = ("code", "dry_run", "group", "resource", "scope", "subresource", "verb", "version")
COMPONENT = ',component="apiserver",dry_run'
HEALTH_PATHS = ("/healthz", "/livez", "/readyz")

Check = Callable[[], Awaitable[str | None]]
"""A health check: None when all is well, else what is wrong."""


class Meta:
    """Answers requests for what are no resources."""

    def __init__(
        self, process: Process, kinds: Kinds, checks: Mapping[str, Check], fixed: Mapping[str, Response]
    ) -> None:
        """`fixed` are answers that never change, by path."""
        self._process = process
        self._kinds = kinds
        self._checks = checks
        self._fixed = fixed
        self._requests: Counter[tuple[str, ...]] = Counter()
        self._version = msgspec.json.format(msgspec.json.encode(VERSION), indent=2)

    def count(self, info: RequestInfo, code: int, *, applies: bool, dry_run: bool) -> None:
        """Count a request; what nobody knows is counted together, so that there is an end to what is kept."""
        kind = None
        if info.is_resource:
            kind = self._kinds.served.by_resource(info.group, info.version, info.resource)
        verb = "APPLY" if applies and info.verb == "patch" else COUNTED_VERBS.get(info.verb, "other")
        dry = "All" if dry_run else ""
        if kind is None:
            self._requests[str(code), dry, "", "", "", "", verb, ""] += 1
            return
        subresource = info.subresource if kind.subresource(info.subresource) else ""
        scope = "resource" if info.name or info.verb == "create" else "namespace" if info.namespace else "cluster"
        self._requests[str(code), dry, kind.group, kind.plural, scope, subresource, verb, kind.version] += 1

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/") or "/"
        if path.startswith(HEALTH_PATHS):
            return await self._health(request, path)
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed()
        if path in self._fixed:
            return self._fixed[path]
        if path == "/version":
            return Response(200, "application/json", self._version)
        if path in ("/api", "/apis") or path.startswith(("/api/", "/apis/")):
            return documents.discovery_response(self._kinds.served, request, path)
        if path == documents.OPENAPI_V3 or path.startswith(f"{documents.OPENAPI_V3}/"):
            return documents.openapi_v3_response(self._kinds.served, request, path, self._process.now())
        if path == "/openapi/v2":
            return documents.openapi_v2_response(self._kinds.served, request)
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

    # -- the rest --------------------------------------------------------------------------------------------------

    def _metrics(self) -> bytes:
        lines = [
            "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each verb, "
            "resource and HTTP response code.",
            "# TYPE apiserver_request_total counter",
        ]
        for values, count in sorted(self._requests.items()):
            labels = ",".join(f'{name}="{value}"' for name, value in zip(LABELS, values, strict=True))
            lines.append(f"apiserver_request_total{{{labels.replace(',dry_run', COMPONENT, 1)}}} {count}")
        return ("\n".join(lines) + "\n").encode()

    def _paths(self) -> list[str]:
        served = self._kinds.served.group_versions
        named = ["/api", *(f"/api/{each.name}" for each in served if not each.group), "/apis"]
        for each in sorted((each for each in served if each.group), key=lambda each: each.name):
            named += [f"/apis/{each.group}", f"/apis/{each.name}"]
        named += list(self._fixed)
        named += ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return list(dict.fromkeys(named))
