"""The kubelet's own port, 10250: HTTPS for the API server and whoever else may; and 10248, for health, on loopback.

    GET /containerLogs/<namespace>/<pod>/<container>?follow&previous&tailLines&limitBytes&timestamps
    GET /exec/…  /attach/…  /portForward/…                                        see `streams`
    POST /run/<namespace>/<pod>/<container>?cmd=date                              a command's output, whole
    GET /pods  /runningpods/  /configz  /stats/summary                            what it is to run, runs, is, uses
    GET /metrics  /metrics/resource  /metrics/cadvisor                            see `metrics`
    GET /healthz                                                                  ok
    GET http://127.0.0.1:10248/healthz                                            ok, for anybody on this machine

Who asks and whether they may is `callers`' business. Modelled on pkg/kubelet/server/server.go. Left out: /logs (the
host's own), /checkpoint, /debug.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from cluster_engine.apiserver.serving.exchange import Request, Response, Writer
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import logs, metrics
from cluster_engine.kubelet.callers import Callers
from cluster_engine.kubelet.configuration import HEALTHZ_PORT, configuration
from cluster_engine.kubelet.known_pods import KnownPods
from cluster_engine.kubelet.logs import LogOptions
from cluster_engine.kubelet.node_status import KUBELET_PORT
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import PodRuntime, RuntimeCache
from cluster_engine.kubelet.stats import Usage
from cluster_engine.kubelet.streams import Streams, text
from cluster_engine.metrics.registry import TEXT_TYPE
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.tls import ServerTLS

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

CLIENT_CA = "/etc/kubernetes/pki/ca.crt"
SERVING_PAIR = "/var/lib/kubelet/pki/kubelet"
RUN_SECONDS = 60
FOLLOW_SECONDS = 1.0
EVERYWHERE = "0.0.0.0"
"""The address that kubeadm's KubeletConfiguration has."""


@contextlib.asynccontextmanager
async def serving_health(process: "Process") -> AsyncIterator[None]:
    """Say on loopback, for as long as the block lasts, that the kubelet lives."""
    async with Listener(process, _serve_health) as health:
        await health.listen("127.0.0.1", HEALTHZ_PORT, None)
        yield


async def _serve_health(request: Request) -> Response:
    if request.path.rstrip("/") not in ("/healthz", "/healthz/ping", "/healthz/log", "/healthz/syncloop"):
        return text(404, "404 page not found\n")
    return text(200, "ok")


