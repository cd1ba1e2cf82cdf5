"""What etcd's members tell each other, as the lens reads it: Raft's messages in a body that goes on while they run.

    raft.message   MsgApp 12 update pods/default/web     <- the Txn that the leader is serving, or the MsgProp it heard
    raft.message   MsgAppResp 12                         <- that MsgApp, which came over another connection
    raft.message   MsgApp commit 12                      <- the MsgAppResp that made a majority
    raft.message   MsgPreVote term 3                     <- a timer; MsgVote <- the answer that made a majority

    raft.message   MsgSnap 2048                          <- the POST /raft/snapshot that has it, the database behind it

Heartbeats come ten times a second: of each stream the first is an entry, then one for every BEATS (`beats` says of how
many it speaks). Those that answer reads (ReadIndex) carry a context, and are entries each. Members' "I am there" on a
quiet stream is none. Left out: what is in a snapshot's database, and POST /raft, which is a request like any other.
"""

import re
from typing import Any

from google.protobuf.message import DecodeError

from cluster_engine.lens import etcd
from cluster_engine.lens.calls import Meaning
from cluster_engine.lens.causes import TIMER, Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Headers, Piece
from cluster_engine.lens.exchange import header
from cluster_engine.lens.scribe import STORY, Said
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.rpc import etcd_pb2
from cluster_engine.rpc import raft_pb2 as pb
from cluster_engine.rpc.raft_streams import Decoder, FrameError

PATH, SNAPSHOT_PATH = "/raft/stream/", "/raft/snapshot"
BEATS = 100
NUMBER = re.compile("[0-9a-f]{1,16}")
_METHODS = {"put": "Put", "delete_range": "DeleteRange", "txn": "Txn", "compaction": "Compact", "alarm": "Alarm",
            "lease_grant": "LeaseGrant", "lease_revoke": "LeaseRevoke"}  # fmt: skip
_BEATS = frozenset({"MsgHeartbeat", "MsgHeartbeatResp"})
_ANSWERS = {"MsgAppResp": "MsgApp", "MsgVoteResp": "MsgVote", "MsgPreVoteResp": "MsgPreVote",
            "MsgReadIndexResp": "MsgReadIndex", "MsgHeartbeatResp": "MsgHeartbeat"}  # fmt: skip


class RaftStream:
    """The body of the answer to `GET /raft/stream/…`: what the server of a connection tells its client."""

    def __init__(self, conversation: Conversation, path: str, asked: Headers, stream: int | None) -> None:
        name, _, listener = path.removeprefix(PATH).partition("/")
        self._conversation = conversation
        self._decoder = Decoder(name, _number(header(asked, "x-raft-to")), _number(listener))
        self._stream = stream
        self._beats = BEATS - 1
        self._pieces: list[Piece] = []

    def data(self, data: bytes, pieces: list[Piece]) -> None:
        """Take some of the body; write the messages that it completes."""
        for piece in pieces:
            if not self._pieces or self._pieces[-1] is not piece:
                self._pieces.append(piece)
        try:
            for message in self._decoder.feed(data):
                self._message(message, self._pieces)
                self._pieces = pieces[-1:]
        except FrameError as problem:
            raise Unreadable(str(problem)) from problem
        if self._decoder.is_between:
            self._pieces = []

    def ended(self, pieces: list[Piece]) -> None:
        """The body has come to its end: a member was stopped."""

    def _message(self, message: pb.Message, pieces: list[Piece]) -> None:
        kind = pb.MessageType.Name(message.type)
        told = _told(kind, message)
        if kind in _BEATS and not message.context:
            self._beats += 1
            if self._beats < BEATS:
                return
            told.fields["beats"], self._beats = BEATS, 0
        reason, housekeeping = self._reason(kind, message, told)
        conversation = self._conversation
        data = message.SerializeToString()
        said = Said(STORY, "raft.message", told.label, told.fields, reason, None, self._stream, len(data), housekeeping)
        evidence = Evidence(pieces, body=data, body_type="protobuf:raftpb.Message")
        seq = conversation.say(False, said, evidence)
        causes, speaker, listener = conversation.causes, conversation.server, conversation.client
        causes.agreed(speaker, listener, _what(kind, message), seq, housekeeping)
        if kind in ("MsgAppResp", "MsgVoteResp", "MsgPreVoteResp", "MsgTimeoutNow") and not message.reject:
            if kind == "MsgAppResp" and causes.agreement(None, listener, _what(kind, message)):
                return  # with the first answer there was a majority, the leader counted
            causes.agreed(None, listener, _what(kind, message), seq, housekeeping)
        if kind == "MsgProp":
            for entry in message.entries:
                causes.agreed(None, listener, f"MsgProp {_request_id(entry)}", seq, housekeeping)
        if not housekeeping and told.tokens:
            causes.heard(listener, seq, conversation.scribe.now, told.tokens)

    def _reason(self, kind: str, message: pb.Message, told: Meaning) -> tuple[Reason, bool]:
        """Find the cause of a message, and whether it is housekeeping."""
        conversation = self._conversation
        causes, speaker, listener = conversation.causes, conversation.server, conversation.client
        housekeeping = kind in _BEATS
        if kind in _ANSWERS:
            found = causes.agreement(listener, speaker, _what(_ANSWERS[kind], message))
            return (Reason(found[0]), housekeeping or found[1]) if found else (TIMER, housekeeping)
        if kind == "MsgApp" and not message.entries:
            found = causes.agreement(None, speaker, f"MsgAppResp {message.commit}")
            return (Reason(found[0]), found[1]) if found else (TIMER, True)
        if kind in ("MsgVote", "MsgPreVote"):
            why = "MsgTimeoutNow" if kind == "MsgPreVote" else f"MsgPreVoteResp {message.term}"
            found = causes.agreement(None, speaker, why) or causes.agreement(None, speaker, "MsgTimeoutNow")
            return (Reason(found[0]), False) if found else (TIMER, False)
        if housekeeping:
            return TIMER, True
        proposed = (
            causes.agreement(None, speaker, f"MsgProp {_request_id(message.entries[0])}") if message.entries else None
        )
        if proposed is not None:
            return Reason(proposed[0]), proposed[1] or bool(told.heartbeat)
        served = causes.serving(speaker, told.tokens)
        if served is not None:
            return Reason(served[0], how="serving"), served[1] or bool(told.heartbeat)
        if told.heartbeat or told.renews or kind == "MsgReadIndex":
            return TIMER, True
        return causes.why(speaker, conversation.scribe.sent, told.tokens), False


