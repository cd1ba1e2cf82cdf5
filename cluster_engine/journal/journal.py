"""The numbered line of entries.

The screen is a pure function of (journal, cursor), so this is the one store of a cluster's history. Entries are
numbered from 1 in the order of arrival and never change. Whoever watches it does as with Kubernetes: `since` (list),
then `subscribe` (watch), and after a gap `since` again; `first` says where history begins, once the oldest has been
dropped.

An entry is a plain dict, as the browser is given it:

    {"seq": 12, "at": 0.00125, "arrived": 0.0015,        numbered by arrival; times are virtual seconds
     "layer": "story",                                    highest altitude at which it is drawn: story, http, tls, tcp
     "kind": "http.request", "label": "POST deployments",      `label` is short and in the protocol's own words
     "from": "workstation/kubectl", "to": "control-plane/kube-apiserver",      `to` is null for a note
     "cause": 3, "trigger": null, "replyTo": null,        why: an earlier entry, or command, timer, fault, start
     "how": "object", "after": null,                      by which rule the cause was inferred; what was waited for
     "connection": 4, "stream": 1, "size": 812, "heartbeat": false,
     "fields": {"verb": "create", "resource": "deployments", …}}               facts, by kind

Its evidence, bytes of whoever appended it, lies beside it in the spool; evidence may refer to other bytes that were
kept (`keep`, `keep_body`) by their positions. Bodies are stored once, whoever receives them: ten watchers of one pod
cost one. Two more lines run beside the entries (`kept`): all packets, whether an entry was read from them or not, and
all lines of key logs, so that what crossed the wires can be written down as it was.

Modelled on a Raft log and on etcd's revisions; bounded as a Kafka topic is. Left out: durability (a cluster's journal
is persisted by who subscribes to it; one that nothing is appended to any more can be saved whole), filtering, any
knowledge of protocols and of what evidence means.

    journal = Journal()
    journal.append({"seq": 0, "kind": "command.started", …})   -> 1
    journal.since(0, 100)                                       -> [{"seq": 1, …}]
    journal.evidence(1)                                         -> b""
"""

from array import array
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from cluster_engine.journal.kept import Kept
from cluster_engine.journal.recent import Recent
from cluster_engine.journal.spool import MEMORY_BYTES_MAX, Spool

DISK_BYTES_MAX = 128 * 1024 * 1024
BODIES_KNOWN_MAX = 2048
FILLING = 0.75

LENGTH_BYTES = 8

Entry = dict[str, Any]
Subscriber = Callable[[Entry], None]


class _Saved(msgspec.Struct, array_like=True):
    """The head of a saved journal: where everything lies in the bytes of the spool, which follow."""

    first: int
    spool_first: int
    positions: bytes
    packets: tuple[int, bytes, bytes]
    secrets: tuple[int, bytes, bytes]


