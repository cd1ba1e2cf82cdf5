"""What is between etcd's members: port 2380, HTTP/1.1 over mutual TLS.

Theory of operation. A member asks each other one for two streams, and what the other one says to it comes in their
answers' bodies, chunk by chunk (`rpc/raft_streams`). So every two members have four connections, two each way. What
cannot be said, because nobody listens or too much waits, is dropped: Raft says it again.

    GET /raft/stream/message/<who asks>     every message but MsgApp
    GET /raft/stream/msgapp/<who asks>      MsgApp
    POST /raft                              what finds no stream yet: a vote, a proposal, an answer; 204
    POST /raft/snapshot                     MsgSnap and the database's file behind it; 204
    POST /leases, /leases/internal          a lease's keep-alive or time to live, asked of the leader
    GET /members                            who the members are, asked by one that begins

A silent stream carries "I am there" each LINK_SECONDS; one on which READ_SECONDS long nothing comes is given up.
Modelled on etcd's server/etcdserver/api/rafthttp and server/lease/leasehttp. Left out: dialling ten times a second
(here once), heartbeats by POST /raft, probes of the round-trip time.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import h11
import msgspec
from google.protobuf.message import DecodeError

from cluster_engine.etcd.members import Member
from cluster_engine.etcd.raft_wire import from_wire, to_wire
from cluster_engine.raft.messages import Kind, Message
from cluster_engine.rpc import raft_pb2 as pb
from cluster_engine.rpc.raft_streams import APPEND, LINK_HEARTBEATS, MESSAGE, Decoder, Encoder, FrameError
from cluster_engine.world.tls import ServerTLS

READ_SECONDS = 5.0
LINK_SECONDS = READ_SECONDS / 3
DIAL_SECONDS = 1.0
READ_BYTES = 64 * 1024
WAITING_BYTES_MAX = 4 * 1024 * 1024
POSTS_MAX = 4
"""connPerPipeline of rafthttp/pipeline.go."""
BODY_BYTES_MAX = 64 * 1024 * 1024
VERSION, OLDEST_VERSION = "3.5.16", "3.0.0"
_SAID_AGAIN = frozenset({Kind.HEARTBEAT, Kind.HEARTBEAT_RESP, Kind.APP})
_FAILURES = (OSError, TimeoutError, ssl.SSLError, h11.ProtocolError, FrameError, ValueError, DecodeError)

Handler = Callable[[bytes], Awaitable[tuple[int, bytes]]]
"""Answers a request's body with a status and a body."""


class Peer(msgspec.Struct, frozen=True):
    """Another member: its number, and where it listens for members."""

    id: int
    host: str
    port: int


class _Member(msgspec.Struct, frozen=True, rename={"peer_urls": "peerURLs", "client_urls": "clientURLs"}):
    id: int
    peer_urls: Sequence[str]
    name: str
    client_urls: Sequence[str] = ()


class _Stream:
    """A stream on which this member speaks, while somebody listens."""

    def __init__(self, name: str, http: h11.Connection, writer: asyncio.StreamWriter) -> None:
        self._name = name
        self._http = http
        self._writer = writer
        self._encoder = Encoder(name)
        self._is_quiet = True

    def say(self, messages: Iterable[Message]) -> bool:
        """Send messages, in one chunk; False when too much waits already."""
        if self._writer.transport.get_write_buffer_size() > WAITING_BYTES_MAX or self._writer.is_closing():
            return False
        self._is_quiet = False
        self._send(b"".join(self._encoder.encode(to_wire(message)) for message in messages))
        return True

    async def keep(self) -> None:
        """Say "I am there" whenever nothing else is said; until cancelled."""
        while True:
            await asyncio.sleep(LINK_SECONDS)
            if self._is_quiet and not self._writer.is_closing():
                self._send(LINK_HEARTBEATS[self._name])
            self._is_quiet = True

    def close(self) -> None:
        self._writer.close()

    def _send(self, data: bytes) -> None:
        chunk = self._http.send(h11.Data(data=data))
        assert chunk is not None
        self._writer.write(chunk)


