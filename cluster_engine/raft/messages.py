"""What Raft says and keeps: entries, messages, snapshots, and what has to lie on the disk.

The kinds have the names and numbers of etcd's raftpb.MessageType, so that the wire is one step away. `term` 0 marks a
message that belongs to no term: a proposal or a read that a follower hands on to its leader.

    Message(Kind.APP, to=2, sender=1, term=3, index=7, log_term=2, entries=(Entry(8, 3, b"x"),), commit=7)
        "in term 3: after entry 7, which is of term 2, comes x; up to 7 all is agreed"
    Message(Kind.APP_RESP, to=1, sender=2, term=3, index=8)                          "I have all up to 8"
    Message(Kind.APP_RESP, to=1, sender=2, term=3, index=7, reject=True, hint=4)     "not 7; try 4"
"""

import enum

import msgspec


class Kind(enum.IntEnum):
    """What a message is."""

    PROP = 2
    APP = 3
    APP_RESP = 4
    VOTE = 5
    VOTE_RESP = 6
    SNAP = 7
    HEARTBEAT = 8
    HEARTBEAT_RESP = 9
    TRANSFER_LEADER = 13
    TIMEOUT_NOW = 14
    READ_INDEX = 15
    READ_INDEX_RESP = 16
    PRE_VOTE = 17
    PRE_VOTE_RESP = 18


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log; without data it is the one by which a leader begins its term."""

    index: int
    term: int
    data: bytes = b""


class Snapshot(msgspec.Struct, frozen=True):
    """What the entries up to `index` have made of the state machine."""

    index: int
    term: int
    data: bytes = b""


class Message(msgspec.Struct, frozen=True):
    """One message between members; see raftpb.Message for what the numbers mean to which kind."""

    kind: Kind
    to: int
    sender: int
    term: int = 0
    index: int = 0
    log_term: int = 0
    entries: tuple[Entry, ...] = ()
    commit: int = 0
    reject: bool = False
    hint: int = 0
    context: bytes = b""
    snapshot: Snapshot | None = None


class HardState(msgspec.Struct, frozen=True):
    """What a member must not forget: its term, whom it gave its vote in it, and how far all is agreed."""

    term: int = 0
    vote: int = 0
    commit: int = 0


class Read(msgspec.Struct, frozen=True):
    """A read may be answered once entry `index` is applied; `context` says which."""

    index: int
    context: bytes


class Ready(msgspec.Struct, frozen=True):
    """What is to be done now, in this order; then `Node.advance` is told so.

    1. `snapshot`, `entries` and `hard` go to the disk (None, empty: as they were)
    2. `messages` go out; a leader's may go before they are on the disk
    3. `committed` entries are applied; `reads` wait for theirs
    """

    hard: HardState | None
    snapshot: Snapshot | None
    entries: tuple[Entry, ...]
    messages: tuple[Message, ...]
    committed: tuple[Entry, ...]
    reads: tuple[Read, ...]