class Journal:
    """Numbered entries, each with its evidence.

    With a `directory` history lies in anonymous files there, `bytes_max` in all; without one, in memory. Subscribers
    are called with every entry as it is appended, in order; they must not change it.
    """

    def __init__(self, directory: Path | None = None, *, bytes_max: int | None = None) -> None:
        self._spool = Spool(directory, bytes_max=bytes_max or (DISK_BYTES_MAX if directory else MEMORY_BYTES_MAX))
        self._half_of_history = (bytes_max or (DISK_BYTES_MAX if directory else MEMORY_BYTES_MAX)) // 2
        self._encode = msgspec.json.Encoder().encode
        self._positions = array("Q")
        self._first = 1
        self._spool_first = 0
        self._bodies: Recent[bytes, int] = Recent(BODIES_KNOWN_MAX)
        self._subscribers: tuple[Subscriber, ...] = ()
        self._last_readers: tuple[Callable[[], None], ...] = ()
        self.packets = Kept()
        self.secrets = Kept()

    @property
    def first(self) -> int:
        """The oldest seq still here; `head + 1` when there is none."""
        return self._first

    @property
    def head(self) -> int:
        """The latest seq, 0 before the first entry."""
        return self._first + len(self._positions) - 1

    @property
    def is_filling(self) -> bool:
        """Whether it may soon forget its oldest entries: who will want to have read them reads them now."""
        return self._spool.end - self._spool.first >= FILLING * self._spool.bytes_max

    def append(self, entry: Entry, evidence: bytes = b"") -> int:
        """Number `entry` (it must have the key "seq") and keep it with its evidence; tell all subscribers."""
        seq = entry["seq"] = self._first + len(self._positions)
        self._positions.append(self._spool.append(b"%b\n%b" % (self._encode(entry), evidence)))
        if self._spool.first != self._spool_first:
            self._forget()
        for subscriber in self._subscribers:
            subscriber(entry)
        return seq

    def keep(self, blob: bytes) -> int:
        """Keep bytes that evidence may refer to; give their position."""
        return self._spool.append(blob)

    def keep_packet(self, blob: bytes) -> int:
        """Keep what crossed a wire, as the next of `packets`; give its position."""
        position = self._spool.append(blob)
        self.packets.append(position, self.head)
        return position

    def keep_secret(self, line: bytes) -> None:
        """Keep a line of a key log, as the next of `secrets`."""
        self.secrets.append(self._spool.append(line), self.head)

    def keep_body(self, body: bytes) -> int:
        """Keep a body once, however often it is said; give its position, -1 for an empty one."""
        if not body:
            return -1
        digest = blake2b(body, digest_size=16).digest()
        known = self._bodies.get(digest)
        if known is not None and self._spool.end - known < self._half_of_history:
            return known
        position = self._bodies[digest] = self._spool.append(body)
        return position

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with each entry from now on; give the function that ends this."""
        self._subscribers = (*self._subscribers, subscriber)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

        return unsubscribe

    def before_close(self, read: Callable[[], None]) -> None:
        """Call `read` when the journal is about to be closed, while everything is still there."""
        self._last_readers = (*self._last_readers, read)

    def since(self, seq: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries after `seq`, oldest first; a start before `first` begins at `first`."""
        start = max(seq + 1, self._first)
        return [self.entry(at) for at in range(start, min(start + limit, self.head + 1))]

    def entry(self, seq: int) -> Entry:
        """Return entry `seq`; KeyError when it is not here."""
        return msgspec.json.decode(self._line(seq))  # type: ignore[no-any-return]

    def evidence(self, seq: int) -> bytes:
        """Return the bytes that were appended with entry `seq`; KeyError when it is not here."""
        return self._blob(seq).partition(b"\n")[2]

    def read(self, position: int) -> bytes | None:
        """Return what `keep` or `keep_body` kept at a position, None when it has been dropped."""
        return self._spool.read(position)

    def save(self, file: BinaryIO) -> None:
        """Write down all that is here, for `load`."""
        kept = self.packets.saved(), self.secrets.saved()
        head = msgspec.msgpack.encode(_Saved(self._first, self._spool.first, self._positions.tobytes(), *kept))
        file.write(len(head).to_bytes(LENGTH_BYTES))
        file.write(head)
        file.writelines(self._spool.pieces())

    @classmethod
    def load(cls, file: BinaryIO, directory: Path | None = None) -> "Journal":
        """Return a journal as it was saved. ValueError where the file is none."""
        saved = msgspec.msgpack.decode(file.read(int.from_bytes(file.read(LENGTH_BYTES))), type=_Saved)
        journal = cls(directory)
        journal._spool.close()
        journal._spool = Spool.of(saved.spool_first, file, directory, bytes_max=journal._half_of_history * 2)
        journal._first, journal._spool_first = saved.first, saved.spool_first
        journal._positions.frombytes(saved.positions)
        journal.packets, journal.secrets = Kept.of(*saved.packets), Kept.of(*saved.secrets)
        return journal

    def close(self) -> None:
        """Give the space back. The journal can no longer be read."""
        readers, self._last_readers = self._last_readers, ()
        for read in readers:
            read()
        self._first = self.head + 1
        self._positions = array("Q")
        self._subscribers = ()
        self.packets = Kept()
        self.secrets = Kept()
        self._spool.close()

    def _line(self, seq: int) -> bytes:
        return self._blob(seq).partition(b"\n")[0]

    def _blob(self, seq: int) -> bytes:
        if not self._first <= seq <= self.head:
            raise KeyError(seq)
        blob = self._spool.read(self._positions[seq - self._first])
        assert blob is not None, "an entry from `first` on is in the spool"
        return blob

    def _forget(self) -> None:
        """Follow the spool, which has dropped its oldest chunk."""
        self._spool_first = self._spool.first
        gone = 0
        while gone < len(self._positions) and self._positions[gone] < self._spool_first:
            gone += 1
        self._positions = self._positions[gone:]
        self._first += gone
        self.packets.forget(self._spool_first)
        self.secrets.forget(self._spool_first)
