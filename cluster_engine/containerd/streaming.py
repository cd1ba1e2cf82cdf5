"""The runtime's streaming server: where the streams of exec, attach and port-forward really end.

Theory of operation. CRI's Exec, Attach and PortForward only prepare: they answer with a URL on this machine's loopback
that is good for one request within a minute. The kubelet carries its client's connection there, so the upgrade to
WebSocket, or to SPDY, is between that client and this server; what is in between only copies.

    kubelet   Exec(container 7f3a…, ["date"])            ->  http://127.0.0.1:32771/exec/Zk3vTx1c
    kubelet   GET /exec/Zk3vTx1c, Upgrade: websocket     ->  101, then one message a piece: 1 "Thu Jan  1 …\n", 3 …

Modelled on k8s.io/kubelet/pkg/cri/streaming and containerd's internal/cri/streamingserver.go.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import msgspec
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.containerd.port_forward import PortForwarding
from cluster_engine.containerd.remote_command import RemoteCommand, attach
from cluster_engine.containerd.runtime import RuntimeService
from cluster_engine.programs.streams import Streams
from cluster_engine.programs.window import Window
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.streaming import channels, port_forward, spdy_channels, websocket
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.spdy import Connection
from cluster_engine.streaming.spdy_channels import SpdyChannels
from cluster_engine.streaming.websocket import HandshakeError, Tunnel, WebSocket
from cluster_engine.world.process import Process

TOKEN_BYTES = 6
TOKEN_SECONDS = 60.0
TOKENS_MAX = 1000


Asked = cri.ExecRequest | cri.AttachRequest | cri.PortForwardRequest


class Prepared(msgspec.Struct, frozen=True):
    """What a token stands for: the request of the CRI call."""

    request: Asked
    until: float


class StreamingServer:
    """Serves while `serve` runs; CRI's three calls are its methods."""

    def __init__(self, process: Process, runtime: RuntimeService) -> None:
        self._process = process
        self._runtime = runtime
        self._port = process.host.next_port()
        self._prepared: dict[str, Prepared] = {}

    async def serve(self) -> None:
        """Serve until cancelled."""
        async with Listener(self._process, self._answer) as listener:
            await listener.listen("127.0.0.1", self._port, None)
            await asyncio.get_running_loop().create_future()

    # -- CRI -----------------------------------------------------------------------------------------------------------

    async def Exec(self, request: cri.ExecRequest) -> cri.ExecResponse:  # noqa: N802
        """Prepare a command."""
        self._runtime.running(request.container_id)
        return cri.ExecResponse(url=self._url("exec", request))

    async def Attach(self, request: cri.AttachRequest) -> cri.AttachResponse:  # noqa: N802
        """Prepare the streams of a container's own program."""
        self._runtime.running(request.container_id)
        return cri.AttachResponse(url=self._url("attach", request))

    async def PortForward(self, request: cri.PortForwardRequest) -> cri.PortForwardResponse:  # noqa: N802
        """Prepare connections to a sandbox's ports."""
        self._runtime.host_of(request.pod_sandbox_id)
        return cri.PortForwardResponse(url=self._url("portforward", request))

    def _url(self, kind: str, request: Asked) -> str:
        now = asyncio.get_running_loop().time()
        self._prepared = {token: one for token, one in self._prepared.items() if one.until > now}
        if len(self._prepared) >= TOKENS_MAX:
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "maximum number of in-flight requests exceeded")
        token = base64.urlsafe_b64encode(self._process.rng.randbytes(TOKEN_BYTES)).decode()
        self._prepared[token] = Prepared(request, now + TOKEN_SECONDS)
        return f"http://127.0.0.1:{self._port}/{kind}/{token}"

    # -- HTTP ----------------------------------------------------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        _, kind, token, *_ = [*request.path.split("/"), "", ""]
        prepared = self._prepared.pop(token, None)
        if prepared is None or prepared.until <= asyncio.get_running_loop().time():
            return _text(404, f"{kind} {token}: not found")
        asked = prepared.request
        forwards = isinstance(asked, cri.PortForwardRequest)
        if headers := spdy_channels.accept(request.headers, port_forward.PROTOCOL if forwards else channels.V4):
            return Response(101, "", headers=tuple(headers), upgrade=self._by_spdy(asked))
        if not websocket.is_asked_for(request.headers):
            return _text(403, "unable to upgrade: missing upgrade headers in request")
        try:
            protocols = (port_forward.TUNNELLED,) if forwards else channels.PROTOCOLS
            _, headers = websocket.accept(request.headers, protocols)
        except HandshakeError as error:
            return _text(400, str(error))
        return Response(101, "", headers=tuple(headers), upgrade=self._by_websocket(asked))

    def _by_websocket(self, asked: Asked) -> Callable[[Duplex], Awaitable[None]]:
        async def serve(client: Duplex) -> None:
            socket = WebSocket(client, is_client=False)
            if isinstance(asked, cri.PortForwardRequest):
                await self._forward(asked, Tunnel(socket))
            else:
                await RemoteCommand(socket, asked, self._what(asked), self._window(asked)).serve()

        return serve

    def _by_spdy(self, asked: Asked) -> Callable[[Duplex], Awaitable[None]]:
        async def serve(client: Duplex) -> None:
            if isinstance(asked, cri.PortForwardRequest):
                await self._forward(asked, client)
                return
            wanted = {"stdin": asked.stdin, "stdout": asked.stdout, "stderr": asked.stderr}
            wanted |= {"error": True, "resize": asked.tty}
            connection = Connection(client, is_client=False)
            async with SpdyChannels(connection, [name for name, is_wanted in wanted.items() if is_wanted]) as streams:
                await RemoteCommand(streams, asked, self._what(asked), self._window(asked)).serve()

        return serve

    async def _forward(self, asked: cri.PortForwardRequest, client: Duplex) -> None:
        await PortForwarding(self._process, self._runtime.host_of(asked.pod_sandbox_id), asked).serve(client)

    def _window(self, asked: cri.ExecRequest | cri.AttachRequest) -> Window | None:
        """Return the window of the terminal that a client is to have: a new one, or the container's own."""
        if isinstance(asked, cri.AttachRequest):
            return self._runtime.running(asked.container_id).window
        return Window() if asked.tty else None

    def _what(self, asked: cri.ExecRequest | cri.AttachRequest) -> Callable[[Streams], Awaitable[int]]:
        """Return what is done with a client's streams."""

        async def run(streams: Streams) -> int:
            if isinstance(asked, cri.AttachRequest):
                return await attach(self._runtime.running(asked.container_id), streams)
            return await self._runtime.execute(asked.container_id, list(asked.cmd), streams, tty=asked.tty)

        return run


def _text(status: int, message: str) -> Response:
    return Response(status, "text/plain; charset=utf-8", message.encode())
