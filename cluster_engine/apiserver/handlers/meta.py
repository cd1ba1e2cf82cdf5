"""What the server says about itself: version, health, metrics, and by way of `documents` discovery and OpenAPI.

    GET /readyz?verbose     [+]ping ok␊[+]etcd ok␊[+]poststarthook/rbac/bootstrap-roles ok␊readyz check passed

Modelled on apiserver/pkg/server/{healthz,routes} and component-base/version. All of these are non-resource paths;
RBAC lets everybody read /version and /healthz and everybody known read discovery.
"""

from collections.abc import Mapping

import msgspec

from cluster_engine.api.kinds import Kinds
from cluster_engine.api.status import MethodNotAllowed
from cluster_engine.apiserver.handlers import documents
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT, document
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.health import Checks, health
from cluster_engine.metrics.of_process import build_info
from cluster_engine.metrics.registry import TEXT_TYPE as METRICS_TYPE
from cluster_engine.version import VERSION
from cluster_engine.world.process import Process

VERSION_INFO = {
    "major": "1",
    "minor": "32",
    "gitVersion": f"{VERSION}+glassplane",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.23.12",
    "compiler": "gc",
    "platform": "linux/amd64",
}
HEALTH_PATHS = ("/healthz", "/livez", "/readyz")


class Meta:
    """Answers requests for what are no resources."""

    def __init__(
        self, process: Process, kinds: Kinds, probes: Mapping[str, Checks], fixed: Mapping[str, Response]
    ) -> None:
        """`probes` are the checks of each path of health; `fixed` are answers that never change, by path."""
        self._process = process
        self._kinds = kinds
        self._probes = probes
        self._fixed = fixed
        self._version = msgspec.json.format(msgspec.json.encode(VERSION_INFO), indent=2)

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/") or "/"
        if path.startswith(HEALTH_PATHS):
            return await health(request, self._probes)
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
            return Response(200, METRICS_TYPE, self._process.metrics.text(build_info()).encode())
        if path == "/":
            return document({"paths": self._paths()})
        return NOT_FOUND_TEXT

    def _paths(self) -> list[str]:
        served = self._kinds.served.group_versions
        named = ["/api", *(f"/api/{each.name}" for each in served if not each.group), "/apis"]
        for each in sorted((each for each in served if each.group), key=lambda each: each.name):
            named += [f"/apis/{each.group}", f"/apis/{each.name}"]
        named += list(self._fixed)
        named += ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return list(dict.fromkeys(named))
