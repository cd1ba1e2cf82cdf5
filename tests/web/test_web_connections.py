"""What bounds connections: driven without a network and without time, then a whole server over TCP."""

import socket as sockets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from web_until import PATIENCE

from visualizer import connections

HEAD = b"POST /sandbox/ HTTP/1.1\r\nHost: localhost\r\n"
TOO_MUCH = connections.BODY_BYTES_MAX + 1


class Transport(StringTransport):
    """A connection that notes how it ends."""

    connected = True
    aborted = half_closed = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Request(connections.Request):
    """A request that notes itself instead of asking an application."""

    def process(self) -> None:
        self.content.seek(0)
        self.channel.factory.handled.append((self.too_large, self.content.read()))


class Line:
    """A channel with a peer that says what it is told to."""

    def __init__(self, room: connections.Room | None = None) -> None:
        self.clock = Clock()
        server = SimpleNamespace(protocol_connected=lambda _: None, protocol_disconnected=lambda _: None)
        factory = connections.Factory(server, room or connections.Room(10, 10))
        factory.handled = self.handled = []
        self.channel = factory.buildProtocol(None)
        self.channel.requestFactory = Request
        self.channel.callLater = self.clock.callLater
        self.transport = Transport(peerAddress=SimpleNamespace(host="192.0.2.7"))
        self.channel.makeConnection(self.transport)

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.channel.dataReceived(part)

    def answer(self) -> None:
        """The application has answered."""
        request = self.channel.requests[0]
        request.setHeader(b"content-length", b"0")
        request.finish()

    @property
    def heard(self) -> bytes:
        return self.transport.value()


def test_a_body_within_the_bound_is_handed_on():
    line = Line()
    line.say(HEAD + b"Content-Length: 5\r\n\r\n", b"hel", b"lo")
    assert line.handled == [(False, b"hello")]
    line.answer()
    assert not line.transport.half_closed


@pytest.mark.parametrize("size", [connections.BODY_BYTES_MAX, 1024])
def test_a_body_in_chunks_within_the_bound_is_handed_on(size):
    line = Line()
    line.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % size, b"x" * size, b"\r\n0\r\n\r\n")
    assert line.handled == [(False, b"x" * size)]


def test_a_body_that_is_announced_too_large_is_answered_before_a_byte_of_it_has_come():
    line = Line()
    line.say(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % TOO_MUCH)
    assert line.handled == [(True, b"")]
    assert b"100 Continue" not in line.heard
    line.say(*[b"x" * 65536] * 20)
    line.answer()
    assert line.transport.half_closed and not line.transport.aborted  # the answer is not lost to who still sends
    line.say(b"x" * 65536)
    assert len(line.handled) == 1
    line.clock.advance(connections.LINGER_SECONDS)
    assert line.transport.aborted


def test_a_body_in_chunks_is_answered_once_it_is_too_large_and_the_rest_is_thrown_away():
    line = Line()
    line.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    line.say(*[chunk] * 17)
    assert [too_large for too_large, _ in line.handled] == [True]
    line.say(*[chunk] * 17)
    assert sum(map(len, line.channel._dataBuffer)) == 0
    line.answer()
    assert line.transport.half_closed


def test_a_body_in_one_chunk_that_is_too_large_is_not_kept():
    line = Line()
    line.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % TOO_MUCH + b"x" * TOO_MUCH + b"\r\n0\r\n\r\n")
    assert [too_large for too_large, _ in line.handled] == [True]


@pytest.mark.parametrize("said", [b"", b"GET /", HEAD])
def test_a_head_that_does_not_end_is_given_up_however_slowly_it_goes_on(said):
    line = Line()
    line.say(said)
    for _ in range(int(connections.HEAD_SECONDS)):
        line.say(b"X" if said else b"")
        line.clock.advance(1)
    assert line.transport.disconnecting
    assert line.heard.startswith(b"HTTP/1.1 408 ") == (said == HEAD)  # else there was no request yet
    line.clock.advance(15)
    assert line.transport.aborted


def test_a_body_that_trickles_is_given_up():
    line = Line()
    line.say(HEAD + b"Content-Length: 100\r\n\r\n")
    for _ in range(int(connections.BODY_SECONDS)):
        assert not line.transport.disconnecting
        line.say(b"x")
        line.clock.advance(1)
    assert line.transport.disconnecting and line.heard.startswith(b"HTTP/1.1 408 ")
    assert line.handled == []


