"""An HTTP exchange: one request and its answer, whatever carries it (HTTP/1.1 or a stream of HTTP/2).

The carriers' parsers call `headers`, `data`, `ended`, `broken` as bytes come; what kind of exchange it is
(Kubernetes' REST, a watch, gRPC) is decided by the request's headers (`protocols`). A request becomes an entry when its
last byte has arrived, a response as well, except where it goes on for long: a watch's response is an entry as soon as
its headers are there.
"""

from collections.abc import Callable
from typing import Protocol

from cluster_engine.lens.causes import Tokens
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import BODY_BYTES_MAX, Headers, Piece


class Part:
    """One direction of an exchange: headers, body so far, and the pieces they were read from."""

    __slots__ = ("body", "body_bytes", "done", "headers", "pieces", "size")

    def __init__(self) -> None:
        self.headers: Headers = []
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.size = 0
        self.pieces: list[Piece] = []
        self.done = False

    def seen(self, pieces: list[Piece]) -> None:
        """Note which pieces were read, each once."""
        mine = self.pieces
        for piece in pieces:
            if not mine or mine[-1] is not piece:
                mine.append(piece)

    def add(self, data: bytes) -> None:
        """Take a part of the body, as long as there is room."""
        self.body_bytes += len(data)
        self.size += len(data)
        if self.body_bytes <= BODY_BYTES_MAX:
            self.body.append(data)

    @property
    def truncated(self) -> bool:
        """Some of the body was not kept."""
        return self.body_bytes > BODY_BYTES_MAX

    def text(self) -> bytes:
        """The body as far as it was kept."""
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)


class Messages(Protocol):
    """A body that goes on, in messages of a WebSocket."""

    def data(self, data: bytes, pieces: list[Piece]) -> None:
        """Take a message."""
        ...

    def ended(self, pieces: list[Piece]) -> None:
        """The server has said that it is over."""
        ...


class Exchange:
    """What both kinds have in common. `request` is the request's seq once it is written."""

    __slots__ = ("answer", "conversation", "heartbeat", "over", "question", "request", "stream", "tokens")

    def __init__(self, conversation: Conversation, stream: int | None) -> None:
        self.conversation = conversation
        self.stream = stream
        self.question = Part()
        self.answer = Part()
        self.request: int | None = None
        self.tokens: Tokens = ()
        self.heartbeat = False
        self.over = False

    def headers(self, from_client: bool, headers: Headers, size: int, pieces: list[Piece]) -> None:
        """A header block has come: the first of a side, or its trailers."""
        raise NotImplementedError

    def data(self, from_client: bool, data: bytes, pieces: list[Piece]) -> None:
        """Some of a body has come."""
        raise NotImplementedError

    def ended(self, from_client: bool, pieces: list[Piece]) -> None:
        """A side has said all."""
        raise NotImplementedError

    def broken(self) -> None:
        """The exchange will not be finished."""
        raise NotImplementedError

    def in_messages(self) -> Messages | None:
        """Return what reads the messages of the WebSocket that this request became, where they are a body's parts."""
        return None

    def finished(self) -> None:
        """The server is no longer working on it."""
        self.over = self.question.done and self.answer.done
        if self.request is not None:
            self.conversation.server.serving.pop(self.request, None)


OpenExchange = Callable[[Conversation, int | None, Headers], Exchange]
"""Begins the exchange that a request's headers open, on a stream of HTTP/2 or None."""


def header(headers: Headers, wanted: str) -> str:
    """Return a header's value, "" when it is not there."""
    for name, value in headers:
        if name == wanted:
            return value
    return ""