def tell_snapshot(conversation: Conversation, body: bytes, size: int, request: int, pieces: list[Piece]) -> None:
    """Write the MsgSnap that a request has brought: its body's beginning, and how long all of it was."""
    length = 8 + int.from_bytes(body[:8])
    try:
        message = pb.Message.FromString(body[8:length])
    except DecodeError:
        return
    if message.type != pb.MsgSnap:
        return
    index = message.snapshot.metadata.index
    fields = {"type": "MsgSnap", "term": message.term, "index": index, "bytes": max(size - length, 0)}
    said = Said(STORY, "raft.message", f"MsgSnap {index}", fields, Reason(request), size=size)
    evidence = Evidence(pieces, body=body[8:length], body_type="protobuf:raftpb.Message")
    seq = conversation.say(True, said, evidence)
    conversation.causes.agreed(conversation.client, conversation.server, f"MsgApp {index}", seq, False)


def _what(kind: str, message: pb.Message) -> str:
    """Name what a message speaks of, so that its answer can be found to it."""
    if kind in ("MsgApp", "MsgAppResp"):
        return f"{kind} {message.index + len(message.entries)}"
    if kind.startswith(("MsgVote", "MsgPreVote")):
        return f"{kind} {message.term}"
    return f"{kind} {message.context.hex()}" if message.context else kind


def _told(kind: str, message: pb.Message) -> Meaning:
    fields: dict[str, Any] = {"type": kind, "term": message.term}
    found = Meaning(kind, fields)
    if message.entries:
        _entries(kind, message, found)
    elif kind == "MsgApp":
        fields["commit"] = message.commit
        found.label = f"{kind} commit {message.commit}"
    elif kind == "MsgAppResp":
        fields["index"] = message.index
        found.label = f"{kind} {message.index}"
    elif kind in ("MsgVote", "MsgPreVote", "MsgTimeoutNow"):
        found.label = f"{kind} term {message.term}"
    if message.reject:
        fields["rejected"] = True
        found.label = f"{found.label} rejected"
    elif kind in ("MsgVoteResp", "MsgPreVoteResp"):
        fields["granted"] = True
        found.label = f"{kind} granted"
    if message.context and kind in _BEATS:
        fields["reads"] = True
    return found


def _entries(kind: str, message: pb.Message, found: Meaning) -> None:
    """Say what a message's entries ask for; the first by its name."""
    meanings = [_entry(entry.Data) for entry in message.entries]
    first = next((one for one in meanings if one.fields), meanings[0])
    last = message.entries[-1].Index
    fields = found.fields
    fields |= {name: value for name, value in first.fields.items() if name not in fields}
    fields["entries"] = len(meanings)
    if last:
        fields["index"], fields["commit"] = last, message.commit
    others = f" +{len(meanings) - 1}" if len(meanings) > 1 else ""
    found.label = " ".join(filter(None, (kind, str(last or ""), first.label))) + others
    found.tokens = tuple(token for one in meanings for token in one.tokens)
    found.heartbeat = all(one.heartbeat for one in meanings)
    found.renews = all(one.heartbeat or one.renews for one in meanings)


def _entry(data: bytes) -> Meaning:
    if not data:
        return Meaning("new term")
    try:
        request = etcd_pb2.InternalRaftRequest.FromString(data)
    except DecodeError:
        return Meaning("")
    for name, method in _METHODS.items():
        if request.HasField(name):
            meaning = etcd.request(method, getattr(request, name))
            meaning.label = meaning.label.removeprefix("Txn ")
            return meaning
    return Meaning("member attributes")


def _request_id(entry: pb.Entry) -> int:
    """Return the number that the member gave to a request before it proposed it; 0 for an entry that is no request."""
    try:
        return etcd_pb2.InternalRaftRequest.FromString(entry.Data).header.ID
    except DecodeError:
        return 0


def _number(text: str) -> int:
    return int(text, 16) if NUMBER.fullmatch(text) else 0
