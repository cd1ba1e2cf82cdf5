"""The two streams on which etcd's members tell each other Raft's messages (`GET /raft/stream/…`), as bytes.

    message    length (8 bytes), raftpb.Message                              all but MsgApp
    msgapp     0 (1 byte)                                                    "I am there"
               1, number of entries, each: length and raftpb.Entry; commit   MsgApp that goes on where the last ended
               2, length, raftpb.Message                                     any other MsgApp

Numbers and lengths have eight bytes, the highest first.

On the first, "I am there" is a MsgHeartbeat of nobody to nobody. Modelled on etcd's rafthttp/msg_codec.go and
msgappv2_codec.go. Decoders take bytes as they come and give what is whole.
"""

import struct
from collections.abc import Iterator

from google.protobuf.message import DecodeError

from cluster_engine.rpc import raft_pb2 as pb

MESSAGE, APPEND = "message", "msgapp"
FRAME_BYTES_MAX = 8 * 1024 * 1024
ENTRIES_MAX = 64 * 1024
_NUMBER = struct.Struct(">Q")
_LINK, _ENTRIES, _WHOLE = b"\0", b"\1", b"\2"

LINK_HEARTBEATS = {
    MESSAGE: _NUMBER.pack(2) + pb.Message(type=pb.MsgHeartbeat).SerializeToString(),
    APPEND: _LINK,
}
"""What is sent on a stream when nothing else is, so that the other end knows that the connection is alive."""


class FrameError(ValueError):
    """Bytes that are no stream of messages."""


def _framed(data: bytes) -> bytes:
    return _NUMBER.pack(len(data)) + data


class Encoder:
    """Writes one stream."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next: tuple[int, int] | None = None

    def encode(self, message: pb.Message) -> bytes:
        """Return the bytes of a message."""
        if self._name == MESSAGE:
            return _framed(message.SerializeToString())
        goes_on = self._next == (message.index, message.term) and message.logTerm == message.term
        self._next = message.index + len(message.entries), message.term
        if not goes_on:
            return _WHOLE + _framed(message.SerializeToString())
        entries = [_framed(entry.SerializeToString()) for entry in message.entries]
        return b"".join([_ENTRIES, _NUMBER.pack(len(entries)), *entries, _NUMBER.pack(message.commit)])


class Decoder:
    """Reads one stream, of what `sender` tells `receiver`."""

    def __init__(self, name: str, sender: int, receiver: int) -> None:
        self._name = name
        self._sender, self._receiver = sender, receiver
        self._rest = b""
        self._index = self._term = 0

    def feed(self, data: bytes) -> Iterator[pb.Message]:
        """Give the messages that these bytes complete, but for those that only say "I am there". FrameError."""
        self._rest += data
        try:
            while (found := self._next()) is not None:
                message, length = found
                self._rest = self._rest[length:]
                if message is not None:
                    yield message
        except DecodeError as error:
            raise FrameError("not a message of Raft's") from error

    @property
    def is_between(self) -> bool:
        """Whether no message has been begun that is not whole yet."""
        return not self._rest

    def _next(self) -> tuple[pb.Message | None, int] | None:
        """Read the message at the front, None for "I am there", and say how long it is; None: it is not whole yet."""
        if self._name == MESSAGE:
            frame = self._frame(0)
            if frame is None:
                return None
            message = pb.Message.FromString(frame)
            return (message if getattr(message, "from") else None), 8 + len(frame)
        kind = self._rest[:1]
        if not kind or kind == _LINK:
            return (None, 1) if kind else None
        if kind == _ENTRIES:
            return self._entries()
        if kind != _WHOLE:
            raise FrameError(f"unhandled message type {kind[0]}")
        frame = self._frame(1)
        if frame is None:
            return None
        message = pb.Message.FromString(frame)
        self._index, self._term = message.index + len(message.entries), message.term
        return message, 9 + len(frame)

    def _entries(self) -> tuple[pb.Message, int] | None:
        count, at = self._number(1), 9
        if count is None:
            return None
        if count > ENTRIES_MAX:
            raise FrameError("too many entries")
        entries = []
        for _ in range(count):
            frame = self._frame(at)
            if frame is None:
                return None
            entries.append(pb.Entry.FromString(frame))
            at += 8 + len(frame)
        commit = self._number(at)
        if commit is None:
            return None
        message = pb.Message(type=pb.MsgApp, to=self._receiver, term=self._term, logTerm=self._term, index=self._index)
        setattr(message, "from", self._sender)
        message.entries.extend(entries)
        message.commit = commit
        self._index += count
        return message, at + 8

    def _number(self, at: int) -> int | None:
        return _NUMBER.unpack_from(self._rest, at)[0] if len(self._rest) >= at + 8 else None

    def _frame(self, at: int) -> bytes | None:
        length = self._number(at)
        if length is None:
            return None
        if length > FRAME_BYTES_MAX:
            raise FrameError(f"a message of {length} bytes")
        return self._rest[at + 8 : at + 8 + length] if len(self._rest) >= at + 8 + length else None
