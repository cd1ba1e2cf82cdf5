"""What etcd's members tell each other on their two streams (`rpc.raft_streams`), as fields.

    message    length (8 bytes), raftpb.Message
    msgapp     0 (1 byte)                                                    "I am there"
               1, number of entries, each: length and raftpb.Entry; commit   MsgApp that goes on where the last ended
               2, length, raftpb.Message                                     any other MsgApp

Modelled on etcd's rafthttp/msg_codec.go and msgappv2_codec.go.
"""

from cluster_engine.fields.field import Field
from cluster_engine.fields.grpc import read_message
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable

NUMBER_BYTES = 8
LINK, ENTRIES, WHOLE = 0, 1, 2
KINDS = {LINK: "link heartbeat", ENTRIES: "entries", WHOLE: "message"}


def messages(data: bytes) -> tuple[Field, ...]:
    """Dissect the stream of all messages but MsgApp, or the body of a snapshot, whose database follows its message."""
    return dissected(data, _messages)


def appends(data: bytes) -> tuple[Field, ...]:
    """Dissect the stream of MsgApp."""
    return dissected(data, _appends)


def snapshot(data: bytes) -> tuple[Field, ...]:
    """Dissect the body of POST /raft/snapshot: a message, and the database."""

    def read(stretch: Stretch) -> None:
        _message(stretch)
        if stretch:
            stretch.take("raft.database", len(stretch))

    return dissected(data, read)


def _messages(stretch: Stretch) -> None:
    while stretch:
        _message(stretch)


def _message(stretch: Stretch) -> None:
    length = int.from_bytes(stretch.peek(NUMBER_BYTES))
    with stretch.within("raft.message", NUMBER_BYTES + length, "raftpb.Message") as message:
        message.number("raft.length", NUMBER_BYTES)
        read_message(message, "raftpb.Message")


def _appends(stretch: Stretch) -> None:
    while stretch:
        kind = stretch.peek(1)[0]
        if kind not in KINDS:
            raise Unreadable(f"unhandled message type {kind}")
        with stretch.group("raft.append", KINDS[kind]) as append:
            append.number("raft.kind", 1, KINDS)
            if kind == WHOLE:
                _message(append)
            elif kind == ENTRIES:
                for _ in range(append.number("raft.entry_count", NUMBER_BYTES)):
                    length = int.from_bytes(append.peek(NUMBER_BYTES))
                    with append.within("raft.entry", NUMBER_BYTES + length, "raftpb.Entry") as entry:
                        entry.number("raft.length", NUMBER_BYTES)
                        read_message(entry, "raftpb.Entry")
                append.number("raft.commit", NUMBER_BYTES)
