"""A small HTTPS server of Python's ssl (OpenSSL) and h2, for curl: HTTP/1.1 or HTTP/2, as ALPN chooses.

/hello   6 bytes     /many   200,000 bytes     /chunked   in chunks     /compressed   gzip     else   404
POST, PUT   says how many bytes came
"""

import contextlib
import gzip
import socketserver
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events

PAGES = {"/hello": b"hello\n", "/many": b"0123456789" * 20_000, "/chunked": b"abc" * 1000}
COMPRESSED = gzip.compress(b"hello\n" * 100)
READ_BYTES = 65_536


class Http1(BaseHTTPRequestHandler):
    """HTTP/1.1, connections kept."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a page, all at once or in chunks."""
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"abc" * 300, b"abc" * 700):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/compressed":
            self._answer(200, COMPRESSED, "gzip")
        else:
            self._answer(200 if self.path in PAGES else 404, PAGES.get(self.path, b"nothing\n"))

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        """Read a body, and say how long it was."""
        read = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, b"%d\n" % len(read))

    do_PUT = do_POST  # noqa: N815

    def _answer(self, status: int, body: bytes, encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Http2:
    """HTTP/2, as h2 speaks it; bodies wait for the client's window."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._socket = connection
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._asked: dict[int, dict[str, str]] = {}
        self._read: dict[int, int] = {}
        self._left: dict[int, bytes] = {}

    def serve(self) -> None:
        """Answer until the client goes."""
        self._h2.initiate_connection()
        self._socket.sendall(self._h2.data_to_send())
        while data := self._socket.recv(READ_BYTES):
            for event in self._h2.receive_data(data):
                self._take(event)
            self._go_on()
            self._socket.sendall(self._h2.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self._asked[event.stream_id] = {_text(name): _text(value) for name, value in event.headers}
            case h2.events.DataReceived():
                self._read[event.stream_id] = self._read.get(event.stream_id, 0) + len(event.data)
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self._answer(event.stream_id, self._asked.pop(event.stream_id))

    def _answer(self, stream: int, asked: dict[str, str]) -> None:
        path, method, more = asked[":path"], asked[":method"], []
        if method in ("POST", "PUT"):
            status, body = "201", b"%d\n" % self._read.get(stream, 0)
        elif path == "/compressed":
            status, body, more = "200", COMPRESSED, [("content-encoding", "gzip")]
        else:
            status, body = "200" if path in PAGES else "404", PAGES.get(path, b"nothing\n")
        is_head = method == "HEAD"
        self._h2.send_headers(stream, [(":status", status), *more], end_stream=is_head)
        if not is_head:
            self._left[stream] = body

    def _go_on(self) -> None:
        for stream in list(self._left):
            while stream in self._left and (window := self._h2.local_flow_control_window(stream)):
                size = min(window, self._h2.max_outbound_frame_size)
                body = self._left.pop(stream)
                self._h2.send_data(stream, body[:size], end_stream=len(body) <= size)
                if len(body) > size:
                    self._left[stream] = body[size:]


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


class Server(socketserver.ThreadingTCPServer):
    """Takes connections, each in a thread of its own."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", port), Http1)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands, and speak what was agreed on."""
        with self._context.wrap_socket(request, server_side=True) as connection:
            if connection.selected_alpn_protocol() == "h2":
                Http2(connection).serve()
            else:
                Http1(connection, client_address, self)  # type: ignore[arg-type]
            with contextlib.suppress(OSError):
                connection.unwrap()


@contextlib.contextmanager
def web_server(port: int, folder: Path) -> Iterator[None]:
    """Serve with the folder's `cert` and `key` during the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with Server(port, context) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
