"""The runtime's streaming server: where the streams of exec, attach and port-forward really end.

Theory of operation. CRI's Exec, Attach and PortForward only prepare: they answer with a URL on this machine's loopback
that is good for one request within a minute. The kubelet carries its client's connection there, so the upgrade to
WebSocket is between that client and this server; what is in between only copies.

    kubelet   Exec(container 7f3a…, ["date"])            ->  http://127.0.0.1:32771/exec/Zk3vTx1c
    kubelet   GET /exec/Zk3vTx1c, Upgrade: websocket     ->  101, then one message a piece: 1 "Thu Jan  1 …\n", 3 …

Modelled on k8s.io/kubelet/pkg/cri/streaming and containerd's internal/cri/streamingserver.go. Left out: SPDY, terminal
sizes (a resize is taken and nothing follows from it).
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from cluster_engine.apiserver.serving.exchange import Request, Response
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.containerd.runtime import RuntimeService, not_started
from cluster_engine.containerd.workloads import NotExecutableError
from cluster_engine.programs.streams import Nowhere, Output, Pipe, Streams
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.streaming import channels, websocket
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.websocket import HandshakeError, WebSocket
from cluster_engine.world.process import Process

TOKEN_BYTES = 6
TOKEN_SECONDS = 60.0
TOKENS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a token stands for: the request of the CRI call."""

    request: cri.ExecRequest | cri.AttachRequest | cri.PortForwardRequest
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
        return cri.PortForwardResponse(url=self._url("portforward", request))

    def _url(self, kind: str, request: cri.ExecRequest | cri.AttachRequest | cri.PortForwardRequest) -> str:
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
        if not websocket.is_asked_for(request.headers):
            return _text(403, "unable to upgrade: missing upgrade headers in request")
        try:
            _, headers = websocket.accept(request.headers, channels.PROTOCOLS)
        except HandshakeError as error:
            return _text(400, str(error))
        asked = prepared.request
        if not isinstance(asked, cri.ExecRequest):
            return _text(501, f"{kind} is not implemented")

        async def run(streams: Streams) -> int:
            return await self._runtime.execute(asked.container_id, list(asked.cmd), streams, tty=asked.tty)

        async def command(client: Duplex) -> None:
            await RemoteCommand(WebSocket(client, is_client=False), asked, run).serve()

        return Response(101, "", headers=tuple(headers), upgrade=command)


class RemoteCommand:
    """One command whose streams are a WebSocket's channels, from its start to its Status."""

    def __init__(
        self,
        socket: WebSocket,
        asked: cri.ExecRequest | cri.AttachRequest,
        run: Callable[[Streams], Awaitable[int]],
    ) -> None:
        self._socket, self._run = socket, run
        self._stdin, self._stdout, self._stderr = Pipe(), Pipe(), Pipe()
        if not asked.stdin:
            self._stdin.end()
        nowhere = Nowhere()
        stdout: Output = self._stdout if asked.stdout else nowhere
        stderr: Output = stdout if asked.tty else self._stderr if asked.stderr else nowhere
        self._streams = Streams(self._stdin, stdout, stderr)

    async def serve(self) -> None:
        """Run it to its end; a client that goes away ends it."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            sending = tasks.create_task(self._send_all())
            running = tasks.create_task(self._status())
            await asyncio.wait([listening, running], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                self._stdout.end()
                self._stderr.end()
                await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
                await self._say(channels.ERROR, running.result())
            for task in (listening, running, sending):
                task.cancel()
        await self._socket.close()

    async def _status(self) -> bytes:
        try:
            return msgspec.json.encode(channels.exit_status(await self._run(self._streams)))
        except NotExecutableError as error:
            return msgspec.json.encode(channels.failure(f"error executing command in container: {not_started(error)}"))
        except GRPCError as error:
            message = f"error executing command in container: {error.message}"
            return msgspec.json.encode(channels.failure(message))

    async def _listen(self) -> None:
        """Take what the client sends until it has gone."""
        while (message := await self._socket.receive()) is not None:
            if not message:
                continue
            try:
                if message[0] == channels.STDIN:
                    self._stdin.write(message[1:])
                    await self._stdin.drain()
                elif message[0] == channels.CLOSE and message[1:] == bytes([channels.STDIN]):
                    self._stdin.end()
            except BrokenPipeError:
                continue  # nobody reads any more

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(channels.STDOUT, self._stdout))
            tasks.create_task(self._send(channels.STDERR, self._stderr))

    async def _send(self, channel: int, pipe: Pipe) -> None:
        while piece := await pipe.read():
            await self._say(channel, piece)

    async def _say(self, channel: int, data: bytes) -> None:
        try:
            await self._socket.send(bytes([channel]) + data)
        except ConnectionError:
            for pipe in (self._stdout, self._stderr):
                pipe.abandon()


def _text(status: int, message: str) -> Response:
    return Response(status, "text/plain; charset=utf-8", message.encode())
