"""The kubelet's own port, 10250: HTTPS for the API server, which comes here for logs.

Theory of operation. Who asks must show a client certificate of the cluster's CA (nobody is anonymous here: 401), and
must be allowed to by the API server: the kubelet asks it with a SubjectAccessReview whether that user may `get` the
subresource `nodes/proxy` of this node (`nodes/log` for the host's own logs), and remembers a yes for 5 minutes, a no
for 30 seconds.

    GET /containerLogs/<namespace>/<pod>/<container>?follow&previous&tailLines&limitBytes&timestamps
    GET /pods                                                                     what it is to run
    GET /healthz                                                                  ok

Modelled on pkg/kubelet/server/{server,auth}.go. Left out: exec, attach, port-forward, stats, metrics, bearer tokens.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from cluster_engine.api.kinds import SUBJECT_ACCESS_REVIEW
from cluster_engine.api.status import Refusal
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates
from cluster_engine.apiserver.serving.exchange import Request, Response, Writer
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.client.informer import Informer
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import logs
from cluster_engine.kubelet.logs import LogOptions
from cluster_engine.kubelet.node_status import KUBELET_PORT
from cluster_engine.kubelet.runtime_cache import RuntimeCache
from cluster_engine.kubelet.streams import Streams, text
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.tls import ServerTLS

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

CLIENT_CA = "/etc/kubernetes/pki/ca.crt"
SERVING_PAIR = "/var/lib/kubelet/pki/kubelet"
ALLOW_SECONDS, DENY_SECONDS = 300.0, 30.0
DECISIONS_MAX = 1024
FOLLOW_SECONDS = 1.0
SUBRESOURCES = {"logs": "log", "stats": "stats", "metrics": "metrics", "checkpoint": "checkpoint"}
"""By the first part of a path; all others are `proxy` (pkg/kubelet/server/auth.go)."""


class KubeletServer:
    """Serves 10250 while `run` runs. Made of the files it needs: OSError or ValueError when one cannot be used."""

    def __init__(
        self,
        process: "Process",
        client: Client,
        known: Informer,
        cache: RuntimeCache,
        streams: Streams,
        *,
        address: str,
    ) -> None:
        self._process = process
        self._client = client
        self._pods = known
        self._cache = cache
        self._address = address
        self._streams = {"exec": streams.exec, "attach": streams.attach, "portForward": streams.port_forward}
        self._decisions: dict[tuple[str, str, str], tuple[bool, float]] = {}
        files = process.files
        authority = files.read(CLIENT_CA)
        self._certificates = ClientCertificates(authority)
        certificate, key = (files.read(f"{SERVING_PAIR}.{end}") for end in ("crt", "key"))
        self._tls = ServerTLS(certificate, key, client_ca=authority, client_auth="request")
        self.is_running = False

    async def run(self) -> None:
        """Serve until cancelled."""
        async with Listener(self._process, self._serve) as listener:
            await listener.listen(self._address, KUBELET_PORT, self._tls)
            self.is_running = True
            await asyncio.get_running_loop().create_future()

    async def _serve(self, request: Request) -> Response:
        user = self._authenticate(request)
        if user is None:
            return text(401, "Unauthorized")
        first = request.path.split("/")[1]
        subresource = SUBRESOURCES.get(first, "proxy")
        verb = "get" if request.method in ("GET", "HEAD") else "create"
        if not await self._may(user, verb, subresource):
            node = self._process.host.name
            why = f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource={subresource}, name={node})"
            return text(403, why)
        if stream := self._streams.get(first):
            return await stream(request)
        route = _ROUTES.get(first)
        if route is None or request.method != "GET":
            return text(404, "404 page not found\n")
        return await route(self, request)

    # -- who, and may they ---------------------------------------------------------------------------------------------

    def _authenticate(self, request: Request) -> User | None:
        if not request.peer.certificates or self._certificates is None:
            return None
        try:
            return self._certificates.user(request.peer.certificates, self._process.now())
        except BadCertificate as error:
            self._process.note("kubelet.server", f"unable to authenticate the request: {error}")
            return None

    async def _may(self, user: User, verb: str, subresource: str) -> bool:
        key, now = (user.name, verb, subresource), asyncio.get_running_loop().time()
        allowed, until = self._decisions.get(key, (False, -1.0))
        if now < until:
            return allowed
        attributes = {
            "verb": verb,
            "version": "v1",
            "resource": "nodes",
            "subresource": subresource,
            "name": self._process.host.name,
        }
        spec = {"user": user.name, "groups": list(user.groups), "resourceAttributes": attributes}
        review = {"kind": "SubjectAccessReview", "apiVersion": SUBJECT_ACCESS_REVIEW.api_version, "spec": spec}
        try:
            answer = await self._client.create(SUBJECT_ACCESS_REVIEW, review)
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("kubelet.server", f"could not ask whether {user.name} may: {error}")
            return False
        allowed = bool(answer["status"].get("allowed"))
        if len(self._decisions) >= DECISIONS_MAX:
            self._decisions.clear()
        self._decisions[key] = (allowed, now + (ALLOW_SECONDS if allowed else DENY_SECONDS))
        return allowed

    # -- what there is -------------------------------------------------------------------------------------------------

    async def _healthz(self, _: Request) -> Response:
        return text(200, "ok")

    async def _list_pods(self, _: Request) -> Response:
        body = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self._pods.items()}
        return Response(200, body=msgspec.json.encode(body))

    async def _container_logs(self, request: Request) -> Response:
        parts = request.path.split("/")[2:]
        if len(parts) != 3:
            return text(404, "404 page not found\n")
        namespace, name, container = parts
        pod = self._pods.get(f"{namespace}/{name}")
        if pod is None:
            return text(404, f'pod "{name}" does not exist\n')
        options = LogOptions.from_query(parse_qs(request.query, keep_blank_values=True))
        history = self._cache.get(pod["metadata"]["uid"]).of_name(container)
        wanted = [s for s in history if s.state != cri.CONTAINER_CREATED]
        if options.previous:
            ended = [status for status in wanted if status.state == cri.CONTAINER_EXITED]
            wanted = [status for status in wanted[1:] if status in ended] or (ended[:1] if len(history) == 1 else [])
            if not wanted:
                return text(400, f'previous terminated container "{container}" in pod "{name}" not found')
        if not wanted:
            return text(400, f'container "{container}" in pod "{name}" is waiting to start: {_why(pod, container)}')
        return Response(200, "text/plain", stream=self._stream(wanted[0], options))

    def _stream(self, status: cri.ContainerStatus, options: LogOptions) -> Callable[[Writer], Awaitable[None]]:
        """Write the log, and when it is to be followed what is added, until the container has ended."""
        path, uid = status.log_path, status.labels["io.kubernetes.pod.uid"]

        async def stream(writer: Writer) -> None:
            lines = self._lines(path)
            for line in logs.select(lines, options, self._process.now()):
                writer.write(line)
            last = lines[-1] if lines else b""
            while options.follow and not writer.closed and self._runs(uid, status.id):
                await writer.drain()  # whoever reads slowly misses what the log does not keep as long
                await asyncio.sleep(FOLLOW_SECONDS)
                lines = self._lines(path)
                for line in logs.render(_after(lines, last), options, last):
                    writer.write(line)
                last = lines[-1] if lines else b""
            await writer.drain()

        return stream

    def _lines(self, path: str) -> list[bytes]:
        files = self._process.files
        return files.read(path).splitlines(keepends=True) if files.exists(path) else []

    def _runs(self, uid: str, id_: str) -> bool:
        status = self._cache.get(uid).container(id_)
        return status is not None and status.state == cri.CONTAINER_RUNNING


_ROUTES: dict[str, Callable[[KubeletServer, Request], Awaitable[Response]]] = {
    "healthz": KubeletServer._healthz,
    "pods": KubeletServer._list_pods,
    "containerLogs": KubeletServer._container_logs,
}


def _after(lines: list[bytes], last: bytes) -> list[bytes]:
    """Return what follows the newest line like `last`: the same words may have been said twice in one instant."""
    for position in range(len(lines) - 1, -1, -1):
        if lines[position] == last:
            return lines[position + 1 :]
    return lines


def _why(pod: dict[str, Any], container: str) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    state: dict[str, Any] = next((status["state"] for status in statuses if status["name"] == container), {})
    return str((state.get("waiting") or {}).get("reason", "ContainerCreating"))
