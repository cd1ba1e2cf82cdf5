"""What etcd holds, key by key: since when, at which revision, and where the journal says so.

Theory of operation. A write counts from the first entry in which etcd itself says that it is done: the answer to the
transaction, an event of a watch, or a list that has it. Any of its members may say it, for none does before a majority
has it. Each says the key's `mod_revision`, so what is said twice is known once, and what a member says late changes
nothing. Answers alone would miss what a lease has ended and what was written before the journal began; events alone
what nobody watches, and what was compacted before somebody did. A list also says what is not there.

    grpc.response  Txn put K, revision 57     K stands at 57 since this entry
    etcd.event     PUT K, mod_revision 57     known
    grpc.response  Range …, revision 60       what is not in it, and was older than 60, is gone

A store that was restored goes back: a member that started after revision 90 was told, and that has asked the majority,
would have said at least 90. If it says less, each key stands again as it did at what it says.

Left out: transactions within transactions, ranges that are deleted while nobody hears of it, etcdctl's --ignore-value.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cluster_engine.journal import Entry
from cluster_engine.state.keys import Resource, Subject, subject_of
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Point, Timeline

CREATED, UPDATED, DELETED = 0, 1, 2
VERBS = ("create", "update", "delete")
INDEX_BITS = 22
DESCENDING = 2
NOT_SHOWN, AS_ASKED = (1 << INDEX_BITS) - 1, (1 << INDEX_BITS) - 2
"""In the place of an index: of a write nobody shows what was written, or it is shown as it was asked for."""
UNTOLD = -1
"""Where it is told: the journal never had it, or no longer has; the key is there."""


def told_in(seq: int, index: int, verb: int) -> int:
    """Write down where a change is told: as number `index` of what entry `seq` carries."""
    return (seq << INDEX_BITS | index) << 2 | verb


def place_of(told: int) -> tuple[int, int, int]:
    """Read `told_in` back: entry, index, verb."""
    return told >> 2 + INDEX_BITS, told >> 2 & (1 << INDEX_BITS) - 1, told & 3


def stands(point: Point | None) -> bool:
    """Whether a key is there."""
    return point is not None and point.told & 3 != DELETED


def is_shown(point: Point) -> bool:
    """Whether what was written is shown where the write is told, as it was stored."""
    return point.told < 0 or place_of(point.told)[1] < AS_ASKED


def value_of(reader: Reader, told: int) -> bytes | None:
    """Return what was written, None when the journal no longer has it."""
    seq, index, _ = place_of(told)
    message: Any = reader.message(seq) if told >= 0 else None
    if message is None:
        return None
    match message.DESCRIPTOR.name:
        case "TxnRequest":
            value = operations(message)[index].request_put.value
        case "Event":
            value = message.kv.value
        case "RangeResponse":
            value = message.kvs[index].value
        case "PutRequest":
            value = message.value
        case _:
            return None
    return bytes(value)


def operations(transaction: Any) -> list[Any]:
    """Return what a transaction does where its condition holds, and then what it does where it does not."""
    return [*transaction.success, *transaction.failure]


class Revisions:
    """How far etcd has come by what its members say, and whether one of them shows that it has gone back.

    A member that has started since revision `told` was told of, and that has asked the majority, would have said as
    much.
    """

    def __init__(self, told: int = 0, seq: int = 0) -> None:
        self.told = told
        self._seq = seq
        self._started: dict[str, int] = {}

    def starts(self, entry: Entry) -> None:
        """Note that a program has started."""
        self._started[entry["from"]] = entry["seq"]

    def said(self, entry: Entry, revision: int) -> None:
        """Hear of a revision."""
        if revision >= self.told:
            self.told, self._seq = revision, entry["seq"]

    def doubts(self, entry: Entry) -> bool:
        """Whether who says something has started since the latest revision was told."""
        return self._started.get(entry["from"], 0) > self._seq

    def goes_back(self, entry: Entry, revision: int) -> bool:
        """Hear of a revision from who knows the latest; say whether the store has gone back to it."""
        if revision >= self.told or not self.doubts(entry):
            return False
        self.told, self._seq = revision, entry["seq"]
        return True


def latest_known(reader: Reader, entry: Entry) -> int | None:
    """Return the latest revision that a member knew when it began to answer; None where it need not have known it."""
    revision: int = entry["fields"]["revision"]
    method = entry["fields"].get("method")
    question = reader.message(entry["replyTo"]) if method in ("DeleteRange", "Range", "Txn") else None
    match method:
        case "Put":
            return revision - 1
        case "DeleteRange" if question is not None:
            return revision - 1
        case "Range" if question is not None and not question.serializable:
            return revision
        case "Txn" if question is not None and writes_of(question, entry["fields"]["succeeded"]):
            return revision - 1
    return None


def writes_of(transaction: Any, succeeded: bool) -> list[tuple[int, Any]]:
    """Return what a transaction has written, each with its place among all its operations."""
    done, begin = (transaction.success, 0) if succeeded else (transaction.failure, len(transaction.success))
    return [(begin + n, one) for n, one in enumerate(done) if one.WhichOneof("request") != "request_range"]


class Keys:
    """The timelines of all keys. The first number of a point says where it is told, the second is the revision."""

    def __init__(self, reader: Reader) -> None:
        self.timelines: dict[str, Timeline] = {}
        self.of: dict[Resource, dict[str, Subject]] = {}
        """The keys of each resource, and which object each is; of keys that are none there is nothing here."""
        self._by_room: dict[str, dict[str, None]] = {}
        self._reader = reader
        self._revisions = Revisions()

    def take(self, entry: Entry) -> None:
        """Read one entry more."""
        fields = entry["fields"]
        match entry["kind"]:
            case "grpc.response" if fields.get("status") == "OK" and fields.get("revision"):
                self._answer(entry, fields)
            case "etcd.event":
                self._event(entry["seq"], fields)
            case "process.started":
                self._revisions.starts(entry)

    def forget(self, first: int) -> None:
        """Forget what no longer stood at entry `first`."""
        for key, timeline in list(self.timelines.items()):
            timeline.forget(first)
            last = timeline.last
            if last is not None and last.seq < first and not stands(last):
                del self.timelines[key]
                if (subject := subject_of(key)) is not None:
                    self.of[subject.resource].pop(key, None)
                self._by_room[room_of(key)].pop(key, None)

    # -- what etcd says

    def _answer(self, entry: Entry, fields: Entry) -> None:
        seq, asked, revision = entry["seq"], entry["replyTo"], fields["revision"]
        known = latest_known(self._reader, entry)
        if known is not None and self._revisions.goes_back(entry, known):
            self._go_back(seq, known)
        match fields.get("method"):
            case "Txn":
                self._transaction(entry, asked, revision)
            case "Range":
                self._range(entry, asked, revision)
            case "Put":
                self.stands(seq, fields["key"], told_in(asked, 0, UPDATED), revision)
            case "DeleteRange":
                message = self._reader.message(asked)
                if message is not None:
                    self._delete(seq, message, asked, revision)
        if known is not None:
            self._revisions.said(entry, revision)

    def _transaction(self, entry: Entry, asked: int, revision: int) -> None:
        seq, fields, message = entry["seq"], entry["fields"], self._reader.message(asked)
        if message is None:
            if fields["succeeded"] and (verb := fields.get("operation")) in VERBS:
                self.stands(seq, fields["key"], told_in(asked, 0, VERBS.index(verb)), revision)
            return
        fresh = {compare.key for compare in message.compare if not compare.mod_revision and not compare.version}
        for index, one in writes_of(message, fields["succeeded"]):
            if one.WhichOneof("request") == "request_put":
                key = one.request_put.key
                verb = CREATED if fields["succeeded"] and key in fresh else UPDATED
                self.stands(seq, key.decode("utf-8", "replace"), told_in(asked, index, verb), revision)
            elif one.WhichOneof("request") == "request_delete_range":
                self._delete(seq, one.request_delete_range, asked, revision)

    def _event(self, seq: int, fields: Entry) -> None:
        verb = DELETED if fields["type"] == "DELETE" else CREATED if fields.get("created") else UPDATED
        self.stands(seq, fields["key"], told_in(seq, 0, verb), fields["revision"])

    def _range(self, entry: Entry, asked: int, revision: int) -> None:
        seq = entry["seq"]
        answer, question = self._reader.message(seq), self._reader.message(asked)
        if answer is None or question is None:
            return
        if question.keys_only or question.count_only:
            return
        listed = set()
        for index, pair in enumerate(answer.kvs):
            key = pair.key.decode("utf-8", "replace")
            listed.add(key)
            verb = CREATED if pair.create_revision == pair.mod_revision else UPDATED
            self.stands(seq, key, told_in(seq, index, verb), pair.mod_revision)
        narrowed = question.min_mod_revision or question.max_mod_revision or question.sort_target
        if not narrowed and question.sort_order != DESCENDING:
            last = answer.kvs[-1].key.decode("utf-8", "replace") if answer.more and answer.kvs else None
            self._absent(seq, question, listed, last, question.revision or revision)

    def _absent(self, seq: int, question: Any, listed: set[str], last: str | None, revision: int) -> None:
        """Note that what a list does not have, up to its `last` key if there is more, is not there."""
        for key in self._within(question):
            known = self.timelines[key].last
            if key in listed or (last is not None and key > last) or known is None:
                continue
            if stands(known) and known.number <= revision:
                self.timelines[key].append(seq, told_in(seq, 0, DELETED), revision)

    # -- what it means for keys

    def stands(self, seq: int, key: str, told: int, revision: int, subject: Subject | None = None) -> None:
        """Note that a key stands at a revision, or is gone with it; what is known already changes nothing."""
        timeline = self._timeline(key, subject)
        last = timeline.last
        if last is None or revision > last.number or (revision == last.number and not is_shown(last)):
            timeline.append(seq, told, revision)

    def written(self, seq: int, key: str, told: int, subject: Subject) -> None:
        """Note a write whose revision nobody says; of what is not there, no deletion."""
        timeline = self._timeline(key, subject)
        last = timeline.last
        if told & 3 != DELETED or last is None or stands(last):
            timeline.append(seq, told, last.number if last is not None else 0)

    def is_gone(self, key: str) -> bool:
        """Whether a key was there and is known not to be any more."""
        timeline = self.timelines.get(key)
        return timeline is not None and not stands(timeline.last)

    def _timeline(self, key: str, subject: Subject | None) -> Timeline:
        timeline = self.timelines.get(key)
        if timeline is None:
            timeline = self.timelines[key] = Timeline()
            if (subject := subject or subject_of(key)) is not None:
                self.of.setdefault(subject.resource, {})[key] = subject
            self._by_room.setdefault(room_of(key), {})[key] = None
        return timeline

    def _delete(self, seq: int, deletion: Any, asked: int, revision: int) -> None:
        for key in list(self._within(deletion)):
            if stands(self.timelines[key].last):
                self.stands(seq, key, told_in(asked, 0, DELETED), revision)

    def _within(self, bounds: Any) -> Iterator[str]:
        """List the known keys in a range, as a question or a deletion says it."""
        key, end = (text.decode("utf-8", "replace") for text in (bounds.key, bounds.range_end))
        if not end:
            return iter((key,) if key in self.timelines else ())
        room = room_of(key)
        in_one = room and end <= room[:-1] + chr(ord(room[-1]) + 1) and end != "\0"
        keys: Iterable[str] = self._by_room.get(room, {}) if in_one else self.timelines
        return (one for one in keys if key <= one and (end == "\0" or one < end))

    # -- a store that goes back

    def _go_back(self, seq: int, revision: int) -> None:
        """Have each key stand as it did at a revision."""
        for timeline in self.timelines.values():
            last = timeline.last
            if last is not None and last.number > revision:
                before = next((point for point in reversed(timeline) if point.number <= revision), None)
                timeline.append(seq, *_as_it_was(next(iter(timeline)), before, revision))


def _as_it_was(first: Point, before: Point | None, revision: int) -> tuple[int, int]:
    """Say how a key stands once its store has gone back, to a point `before`, if any is known."""
    if before is not None:
        return before.told, before.number
    return (told_in(first.seq, 0, DELETED), revision) if first.told & 3 == CREATED else (UNTOLD, revision)


def room_of(key: str) -> str:
    """Return the part of a key that all objects of one resource have in common: "/registry/pods/"."""
    return "/".join(key.split("/", 3)[:3]) + "/" if key.count("/") >= 3 else ""
