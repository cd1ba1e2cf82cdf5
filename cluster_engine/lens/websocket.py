"""What a WebSocket carries after its handshake: messages, each with the channel that its first byte names.

    GET …/exec, 101 v5.channel.k8s.io                 http.request, http.response
    82 89 <mask> 00 "ls -l\n"                         websocket.message  stdin  ls -l          masked: from the client
    82 0c 01 "total 0\n"                              websocket.message  stdout total 0
    82 25 03 {"metadata":{},"status":"Success"}       websocket.message  error  Success
    88 02 03 e8                                       websocket.close    1000

A watch's messages are its events (`watch`). Where one was carried on by a proxy, what that heard is its cause. Modelled
on RFC 6455 and, for the channels, apimachinery/pkg/util/remotecommand. Left out: compression, which nobody asks for;
what is in a tunnel.
"""

from typing import Any

import msgspec
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, TextMessage
from wsproto.utilities import RemoteProtocolError

from cluster_engine.lens.causes import Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import BODY_BYTES_MAX, Evidence, Piece
from cluster_engine.lens.exchange import Exchange
from cluster_engine.lens.scribe import HTTP, STORY, Said
from cluster_engine.lens.unreadable import Unreadable

CHANNELED = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
CHANNELS = {0: "stdin", 1: "stdout", 2: "stderr", 3: "error", 4: "resize", 255: "close"}
EXTENDED_BYTES = {126: 2, 127: 8}
TEXT_CHARACTERS_MAX = 200
UNKNOWN = Reason(None)


class Boundaries:
    """Where the frames of one direction begin, so that a piece can say how much of it belongs to an earlier one."""

    __slots__ = ("_head", "_left")

    def __init__(self) -> None:
        self._head = b""
        self._left = 0

    @property
    def is_between(self) -> bool:
        """Whether no frame is under way."""
        return not self._head and not self._left

    def advance(self, data: bytes) -> int:
        """Go past these bytes; return how many of them belong to the frame that was under way."""
        begun = len(data)
        at = 0
        while at < len(data):
            if self.is_between:
                begun = min(begun, at)
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            part = data[at : at + _head_bytes(self._head) - len(self._head)]
            at += len(part)
            self._head += part
            if len(self._head) == _head_bytes(self._head):
                self._left, self._head = _payload_bytes(self._head), b""
        return begun


def _head_bytes(head: bytes) -> int:
    """Return how long a frame's head is, as far as it is known from its beginning (RFC 6455 5.2)."""
    if len(head) < 2:
        return 2
    return 2 + EXTENDED_BYTES.get(head[1] & 0x7F, 0) + (4 if head[1] & 0x80 else 0)


def _payload_bytes(head: bytes) -> int:
    extended = EXTENDED_BYTES.get(head[1] & 0x7F)
    return int.from_bytes(head[2 : 2 + extended]) if extended else head[1] & 0x7F


class WebSocketSide:
    """One direction: its frames, and the parts of a message that is not whole yet."""

    __slots__ = ("boundaries", "frames", "parts", "pieces", "size")

    def __init__(self, from_client: bool) -> None:
        self.boundaries = Boundaries()
        self.frames = Connection(ConnectionType.SERVER if from_client else ConnectionType.CLIENT)
        self.parts: list[bytes] = []
        self.size = 0
        self.pieces: list[Piece] = []


class WebSocketStream:
    """Both directions of a WebSocket, which the request of `exchange` became."""

    __slots__ = ("_body", "_conversation", "_protocol", "_request", "_sides")

    def __init__(self, conversation: Conversation, protocol: str, exchange: Exchange) -> None:
        self._conversation, self._protocol, self._request = conversation, protocol, exchange.request
        self._body = exchange.in_messages()
        self._sides = (WebSocketSide(False), WebSocketSide(True))

    def data(self, from_client: bool, data: bytes, pieces: list[Piece]) -> None:
        """Take the next bytes of a direction; write as many messages as they complete. Unreadable."""
        side = self._sides[from_client]
        begun = side.boundaries.advance(data)
        if begun:
            pieces = [*pieces[:-1], pieces[-1]._replace(begun=begun)]
        side.pieces += [piece for piece in pieces if not side.pieces or side.pieces[-1] is not piece]
        try:
            side.frames.receive_data(data)
            for event in side.frames.events():
                self._event(from_client, side, event)
        except RemoteProtocolError as error:
            raise Unreadable(f"a WebSocket frame that is none: {error}") from error
        if side.boundaries.is_between and not side.parts:
            side.pieces = []

    def _event(self, from_client: bool, side: WebSocketSide, event: Event) -> None:
        if isinstance(event, CloseConnection):
            code = int(event.code)
            if self._body is not None and not from_client:
                self._body.ended(side.pieces)
            self._say(from_client, side, Said(HTTP, "websocket.close", f"close {code}", {"code": code}, UNKNOWN))
        if not isinstance(event, BytesMessage | TextMessage):
            return
        data = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        side.size += len(data)
        if side.size <= BODY_BYTES_MAX:
            side.parts.append(data)
        if event.message_finished:
            message, size = b"".join(side.parts), side.size
            side.parts, side.size = [], 0
            self._message(from_client, side, message, size)
            side.pieces = side.pieces[-1:]

    def _message(self, from_client: bool, side: WebSocketSide, message: bytes, size: int) -> None:
        if self._body is not None and not from_client:
            self._body.data(message if message.endswith(b"\n") else message + b"\n", side.pieces)
            return
        fields: dict[str, Any] = {}
        body = message
        if self._protocol in CHANNELED and message:
            fields["type"], body = CHANNELS.get(message[0], str(message[0])), message[1:]
            if fields["type"] == "error":
                fields.update(_outcome(body))
            elif body and fields["type"] != "close":
                fields["text"] = _text(body)
        elif self._protocol:
            fields["protocol"] = self._protocol
        what = fields.get("text") or fields.get("status") or ""
        label = f"{fields.get('type', 'message')} {what}".rstrip()
        said = Said(STORY, "websocket.message", label, fields, UNKNOWN, size=size)
        self._say(from_client, side, said, message)

    def _say(self, from_client: bool, side: WebSocketSide, said: Said, message: bytes = b"") -> None:
        conversation = self._conversation
        causes, ends = conversation.causes, (conversation.server, conversation.client)
        heard = causes.carried(ends[from_client], message)
        said.reason = Reason(self._request if heard is None else heard)
        seq = conversation.say(from_client, said, Evidence(side.pieces, body=message[1:] or message))
        causes.carries(ends[not from_client], message, seq)


def _outcome(body: bytes) -> dict[str, Any]:
    """Read the Status that says how a command ended."""
    try:
        status = msgspec.json.decode(body)
        causes = (status.get("details") or {}).get("causes") or []
        code = next((cause["message"] for cause in causes if cause.get("reason") == "ExitCode"), "")
        return {"status": str(status["status"]), **({"exitCode": str(code)} if code else {})}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError, KeyError, TypeError):
        return {"text": _text(body)}


def _text(body: bytes) -> str:
    text = body[: 4 * TEXT_CHARACTERS_MAX].decode("utf-8", "replace").strip()
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown[:TEXT_CHARACTERS_MAX]
