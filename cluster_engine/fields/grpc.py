"""gRPC's messages in the body of a call, each with five bytes before it (grpc/doc/PROTOCOL-HTTP2.md).

    00  00 00 00 04  0a 02 2f 61        not compressed, 4 bytes, RangeRequest{key: "/a"}

What a message is, is not in it but follows from the method that is called: it is given by its full name. What is known
of bytes in it is read further: an object under a key of etcd, a request in an entry of Raft's log.
"""

from collections.abc import Mapping
from functools import lru_cache

from google.protobuf import descriptor_pool

from cluster_engine.fields.field import Field
from cluster_engine.fields.kubernetes import read_stored
from cluster_engine.fields.protobuf import Descriptions, Read, Shape, fields, nothing_known
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.rpc.grpc import compiled

PREFIX_BYTES = 5


def messages(data: bytes, name: str = "") -> tuple[Field, ...]:
    """Dissect a call's body, in one direction; `name` is its messages' full name, "" where it is not known."""
    return dissected(data, lambda stretch: _messages(stretch, name))


def _messages(stretch: Stretch, name: str) -> None:
    while stretch:
        prefix = stretch.peek(PREFIX_BYTES)
        if prefix[0] > 1:
            raise Unreadable("no message begins here: its beginning may lie in an earlier frame")
        length = int.from_bytes(prefix[1:])
        with stretch.within("grpc.message", PREFIX_BYTES + length, name) as message:
            message.number("grpc.compressed", 1)
            message.number("grpc.length", 4)
            if prefix[0] and message:
                message.take("grpc.compressed_message", len(message))
            else:
                read_message(message, name)


def read_message(stretch: Stretch, name: str) -> None:
    """Read a protobuf message of this name, to the stretch's end."""
    fields(stretch, shape_of(name))


@lru_cache(maxsize=256)
def shape_of(name: str) -> Shape:
    """Return what is known of the messages of this full name; nothing where no `.proto` of ours has it."""
    compiled()
    try:
        return DESCRIPTIONS.shape(descriptor_pool.Default().FindMessageTypeByName(name))
    except KeyError:
        return nothing_known


CONTENTS: Mapping[str, Read] = {
    "mvccpb.KeyValue.value": read_stored,
    "etcdserverpb.PutRequest.value": read_stored,
    "raftpb.Entry.Data": lambda stretch: read_message(stretch, "etcdserverpb.InternalRaftRequest"),
}
"""What bytes fields hold, where it is known."""
DESCRIPTIONS = Descriptions(CONTENTS)
