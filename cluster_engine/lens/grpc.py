"""gRPC calls as entries: messages out of the length-prefixed bytes, decoded by their descriptors.

A gRPC call is an HTTP/2 exchange whose body is messages, each with one byte of flags and four of length before it,
and whose outcome stands in the trailers. A call with one message each way is two entries, request and response. One
that streams is opened by its first message (`grpc.request`); every further one is a `grpc.message`, except that each
event of an etcd watch is an `etcd.event` of its own; trailers close it (`grpc.response`).

    00  00 00 00 04  0a 02 2f 61        not compressed, 4 bytes, RangeRequest{key: "/a"}

Left out: compressed messages (shown as unreadable).
"""

from functools import lru_cache
from typing import Any

import msgspec
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from grpclib.const import Status

from cluster_engine.lens import cri, etcd
from cluster_engine.lens.calls import Meaning
from cluster_engine.lens.causes import TIMER, Reason, Serving
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Headers, Piece
from cluster_engine.lens.exchange import Exchange, Part, header
from cluster_engine.lens.header_compression import bounded
from cluster_engine.lens.scribe import STORY, Said
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.rpc.grpc import message_types

PREFIX_BYTES = 5
MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class Method(msgspec.Struct, frozen=True):
    """What a path says: the method's short name and package, its message classes, and whether it streams."""

    path: str
    name: str
    types: tuple[type[Message], type[Message]] | None
    streams: bool

    def type_name(self, from_client: bool) -> str:
        """The body type under which a message is kept."""
        if self.types is None:
            return "application/grpc"
        return f"protobuf:{self.types[0 if from_client else 1].DESCRIPTOR.full_name}"


@lru_cache(maxsize=256)
def method_of(path: str) -> Method:
    """Look a method up by its `:path`."""
    types = message_types(path)
    name = path.rpartition("/")[2]
    if types is None:
        return Method(path, name, None, False)
    service = descriptor_pool.Default().FindServiceByName(path.strip("/").partition("/")[0])
    descriptor = service.methods_by_name[name]
    return Method(path, name, types, descriptor.client_streaming or descriptor.server_streaming)


