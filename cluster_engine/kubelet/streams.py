"""exec, attach and port-forward on the kubelet's port: it asks the runtime for a URL and carries the bytes there.

    GET /exec/default/web-0/nginx?command=date&output=1      CRI Exec -> http://127.0.0.1:41000/exec/Zk3vTx1c
    GET /attach/default/web-0/nginx?output=1&error=1         CRI Attach
    GET /portForward/default/web-0                           CRI PortForward

The kubelet does not look at what it carries. Modelled on getExec, getAttach, getPortForward and proxyStream of
pkg/kubelet/server/server.go, and on pkg/kubelet/kuberuntime/kuberuntime_container.go.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from urllib.parse import parse_qs

from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.proxying import headers_of, response_of
from cluster_engine.kubelet.known_pods import KnownPods
from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import RuntimeCache
from cluster_engine.streaming import dialling
from cluster_engine.streaming.channels import NO_STREAMS
from cluster_engine.streaming.dialling import DialError

CODES = {"NotFound": 404, "ResourceExhausted": 429}
"""Of the runtime's errors; all others are a 500 (kubelet/pkg/cri/streaming/errors.go)."""


class Streams:
    """Answers requests for a pod's streams."""

    def __init__(self, pods: KnownPods, cache: RuntimeCache, runtime: Runtime) -> None:
        self._pods, self._cache, self._runtime = pods, cache, runtime

    async def exec(self, request: Request) -> Response:
        """Run a command in a container."""
        return await self._into_container(request)

    async def attach(self, request: Request) -> Response:
        """Join the streams of a container's own program."""
        return await self._into_container(request)

    async def port_forward(self, request: Request) -> Response:
        """Connect to ports of a pod."""
        parts = request.path.split("/")[2:]
        uid = self._uid(parts, 2)
        if uid is None:
            return text(HTTPStatus.NOT_FOUND, "pod does not exist")
        sandbox = self._cache.get(uid).sandbox
        if sandbox is None:
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, f"failed to find sandbox for pod {parts[1]}")
        return await self._carried(request, self._runtime.port_forward_url(sandbox.status.id))

    async def _into_container(self, request: Request) -> Response:
        _, kind, *parts = request.path.split("/")
        query = parse_qs(request.query, keep_blank_values=True)
        tty = _is_set(query, "tty")
        streams = {
            "stdin": _is_set(query, "input"),
            "stdout": _is_set(query, "output"),
            "stderr": _is_set(query, "error") and not tty,
        }
        if not any(streams.values()):
            return text(HTTPStatus.BAD_REQUEST, NO_STREAMS)
        uid = self._uid(parts, 3)
        if uid is None:
            return text(HTTPStatus.NOT_FOUND, "pod does not exist")
        status = self._cache.get(uid).latest(parts[2])
        if status is None:
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, f'container not found ("{parts[2]}")')
        asked = {**streams, "tty": tty}
        if kind == "attach":
            return await self._carried(request, self._runtime.attach_url(status.id, asked))
        return await self._carried(request, self._runtime.exec_url(status.id, query.get("command", []), asked))

    def _uid(self, parts: list[str], length: int) -> str | None:
        pod = self._pods.get("/".join(parts[:2])) if len(parts) == length else None
        return None if pod is None else str(pod["metadata"]["uid"])

    async def _carried(self, request: Request, prepared: Awaitable[str]) -> Response:
        try:
            url = await prepared
        except RuntimeRefusal as refusal:
            return text(CODES.get(refusal.code, 500), str(refusal))
        try:
            answer = await dialling.ask(url, method=request.method, headers=headers_of(request))
        except DialError as error:
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, f"error dialing backend: {error.reason}")
        if answer.status != HTTPStatus.SWITCHING_PROTOCOLS:
            try:
                return text(answer.status, await answer.text())
            finally:
                await answer.close()
        return response_of(answer)


def text(status: int, message: str) -> Response:
    """Answer in plain text."""
    return Response(status, "text/plain; charset=utf-8", message.encode())


def _is_set(query: dict[str, list[str]], name: str) -> bool:
    return query.get(name) == ["1"]
