"""An HTTP/1.1 server for containers: requests in, answers out, one connection a protocol.

    async def answer(request):
        return Answer(200, b"hello\\n", content_type="text/plain")

    await serve(invocation, 8080, answer, server="nginx/1.27.3")

Modelled on what small servers do: connections are kept until the client closes them or KEEP_ALIVE_SECONDS are gone; a
body of more than BODY_BYTES_MAX is refused with 413. Bytes are h11's business. Left out: TLS, HTTP/2, compression.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
import msgspec

from cluster_engine.world.network import EVERY_PORT

if TYPE_CHECKING:
    from cluster_engine.programs.invocation import Invocation

BODY_BYTES_MAX = 1024 * 1024
HEADER_BYTES_MAX = 16 * 1024
KEEP_ALIVE_SECONDS = 65.0
"""nginx's."""
CONNECTIONS_MAX = 512
REASONS = {status.value: status.phrase for status in HTTPStatus}


class Request(msgspec.Struct, frozen=True):
    """One request, as a server sees it. Header names are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    port: int
    raw_headers: tuple[tuple[str, str], ...] = ()
    """As they came, in the order in which they came."""

    @property
    def path(self) -> str:
        """The target without what follows a `?`."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the `?`."""
        return self.target.partition("?")[2]


class Answer(msgspec.Struct, frozen=True):
    """What is answered; `Date`, `Content-Length` and the server's name are added."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Handle = Callable[[Request], Answer | Awaitable[Answer]]


class HttpProtocol(asyncio.Protocol):
    """One connection. `handle` is called with each request in turn; `log` with each and its answer."""

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES_MAX)
        self._transport: Any = None
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._work: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport
        self._server.connections[self] = None
        if len(self._server.connections) > CONNECTIONS_MAX:
            transport.close()
        self._wait_for_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._server.connections.pop(self, None)
        if self._idle is not None:
            self._idle.cancel()
        if self._work is not None:
            self._work.cancel()

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(KEEP_ALIVE_SECONDS, self.close)

    def close(self) -> None:
        """Hang up, once what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        try:
            self._connection.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as problem:
            self._refuse(problem.error_status_hint or 400)

    def eof_received(self) -> bool:
        """See asyncio."""
        return self._work is not None

    def _read(self) -> None:
        while self._work is None and not self._transport.is_closing():
            event = self._connection.next_event()
            if isinstance(event, h11.Request):
                self._head, self._body, self._size = event, [], 0
                if self._connection.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
            elif isinstance(event, h11.Data):
                self._size += len(event.data)
                if self._size > BODY_BYTES_MAX:
                    self._refuse(413)
                    return
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._answer(self._request())
            else:
                return

    def _request(self) -> Request:
        head = self._head
        assert head is not None
        raw = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())
        peer = self._transport.get_extra_info("peername") or ("", 0)
        return Request(
            head.method.decode("latin-1"),
            head.target.decode("latin-1"),
            {name.lower(): value for name, value in raw},
            b"".join(self._body),
            str(peer[0]),
            int(peer[1]),
            raw,
        )

    def _answer(self, request: Request) -> None:
        answer = self._server.handle(request)
        if isinstance(answer, Answer):
            self._write(request, answer)
        else:
            self._work = asyncio.get_running_loop().create_task(self._later(request, answer))

    async def _later(self, request: Request, answer: Awaitable[Answer]) -> None:
        found = await answer
        self._work = None
        self._write(request, found)
        with contextlib.suppress(h11.RemoteProtocolError):
            self._read()

    def _write(self, request: Request, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        headers = [("Server", self._server.name)] if self._server.name else []
        headers += [("Date", format_datetime(self._server.now(), usegmt=True))]
        has_body = answer.status not in (204, 304)
        if has_body:
            headers += [("Content-Type", answer.content_type)] if answer.content_type else []
            headers += [("Content-Length", str(len(answer.body)))]
        headers += answer.headers
        reason = REASONS.get(answer.status, "")
        self._send(h11.Response(status_code=answer.status, headers=headers, reason=reason))
        if has_body and request.method != "HEAD" and answer.body:
            self._send(h11.Data(data=answer.body))
        self._send(h11.EndOfMessage())
        self._server.log(request, answer)
        if self._connection.our_state is h11.MUST_CLOSE:
            self.close()
        else:
            self._connection.start_next_cycle()
            self._wait_for_more()

    def _refuse(self, status: int) -> None:
        if self._connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            phrase = REASONS.get(status, "")
            body = f"{status} {phrase}\n".encode()
            headers = [("Content-Length", str(len(body))), ("Connection", "close")]
            self._send(h11.Response(status_code=status, headers=headers, reason=phrase))
            self._send(h11.Data(data=body))
            self._send(h11.EndOfMessage())
        self.close()

    def _send(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            self._transport.write(data)


class HttpServer:
    """What the connections of one server share."""

    def __init__(
        self, invocation: "Invocation", handle: Handle, name: str, log: Callable[[Request, Answer], None]
    ) -> None:
        self.now = invocation.process.now
        self.handle, self.name, self.log = handle, name, log
        self.connections: dict[HttpProtocol, None] = {}


def reason(error: OSError) -> str:
    """Say as servers in C do why a port or a file cannot be had: Linux's number and its words."""
    return f"{error.errno}: {error.strerror}"


@contextlib.asynccontextmanager
async def serving(
    invocation: "Invocation",
    port: int | None,
    handle: Handle,
    *,
    name: str = "",
    log: Callable[[Request, Answer], None] = lambda _, __: None,
) -> Any:
    """Within this, requests at a port of every address are answered (None: at every port nobody else listens on).

    OSError where the port is taken. At the end connections are closed.
    """
    shared = HttpServer(invocation, handle, name, log)
    address, number = EVERY_PORT if port is None else ("0.0.0.0", port)
    server = await asyncio.get_running_loop().create_server(lambda: HttpProtocol(shared), address, number)
    try:
        yield
    finally:
        server.close()
        for connection in list(shared.connections):
            connection.close()


async def until_sigterm() -> None:
    """Wait for SIGTERM, and take it: what follows cleans up."""
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