def test_a_request_that_is_whole_has_all_the_time_to_be_answered():
    line = Line()
    line.say(HEAD + b"\r\n")
    line.clock.advance(3600)
    assert not line.transport.disconnecting


def test_a_connection_may_rest_between_requests_but_the_next_head_has_its_own_time():
    line = Line()
    line.say(HEAD + b"\r\n")
    line.answer()
    line.clock.advance(connections.IDLE_SECONDS - 1)
    assert not line.transport.disconnecting
    line.say(HEAD)
    line.clock.advance(connections.HEAD_SECONDS - 1)
    assert not line.transport.disconnecting
    line.clock.advance(1)
    assert line.transport.disconnecting
    resting = Line()
    resting.say(HEAD + b"\r\n")
    resting.answer()
    resting.clock.advance(connections.IDLE_SECONDS)
    assert resting.transport.disconnecting and b" 408 " not in resting.heard


def test_one_connection_too_many_from_an_address_is_turned_away_until_another_is_closed():
    room = connections.Room(most=10, of_one_address=2)
    first, _second = Line(room), Line(room)
    third = Line(room)
    assert third.heard.startswith(b"HTTP/1.1 503 ") and third.transport.disconnecting
    third.say(HEAD + b"\r\n")
    assert third.handled == []
    first.transport.connected = False
    assert not Line(room).heard


def test_all_connections_together_have_a_bound_and_without_one_for_addresses_nobody_is_counted_by_theirs():
    room = connections.Room(most=3, of_one_address=None)
    lines = [Line(room) for _ in range(4)]
    assert [bool(line.heard) for line in lines] == [False, False, False, True]


def test_addresses_that_have_closed_everything_are_forgotten(monkeypatch):
    monkeypatch.setattr(connections, "ADDRESSES_MAX", 20)
    room = connections.Room(most=1000, of_one_address=2)
    for number in range(100):
        room.take(f"192.0.2.{number}", Transport())  # of which nobody but the room knows
    assert len(room._by_address) <= 21


# Over TCP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    from test_web_server import Server, signal

    server = Server(tmp_path, CONNECTIONS_PER_ADDRESS="40")
    yield server.port
    server.end(signal.SIGKILL)


def ask(port: int, head: bytes, body: Iterator[bytes]) -> bytes:
    """Send a request as a browser does, that reads its answer while it sends."""
    with sockets.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
        raw.sendall(head)

        def send() -> None:
            try:
                for part in body:
                    raw.sendall(part)
            except OSError:
                pass

        sending = threading.Thread(target=send)
        sending.start()
        heard = b""
        while part := raw.recv(65536):
            heard += part
        raw.shutdown(sockets.SHUT_RDWR)
        sending.join()
        return heard


MEGABYTES = 120


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", ["announced", "chunked"])
def test_a_large_body_without_a_session_is_refused_in_words_and_not_swallowed(port, kind, language):
    def body() -> Iterator[bytes]:
        part = b"x" * 2**20
        for _ in range(MEGABYTES):
            yield part if kind == "announced" else b"%x\r\n%s\r\n" % (len(part), part)

    how = b"Content-Length: %d" % (MEGABYTES * 2**20) if kind == "announced" else b"Transfer-Encoding: chunked"
    head = HEAD + b"Accept: application/json\r\nAccept-Language: " + language.encode() + b"\r\n" + how + b"\r\n\r\n"
    answer = ask(port, head, body())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert (b"at most 1 MiB" if language == "en" else b"chstens 1 MiB") in answer


def test_many_connections_from_one_address_leave_room_for_nobody_else_of_it_only(port):
    held = [sockets.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(40)]
    with sockets.create_connection(("127.0.0.1", port), timeout=PATIENCE) as one_more:
        assert one_more.recv(100).startswith(b"HTTP/1.1 503 ")
    for one in held:
        one.close()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with sockets.create_connection(("127.0.0.1", port), timeout=PATIENCE) as again:
            again.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if not again.recv(100).startswith(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain"):
                return
    raise AssertionError("closed connections are still counted")
