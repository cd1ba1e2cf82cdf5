"""Messages of gRPC, as facts: how long each is and a digest of its bytes, in a thread for each stream.

Events of an etcd watch are entries of their own in the journal, however many came in one message. So such a message is
taken apart here, and each of its events is a fact.

    tshark   grpc {message_length: 10, message_data: "0a:08:…"}      messages of 1    10 bytes 5c41f0a2
    journal  grpc.request, and the body beside it                    messages of 1    10 bytes 5c41f0a2
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import unpack
from cluster_engine.rpc.grpc import message_types
from tests.captures.facts import Fact, Thread
from tests.captures.journal_facts import Entry
from tests.captures.tshark_facts import DATA, Pairs

WATCH = "/etcdserverpb.Watch/Watch"
ENTRIES = ("grpc.request", "grpc.message", "grpc.response", "etcd.event")


def of_tshark(frames: Sequence[Pairs], connections: Sequence[tuple[int, bool]]) -> Iterator[Fact]:
    """Yield what tshark has found; a message belongs to the DATA frame that is dissected just before it."""
    paths: dict[tuple[int, str], str] = {}
    for number, (layers, (connection, from_client)) in enumerate(zip(frames, connections, strict=True), start=1):
        stream = ""
        for name, layer in layers:
            if name == "http2":
                for frame in (dict(value) for key, value in layer if key == "http2.stream"):
                    if "http2.headers.path" in frame or frame.get("http2.type") == str(DATA):
                        stream = frame["http2.streamid"]
                _learn_path(layer, connection, paths)
            elif name == "grpc":
                thread = Thread(connection, from_client, f"messages of {stream}")
                message = bytes.fromhex(dict(layer).get("grpc.message_data", "").replace(":", ""))
                is_watched = paths[connection, stream] == WATCH and not from_client
                for one in _events(message) if is_watched else [message]:
                    yield Fact(thread, _said(one), f"frame {number}")


def _learn_path(layer: Pairs, connection: int, paths: dict[tuple[int, str], str]) -> None:
    for frame in (value for key, value in layer if key == "http2.stream"):
        for header in (dict(value) for key, value in frame if key == "http2.header"):
            if header["http2.header.name"] == ":path":
                paths[connection, dict(frame)["http2.streamid"]] = header["http2.header.value"]


def of_journal(journal: Journal, entries: Iterable[Entry]) -> Iterator[Fact]:
    """Yield what the journal has beside its entries; an answer that is a failure, or ends a stream, has no message."""
    clients: dict[int, str] = {}
    for entry in entries:
        if entry["kind"] not in ENTRIES:
            continue
        seq, connection = entry["seq"], entry["connection"]
        if entry["kind"] == "grpc.request":
            clients.setdefault(connection, entry["from"])
        ends_stream = entry["kind"] == "grpc.response" and (
            entry["fields"]["status"] != "OK" or entry["label"].startswith("end of ")
        )
        if not ends_stream:
            thread = Thread(connection, entry["from"] == clients[connection], f"messages of {entry['stream']}")
            is_due = not entry["fields"].get("unfinished")
            yield Fact(thread, _said(_body(journal, seq)), f"entry {seq}", is_due)


def _body(journal: Journal, seq: int) -> bytes:
    position = unpack(journal.evidence(seq)).body
    return b"" if position < 0 else journal.read(position) or b""


def _events(message: bytes) -> list[bytes]:
    """Take an answer of a watch apart; one without events stays whole."""
    types = message_types(WATCH)
    assert types is not None
    return [event.SerializeToString() for event in types[1].FromString(message).events] or [message]


def _said(message: bytes) -> str:
    return f"{len(message)} bytes {hashlib.sha256(message).hexdigest()[:8]}"
