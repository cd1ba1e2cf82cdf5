"""Raft's streams as bytes are those of etcd's rafthttp."""

from cluster_engine.rpc import raft_pb2 as pb
from cluster_engine.rpc.raft_streams import APPEND, LINK_HEARTBEATS, MESSAGE, Decoder, Encoder


def append(index, *data):
    entries = [pb.Entry(Term=2, Index=index + 1 + at, Data=one) for at, one in enumerate(data)]
    message = pb.Message(type=pb.MsgApp, to=2, term=2, logTerm=2, index=index, entries=entries, commit=index)
    setattr(message, "from", 1)
    return message


def test_a_msgapp_has_one_byte_of_kind_and_the_next_that_follows_it_only_entries_and_commit():
    encoder = Encoder(APPEND)
    first, second = append(4, b"a"), append(5, b"b", b"c")
    whole = first.SerializeToString()
    assert encoder.encode(first) == b"\x02" + len(whole).to_bytes(8) + whole
    entries = [entry.SerializeToString() for entry in second.entries]
    framed = b"".join(len(entry).to_bytes(8) + entry for entry in entries)
    assert encoder.encode(second) == b"\x01" + (2).to_bytes(8) + framed + (5).to_bytes(8)
    assert LINK_HEARTBEATS[APPEND] == b"\0"


def test_what_was_written_is_read_however_it_is_cut():
    for name, messages in ((APPEND, [append(4, b"a"), append(5, b"b", b"c"), append(9)]), (MESSAGE, [append(1)])):
        encoder, decoder = Encoder(name), Decoder(name, 1, 2)
        data = b"".join(LINK_HEARTBEATS[name] + encoder.encode(message) for message in messages)
        found = [message for at in range(len(data)) for message in decoder.feed(data[at : at + 1])]
        assert found == messages
        assert decoder.is_between
