"""The secure port of kube-controller-manager (10257) and kube-scheduler (10259): health, metrics and settings.

Theory of operation. The port listens on the control plane's loopback, as kubeadm has it, with a certificate that the
component makes for itself at its start. How it is everybody may know; all else only whom the API server
allows to `get` that path: who shows nothing is system:anonymous.

    curl -k https://127.0.0.1:10259/healthz                                   ok
    curl -k https://127.0.0.1:10259/metrics                                   403 … cannot get path "/metrics"
    curl -k -H "Authorization: Bearer $TOKEN" https://127.0.0.1:10259/metrics  the metrics, for who may

Modelled on apiserver/pkg/server's delegated authentication and authorization (their answers remembered for ten seconds)
and cmd/kube-scheduler/app/server.go. Left out: /debug/pprof, /metrics/slis, /statusz and /flagz (alpha); the
CA comes with the kubeconfig, not from the ConfigMap extension-apiserver-authentication.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Forbidden, Refusal, Unauthorized
from cluster_engine.apiserver.authentication.users import NOBODY, User
from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.health import NOT_FOUND, Checks, health
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.client.rest import Client
from cluster_engine.metrics.of_process import build_info
from cluster_engine.metrics.registry import TEXT_TYPE
from cluster_engine.pki.authority import Authority, Usage
from cluster_engine.secure_port.delegation import Delegation, Memory
from cluster_engine.world.tls import ServerTLS

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

CONTROLLER_MANAGER, SCHEDULER = 10257, 10259
LOOPBACK = "127.0.0.1"
MEMORY = Memory(token=10.0, allowed=10.0, denied=10.0)
ALWAYS_ALLOWED = ("/healthz", "/readyz", "/livez")
"""--authorization-always-allow-paths."""


class SecurePort:
    """Answers on one component's secure port.

    `probes` are its health checks by path, without the slash; `configz` is what it is set to.
    """

    def __init__(self, process: "Process", client: Client, probes: Mapping[str, Checks], configz: Object) -> None:
        self._process = process
        self._configz = configz
        self._probes = probes
        self._client_ca = client.config.ca
        self._delegation = Delegation(process, client, client.config.ca or b"", MEMORY, note="port.delegation")

    @asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[None]:
        """Serve within this; nowhere at port 0, as `--secure-port=0` has it."""
        if port == 0:
            yield
            return
        async with Listener(self._process, self.serve) as listener:
            await listener.listen(LOOPBACK, port, _tls(self._process, self._client_ca))
            yield

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        try:
            user = await self._user(request)
            await self._authorize(user, request)
        except Refusal as refusal:
            return Response(refusal.code, body=msgspec.json.encode(refusal.status()) + b"\n")
        path = request.path.rstrip("/")
        if path == "/metrics":
            return Response(200, TEXT_TYPE, self._process.metrics.text(build_info()).encode())
        if path == "/configz":
            return Response(200, body=msgspec.json.encode(self._configz))
        if path.startswith(ALWAYS_ALLOWED):
            return await health(request, self._probes)
        return NOT_FOUND

    async def _user(self, request: Request) -> User:
        if self._delegation.shows_nothing(request):
            return NOBODY
        if (user := await self._delegation.user(request)) is None:
            raise Unauthorized
        return user

    async def _authorize(self, user: User, request: Request) -> None:
        if request.path in ALWAYS_ALLOWED:
            return
        verb = request.method.lower()
        what = {"nonResourceAttributes": {"path": request.path, "verb": verb}}
        allowed, reason = await self._delegation.may(user, what)
        if not allowed:
            because = f": {reason}" if reason else ""
            raise Forbidden(f'forbidden: User "{user.name}" cannot {verb} path "{request.path}"{because}')


def _tls(process: "Process", client_ca: bytes | None) -> ServerTLS:
    """Make a certificate, as GenerateSelfSignedCertKey does where no --tls-cert-file is given."""
    name = f"localhost@{int(process.now().timestamp())}"
    authority = Authority(name.replace("@", "-ca@"), now=process.now())
    pair = authority.issue(name, usage=Usage.SERVER, names=["localhost", LOOPBACK])
    return ServerTLS(pair.certificate, pair.key, client_ca=client_ca, client_auth="request")