class Peers:
    """The way to and from the other members of one."""

    def __init__(
        self,
        member_id: int,
        cluster_id: int,
        peers: Iterable[Peer],
        tls: ssl.SSLContext,
    ) -> None:
        self._id, self._cluster = f"{member_id:x}", f"{cluster_id:x}"
        self._member_id = member_id
        self._peers: Mapping[int, Peer] = {peer.id: peer for peer in peers}
        self._tls = tls
        self._streams: dict[tuple[int, str], _Stream] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._posting: dict[int, int] = {}
        self.handlers: dict[str, Handler] = {"/raft": self._message, "/raft/snapshot": self._snapshot}
        self.pages: dict[str, Callable[[], bytes]] = {}
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_unreachable: Callable[[int], None] = lambda peer: None
        self.on_snapshot_sent: Callable[[int, bool], None] = lambda peer, arrived: None

    async def run(self, host: str, port: int, tls: ServerTLS) -> None:
        """Listen for the others and to them, until cancelled."""
        server = await asyncio.start_server(self._accept, host, port, ssl=tls)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for peer in self._peers.values():
                    for name in (APPEND, MESSAGE):
                        tasks.create_task(self._listen(peer, name))
        finally:
            server.close()

    def send(self, messages: Iterable[Message]) -> None:
        """Say what is to be said to the others."""
        by_stream: dict[tuple[int, str], list[Message]] = {}
        for message in messages:
            name = APPEND if message.kind is Kind.APP and (message.to, APPEND) in self._streams else MESSAGE
            if message.kind is Kind.SNAP:
                assert self._tasks is not None
                self._tasks.create_task(self._send_snapshot(message))
            else:
                by_stream.setdefault((message.to, name), []).append(message)
        for (peer, name), theirs in by_stream.items():
            stream = self._streams.get((peer, name))
            if stream is None:
                self._post(peer, theirs)
            if stream is None or not stream.say(theirs):
                self.on_unreachable(peer)

    def _post(self, peer: int, messages: Iterable[Message]) -> None:
        """Send by requests what finds no stream, but for what is said again soon."""
        assert self._tasks is not None
        for message in messages:
            if message.kind not in _SAID_AGAIN and self._posting.get(peer, 0) < POSTS_MAX:
                self._posting[peer] = self._posting.get(peer, 0) + 1
                self._tasks.create_task(self._send_alone(message))

    async def _send_alone(self, message: Message) -> None:
        with contextlib.suppress(*_FAILURES):
            await self.ask(message.to, "/raft", to_wire(message).SerializeToString())
        self._posting[message.to] -= 1

    async def know_as_started(self, member_id: int) -> bool:
        """Ask the others whether a member has been running: it must not begin anew then, for it has given promises."""
        for peer in self._peers:
            with contextlib.suppress(*_FAILURES):
                status, body = await self.ask(peer, "/members")
                told = msgspec.json.decode(body, type=list[_Member]) if status == 200 else []
                return any(one.id == member_id and one.client_urls for one in told)
        return False

    async def ask(self, peer: int, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Ask another member something, by POST where there is a body; give status and body.

        OSError, TimeoutError, h11.ProtocolError.
        """
        http = h11.Connection(h11.CLIENT)
        to = self._peers[peer]
        async with asyncio.timeout(READ_SECONDS):
            reader, writer = await asyncio.open_connection(to.host, to.port, ssl=self._tls)
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = self._headers(to)
                if body is not None:
                    head += [("Content-Length", str(len(body))), ("Content-Type", "application/protobuf")]
                request = h11.Request(method="GET" if body is None else "POST", target=path, headers=head)
                _write(http, writer, request, *_body_of(body))
                response = await _next(http, reader)
                if not isinstance(response, h11.Response):
                    raise ConnectionError("no answer")
                return response.status_code, await _body(http, reader)
        finally:
            writer.close()

    # -- listening to others ---------------------------------------------------------------------------------------

    async def _listen(self, peer: Peer, name: str) -> None:
        while True:
            with contextlib.suppress(*_FAILURES):
                await self._read_stream(peer, name)
            await asyncio.sleep(DIAL_SECONDS)

    async def _read_stream(self, peer: Peer, name: str) -> None:
        http = h11.Connection(h11.CLIENT)
        async with asyncio.timeout(READ_SECONDS):
            reader, writer = await asyncio.open_connection(peer.host, peer.port, ssl=self._tls)
        try:
            target = f"/raft/stream/{name}/{self._id}"
            request = h11.Request(method="GET", target=target, headers=self._headers(peer))
            _write(http, writer, request, h11.EndOfMessage())
            decoder = Decoder(name, peer.id, self._member_id)
            while True:
                async with asyncio.timeout(READ_SECONDS):
                    event = await _next(http, reader)
                if isinstance(event, h11.Data):
                    for wire in decoder.feed(bytes(event.data)):
                        self._take(wire)
                elif not (isinstance(event, h11.Response) and event.status_code == 200):
                    return
        finally:
            writer.close()

    def _take(self, wire: pb.Message, data: bytes = b"") -> None:
        if wire.to == self._member_id and getattr(wire, "from") in self._peers:
            self.on_message(from_wire(wire, data))

    async def _send_snapshot(self, message: Message) -> None:
        assert message.snapshot is not None
        frame = Encoder(MESSAGE).encode(to_wire(message))
        arrived = False
        with contextlib.suppress(*_FAILURES):
            status, _ = await self.ask(message.to, "/raft/snapshot", frame + message.snapshot.data)
            arrived = status == 204
        self.on_snapshot_sent(message.to, arrived)

    def _headers(self, peer: Peer) -> list[tuple[str, str]]:
        return [
            ("Host", f"{peer.host}:{peer.port}"),
            ("User-Agent", "Go-http-client/1.1"),
            ("X-Etcd-Cluster-Id", self._cluster),
            ("X-Min-Cluster-Version", OLDEST_VERSION),
            ("X-Raft-To", f"{peer.id:x}"),
            ("X-Server-From", self._id),
            ("X-Server-Version", VERSION),
        ]

    # -- being asked -----------------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        with contextlib.suppress(*_FAILURES), contextlib.closing(writer):
            while isinstance(request := await _next(http, reader), h11.Request):
                path = request.target.decode("latin-1").partition("?")[0]
                body = await _body(http, reader)
                problem = self._refused(request)
                if problem:
                    self._answer(http, writer, 412, problem)
                elif request.method == b"GET" and path.startswith("/raft/stream/"):
                    await self._speak(path, http, reader, writer)
                    return
                elif request.method == b"GET" and path in self.pages:
                    self._answer(http, writer, 200, self.pages[path]())
                elif path not in self.handlers:
                    self._answer(http, writer, 404, b"404 page not found\n")
                elif request.method != b"POST":
                    self._answer(http, writer, 405, b"Method Not Allowed\n")
                else:
                    self._answer(http, writer, *await self.handlers[path](body))
                http.start_next_cycle()

    def _refused(self, request: h11.Request) -> bytes:
        headers = {name: value.decode("latin-1") for name, value in request.headers}
        if headers.get(b"x-etcd-cluster-id", self._cluster) != self._cluster:
            return b"cluster ID mismatch\n"
        return b"" if headers.get(b"x-raft-to", self._id) == self._id else b"server ID mismatch\n"

    async def _speak(
        self, path: str, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name, _, listener = path.removeprefix("/raft/stream/").partition("/")
        peer = int(listener, 16)
        if name not in LINK_HEARTBEATS or peer not in self._peers:
            self._answer(http, writer, 404, b"404 page not found\n")
            return
        head = [("transfer-encoding", "chunked"), ("x-etcd-cluster-id", self._cluster), ("x-server-version", VERSION)]
        _write(http, writer, h11.Response(status_code=200, headers=head))
        stream = _Stream(name, http, writer)
        old = self._streams.pop((peer, name), None)
        if old is not None:
            old.close()
        self._streams[peer, name] = stream
        keeping = asyncio.create_task(stream.keep())
        try:
            while await reader.read(READ_BYTES):
                pass
        finally:
            keeping.cancel()
            if self._streams.get((peer, name)) is stream:
                del self._streams[peer, name]

    async def _message(self, body: bytes) -> tuple[int, bytes]:
        self._take(pb.Message.FromString(body))
        return 204, b""

    async def _snapshot(self, body: bytes) -> tuple[int, bytes]:
        length = int.from_bytes(body[:8])
        wire = pb.Message.FromString(body[8 : 8 + length])
        if wire.type != pb.MsgSnap:
            return 400, b"wrong raft message type\n"
        self._take(wire, body[8 + length :])
        return 204, b""

    @staticmethod
    def _answer(http: h11.Connection, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        length = [("Content-Length", str(len(body)))] if body else []
        _write(http, writer, h11.Response(status_code=status, headers=length), *_body_of(body))


def members_page(members: Iterable[Member]) -> bytes:
    """Return who the members are, as /members tells it."""
    return msgspec.json.encode([_Member(one.id, one.peer_urls, one.name, one.client_urls) for one in members])


def _body_of(body: bytes | None) -> list[h11.Event]:
    return [h11.Data(data=body), h11.EndOfMessage()] if body else [h11.EndOfMessage()]


def _write(http: h11.Connection, writer: asyncio.StreamWriter, *events: h11.Event) -> None:
    data = b"".join(http.send(event) or b"" for event in events)
    if data:
        writer.write(data)


async def _next(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | type:
    """Return the next event of a connection, h11.ConnectionClosed at its end."""
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await reader.read(READ_BYTES))
    return event


async def _body(http: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    parts, size = [], 0
    while isinstance(event := await _next(http, reader), h11.Data):
        parts.append(bytes(event.data))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise ValueError("a body without end")
    return b"".join(parts)
