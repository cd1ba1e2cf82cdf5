"""Raft's messages in the form in which etcd's members send them (raftpb), and back.

Every number is written, zero too, as etcd's generated code does. A snapshot's data travels beside its message.
"""

from cluster_engine.raft.messages import Entry, Kind, Message, Snapshot
from cluster_engine.rpc import raft_pb2 as pb

NUMBER_MAX = 2**62


def to_wire(message: Message) -> pb.Message:
    """Return the wire's form of a message; without a snapshot's data."""
    wire = pb.Message(
        type=pb.MessageType.Name(message.kind),
        to=message.to,
        term=message.term,
        logTerm=message.log_term,
        index=message.index,
        commit=message.commit,
        reject=message.reject,
        rejectHint=message.hint,
    )
    setattr(wire, "from", message.sender)
    for entry in message.entries:
        wire.entries.add(Type=pb.EntryNormal, Term=entry.term, Index=entry.index, Data=entry.data or None)
    if message.context:
        wire.context = message.context
    if message.snapshot is not None:
        wire.snapshot.metadata.index = message.snapshot.index
        wire.snapshot.metadata.term = message.snapshot.term
    return wire


def from_wire(wire: pb.Message, data: bytes = b"") -> Message:
    """Return what the wire says; `data` is a snapshot's. ValueError when no member says such a thing."""
    numbers = (wire.term, wire.index, wire.logTerm, wire.commit, wire.rejectHint, wire.snapshot.metadata.index)
    if max(numbers) > NUMBER_MAX or any(entry.Term > NUMBER_MAX for entry in wire.entries):
        raise ValueError("a number beyond all that can be")
    if wire.type == pb.MsgApp and any(entry.Index != n for n, entry in enumerate(wire.entries, wire.index + 1)):
        raise ValueError("entries that do not follow each other")
    metadata = wire.snapshot.metadata
    return Message(
        Kind(wire.type),
        wire.to,
        getattr(wire, "from"),
        term=wire.term,
        index=wire.index,
        log_term=wire.logTerm,
        entries=tuple(Entry(entry.Index, entry.Term, entry.Data) for entry in wire.entries),
        commit=wire.commit,
        reject=wire.reject,
        hint=wire.rejectHint,
        context=wire.context,
        snapshot=Snapshot(metadata.index, metadata.term, data) if wire.type == pb.MsgSnap else None,
    )