class GrpcExchange(Exchange):
    """One gRPC call."""

    __slots__ = ("_asked", "_method", "_question", "_reply", "_rests")

    def __init__(self, conversation: Conversation, stream: int | None, headers: Headers) -> None:
        super().__init__(conversation, stream)
        self._method = method_of(header(headers, ":path"))
        self._asked = Meaning(self._method.name)
        self._question: Message | None = None
        self._reply: bytes | None = None
        self._rests = [b"", b""]

    def headers(self, from_client: bool, headers: Headers, size: int, pieces: list[Piece]) -> None:
        """Take headers or trailers."""
        part = self.question if from_client else self.answer
        part.seen(pieces)
        part.size += size
        part.headers = bounded(headers, part.headers) if part.headers else headers

    def data(self, from_client: bool, data: bytes, pieces: list[Piece]) -> None:
        """Take some bytes; write what messages they complete."""
        part = self.question if from_client else self.answer
        part.seen(pieces)
        rest = self._rests[from_client]
        if rest:
            data = rest + data
        at = 0
        while len(data) - at >= PREFIX_BYTES:
            end = at + PREFIX_BYTES + int.from_bytes(data[at + 1 : at + PREFIX_BYTES])
            if end - at > MESSAGE_BYTES_MAX:
                raise Unreadable("a gRPC message too long to be one")
            if len(data) < end:
                break
            if data[at]:
                raise Unreadable("a compressed gRPC message")
            part.size += end - at
            self._message(from_client, part, data[at + PREFIX_BYTES : end])
            at = end
            if self._method.streams:
                part.pieces = pieces[-1:]
                part.size = 0
        self._rests[from_client] = data[at:]
        if self._method.streams and at == len(data):
            part.pieces = []

    def ended(self, from_client: bool, pieces: list[Piece]) -> None:
        """A side has said all; the server's last word are its trailers."""
        part = self.question if from_client else self.answer
        if part.done:
            return
        part.seen(pieces)
        part.done = True
        if self.request is None:
            self._request(b"")
        if not from_client:
            self._respond()
        if self.question.done and self.answer.done:
            self.finished()

    def broken(self) -> None:
        """Write a request that was begun; an answer that was not finished is none."""
        if self.request is None:
            self._request(b"", unfinished=True)
        self.finished()

    def _message(self, from_client: bool, part: Part, data: bytes) -> None:
        if from_client:
            if self.request is None:
                self._request(data)
            else:
                self._client_message(part, data)
        elif self._method.streams:
            self._server_message(part, data)
        else:
            self._reply = data

    def _decode(self, from_client: bool, data: bytes) -> Any:
        """Decode a message, None when the method is unknown or the bytes are no such message."""
        types = self._method.types
        if types is None:
            return None
        try:
            return types[0 if from_client else 1].FromString(data)
        except DecodeError:
            return None

    def _request(self, data: bytes, *, unfinished: bool = False) -> None:
        conversation = self.conversation
        causes = conversation.causes
        client, server = conversation.client, conversation.server
        message = self._decode(True, data)
        self._question = message
        asked = self._asked = self._describe_request(message)
        self.tokens = asked.tokens
        served = causes.serving(client, asked.tokens)
        if served is not None:
            reason = Reason(served[0], how="serving")
            self.heartbeat = served[1] or bool(asked.heartbeat)
        elif not client.command and (asked.heartbeat or (asked.heartbeat is None and asked.renews)):
            reason, self.heartbeat = TIMER, True
        else:
            opened = conversation.opened if conversation.fresh else None
            reason = causes.why(client, conversation.scribe.sent, asked.tokens, opened)
        conversation.fresh = False
        service, _, _ = self._method.path.strip("/").partition("/")
        fields = {"service": service, "method": self._method.name, **asked.fields}
        if unfinished:
            fields["unfinished"] = True
        said = Said(STORY, "grpc.request", asked.label, fields, reason, heartbeat=self.heartbeat)
        self.request = seq = self._say(True, said, self.question, data)
        own = self.tokens[0] if self.tokens else ""
        serving = Serving(own, self.tokens, watches=self._method.streams, heartbeat=self.heartbeat)
        causes.serve(server, seq, serving)
        if not self.heartbeat:
            causes.heard(server, seq, conversation.scribe.now, self.tokens)

    def _client_message(self, part: Part, data: bytes) -> None:
        conversation = self.conversation
        asked = self._describe_request(self._decode(True, data))
        client, now = conversation.client, conversation.scribe.sent
        housekeeping = bool(asked.heartbeat)
        reason = TIMER if housekeeping else conversation.causes.why(client, now, asked.tokens)
        said = Said(STORY, "grpc.message", asked.label, asked.fields, reason, heartbeat=housekeeping)
        self._say(True, said, part, data)

    def _server_message(self, part: Part, data: bytes) -> None:
        if self.request is None:
            self._request(b"")
        message = self._decode(False, data)
        if self._method.path == "/etcdserverpb.Watch/Watch" and message is not None and message.events:
            for change in message.events:
                self._etcd_event(part, change)
            return
        conversation = self.conversation
        causes = conversation.causes
        if message is not None and self._method.name == "GetContainerEvents":
            told = conversation.scribe.runtime.event(message)
            reason = causes.why(conversation.server, conversation.scribe.sent, told.tokens)
        else:
            told = self._describe_response(message)
            reason = TIMER if told.heartbeat else Reason(self.request)
        housekeeping = bool(told.heartbeat)
        said = Said(STORY, "grpc.message", told.label, told.fields, reason, heartbeat=housekeeping)
        seq = self._say(False, said, part, data)
        if not housekeeping:
            causes.heard(conversation.client, seq, conversation.scribe.now, told.tokens)

    def _etcd_event(self, part: Part, change: Any) -> None:
        conversation = self.conversation
        causes = conversation.causes
        told = etcd.event(change)
        revision = change.kv.mod_revision
        written = causes.transaction(conversation.server, revision, told.tokens)
        if written is None:
            reason = TIMER
            heartbeat = bool(told.heartbeat)
        elif self.request is not None and written[0] < self.request:
            reason, heartbeat = Reason(self.request), False
        else:
            reason, heartbeat = Reason(written[0]), written[1]
        data = change.SerializeToString()
        said = Said(STORY, "etcd.event", told.label, told.fields, reason, size=len(data), heartbeat=heartbeat)
        seq = self._say(False, said, part, data, "protobuf:mvccpb.Event")
        for token in told.tokens:
            causes.told(conversation.client, token, str(revision), seq, heartbeat)
        if not heartbeat:
            causes.heard(conversation.client, seq, conversation.scribe.now, told.tokens)

    def _respond(self) -> None:
        conversation, part = self.conversation, self.answer
        causes = conversation.causes
        status = header(part.headers, "grpc-status")
        failed = status not in ("", "0")
        data = self._reply or b""
        message = self._decode(False, data) if self._reply is not None else None
        fields: dict[str, Any] = {"status": _status(status), "method": self._method.name}
        tokens = self.tokens
        if failed:
            problem = header(part.headers, "grpc-message")
            fields["message"] = problem
            label = _status(status)
        elif self._method.streams:
            label = f"end of {self._method.name}"
        else:
            told = self._describe_response(message)
            label, tokens = told.label, (*tokens, *told.tokens)
            fields |= told.fields
            if self._asked.writes and message is not None:
                self._wrote(etcd.made_revision(message))
        why = Reason(self.request)
        said = Said(STORY, "grpc.response", label, fields, why, self.request, heartbeat=self.heartbeat)
        seq = self._say(False, said, part, data)
        if not self.heartbeat:
            causes.heard(conversation.client, seq, conversation.scribe.now, tokens)

    def _wrote(self, revision: int) -> None:
        if revision and self.request is not None:
            self.conversation.causes.stored(self.conversation.server, revision, self.request, self.heartbeat)

    def _describe_request(self, message: Any) -> Meaning:
        if message is not None:
            if self._method.path.startswith(etcd.PACKAGE):
                return etcd.request(self._method.name, message)
            if self._method.path.startswith(cri.PACKAGE):
                return self.conversation.scribe.runtime.request(self._method.name, message)
        return Meaning(self._method.name)

    def _describe_response(self, message: Any) -> Meaning:
        if message is not None:
            if self._method.path.startswith(etcd.PACKAGE):
                return etcd.response(self._method.name, message, self._asked)
            if self._method.path.startswith(cri.PACKAGE) and self._question is not None:
                return self.conversation.scribe.runtime.response(self._method.name, message, self._question)
        return Meaning(f"{self._method.name} done")

    def _say(self, from_client: bool, said: Said, part: Part, data: bytes, body_type: str = "") -> int:
        said.stream = self.stream
        said.size = said.size or part.size
        evidence = Evidence(part.pieces, part.headers, data, body_type or self._method.type_name(from_client))
        return self.conversation.say(from_client, said, evidence)


def _status(number: str) -> str:
    if not number:
        return "OK"
    try:
        return Status(int(number)).name
    except ValueError:
        return number