class KubeletServer:
    """Serves 10250 while `run` runs. Made of the files it needs: OSError or ValueError when one cannot be used."""

    def __init__(
        self,
        process: "Process",
        client: Client,
        known: KnownPods,
        cache: RuntimeCache,
        runtime: Runtime,
    ) -> None:
        self._process = process
        self._runtime = runtime
        self._pods = known
        self._cache = cache
        streams = Streams(known, cache, runtime)
        self._streams = {"exec": streams.exec, "attach": streams.attach, "portForward": streams.port_forward}
        files = process.files
        authority = files.read(CLIENT_CA)
        self._callers = Callers(process, client, authority)
        certificate, key = (files.read(f"{SERVING_PAIR}.{end}") for end in ("crt", "key"))
        self._tls = ServerTLS(certificate, key, client_ca=authority, client_auth="request")
        self.is_running = False

    async def run(self) -> None:
        """Serve until cancelled."""
        async with Listener(self._process, self._serve) as listener, serving_health(self._process):
            await listener.listen(EVERYWHERE, KUBELET_PORT, self._tls)
            self.is_running = True
            await asyncio.get_running_loop().create_future()

    async def _serve(self, request: Request) -> Response:
        user = await self._callers.user(request)
        if user is None:
            return text(401, "Unauthorized")
        if why := await self._callers.refusal(user, request):
            return text(403, why)
        first = request.path.split("/")[1]
        if stream := self._streams.get(first):
            return await stream(request)
        method, route = _ROUTES.get(first, ("", KubeletServer._healthz))
        if request.method != method:
            return text(405 if method else 404, "405: Method Not Allowed" if method else "404 page not found\n")
        return await route(self, request)

    # -- what there is -------------------------------------------------------------------------------------------------

    async def _healthz(self, _: Request) -> Response:
        return text(200, "ok")

    async def _list_pods(self, _: Request) -> Response:
        return _pod_list(self._pods.items())

    async def _list_running_pods(self, _: Request) -> Response:
        items = [running for pod in self._cache.pods() if (running := _running(pod))]
        return _pod_list(items)

    async def _configz(self, _: Request) -> Response:
        return Response(200, body=msgspec.json.encode({"kubeletconfig": configuration(EVERYWHERE)}))

    async def _usage(self) -> Usage:
        return Usage(self._process, self._cache, await self._runtime.stats())

    async def _stats(self, request: Request) -> Response:
        if request.path.rstrip("/") not in ("/stats", "/stats/summary"):
            return text(404, "404 page not found\n")
        return Response(200, body=msgspec.json.encode((await self._usage()).summary()))

    async def _metrics(self, request: Request) -> Response:
        tell = METRICS.get(request.path.rstrip("/"))
        if tell is None:
            return text(404, "404 page not found\n")
        try:
            return Response(200, TEXT_TYPE, tell(await self._usage()).encode())
        except RuntimeRefusal as refusal:
            return text(500, str(refusal))

    async def _run(self, request: Request) -> Response:
        parts = request.path.split("/")[2:]
        pod = self._pods.get("/".join(parts[:2])) if len(parts) == 3 else None
        if pod is None:
            return text(404, "pod does not exist")
        status = self._cache.get(pod["metadata"]["uid"]).latest(parts[2])
        if status is None:
            return text(500, f'container "{parts[2]}" not found')
        command = parse_qs(request.query).get("cmd", [""])[0].split(" ")
        try:
            done = await self._runtime.execute(status.id, command, RUN_SECONDS)
        except RuntimeRefusal as refusal:
            return text(500, str(refusal))
        if done.exit_code:
            said = done.stderr.decode("utf-8", "replace")
            return text(500, f"command '{' '.join(command)}' exited with {done.exit_code}: {said}")
        return Response(200, "text/plain; charset=utf-8", done.stdout + done.stderr)

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


METRICS: Mapping[str, Callable[[Usage], str]] = {
    "/metrics": metrics.kubelet,
    "/metrics/resource": metrics.resource,
    "/metrics/cadvisor": metrics.cadvisor,
}
_ROUTES: dict[str, tuple[str, Callable[[KubeletServer, Request], Awaitable[Response]]]] = {
    "healthz": ("GET", KubeletServer._healthz),
    "pods": ("GET", KubeletServer._list_pods),
    "runningpods": ("GET", KubeletServer._list_running_pods),
    "configz": ("GET", KubeletServer._configz),
    "containerLogs": ("GET", KubeletServer._container_logs),
    "stats": ("GET", KubeletServer._stats),
    "metrics": ("GET", KubeletServer._metrics),
    "run": ("POST", KubeletServer._run),
}


def _pod_list(items: Sequence[Any]) -> Response:
    body = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
    return Response(200, body=msgspec.json.encode(body))


def _running(pod: PodRuntime) -> dict[str, Any] | None:
    """Say of a pod what the runtime knows of it, as far as it runs."""
    running = pod.running()
    if pod.sandbox is None or not running:
        return None
    metadata = pod.sandbox.status.metadata
    containers = [{"name": one.metadata.name, "image": one.image_ref, "resources": {}} for one in running]
    return {
        "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": pod.uid},
        "spec": {"containers": containers},
        "status": {},
    }


def _after(lines: list[bytes], last: bytes) -> list[bytes]:
    """Return what follows the newest line like `last`: the same words may have been said twice in one instant."""
    for position in range(len(lines) - 1, -1, -1):
        if lines[position] == last:
            return lines[position + 1 :]
    return lines


def _why(pod: dict[str, Any], container: str) -> str:
    told = pod.get("status") or {}
    statuses = [one for kind in ("c", "initC", "ephemeralC") for one in told.get(f"{kind}ontainerStatuses") or ()]
    state: dict[str, Any] = next((status["state"] for status in statuses if status["name"] == container), {})
    return str((state.get("waiting") or {}).get("reason", "ContainerCreating"))
