"""Whether an object comes into a state with an entry that is just being appended; for whoever wants to stop there.

Theory of operation. As in `etcd`, a write counts from the first entry in which etcd says that it is done: the answer to
the transaction, or an event of a watch. What held before is known from the store when one begins to look, and from then
on from these entries alone, so the entry is the one that the view `reached` names. What changes when a store goes back
to a snapshot no write tells: it changes with the first entry that shows that the store has gone back, for that is when
one can know, and is then read from the store again.

    turns = Turns(journal, [read("pod/default/web-*=Ready")], cluster)
    turns.look(entry)     True with the entry that says that one of them has become Ready
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.journal import Entry, Journal
from cluster_engine.journal.recent import Recent
from cluster_engine.state.conditions import Wanted, holds
from cluster_engine.state.etcd import VERBS, Revisions, latest_known
from cluster_engine.state.keys import Subject, key_of, subject_of
from cluster_engine.state.reading import Reader

KEYS_MAX = 8192
"""Of so many it is remembered which write was told last, for each is told more than once."""

ETCD = "/etcd"


class Store(Protocol):
    """A cluster, as much of it as is needed."""

    @property
    def revision(self) -> int:
        """The store's revision."""
        ...

    def stored(self, resource: str, group: str | None, namespace: str | None) -> Sequence[Object]:
        """Return the objects of a resource. ValueError where there is no such kind."""
        ...


class Turns:
    """Looks at every entry once it is in the journal, in order."""

    def __init__(self, journal: Journal, wanted: Sequence[Wanted], store: Store) -> None:
        self._reader = Reader(journal)
        self._wanted = list(wanted)
        self._store = store
        self._resources = {one.resource for one in wanted}
        self._held = self._read_store()
        self._latest = Revisions(store.revision, journal.head)
        self._revisions: Recent[str, int] = Recent(KEYS_MAX)

    def look(self, entry: Entry) -> bool:
        """Say whether an object has come into a state with this entry."""
        if entry["kind"] == "process.started" and entry["from"].endswith(ETCD):
            self._latest.starts(entry)
            self._revisions = Recent(KEYS_MAX)  # it may have gone back to a snapshot, and count from there again
        went_back = self._goes_back(entry) and self._turns_with_the_store()
        return self._turns_with_a_write(entry) or went_back

    def _goes_back(self, entry: Entry) -> bool:
        revision = entry["fields"].get("revision")
        if entry["kind"] != "grpc.response" or entry["fields"].get("status") != "OK" or not revision:
            return False
        known = latest_known(self._reader, entry) if self._latest.doubts(entry) else None
        went_back = known is not None and self._latest.goes_back(entry, known)
        self._latest.said(entry, revision)
        return went_back

    def _turns_with_the_store(self) -> bool:
        """Read the store, which has gone back; say whether one of its objects is in a state now that it was not in."""
        before, self._held = self._held, self._read_store()
        gone = (holds(self._wanted[number], None) for number, key in before if (number, key) not in self._held)
        absent = [holds(one, None) for one in self._wanted]
        turned = (now and not before.get(place, absent[place[0]]) for place, now in self._held.items())
        return any(gone) or any(turned)

    def _read_store(self) -> dict[tuple[int, str], bool]:
        """Return of each object, and each state that is wanted of it, whether it is in it."""
        held = {}
        for number, one in enumerate(self._wanted):
            for obj in _objects(self._store, one):
                names = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
                subject = Subject(one.resource, *names)
                if one.is_about(subject):
                    held[number, key_of(subject)] = holds(one, obj)
        return held

    def _turns_with_a_write(self, entry: Entry) -> bool:
        key, revision = entry["fields"].get("key"), entry["fields"].get("revision")
        if not key or not revision or not _is_word_of_a_write(entry):
            return False
        subject = subject_of(key)
        if subject is None or subject.resource not in self._resources or revision <= (self._revisions.get(key) or 0):
            return False
        self._revisions[key] = revision
        ours = [(number, one) for number, one in enumerate(self._wanted) if one.is_about(subject)]
        if not ours:
            return False
        known, obj = self._written(entry, key)
        turned = [one for number, one in ours if known and self._turns(number, one, key, obj)]
        return bool(turned)

    def _turns(self, number: int, wanted: Wanted, key: str, obj: Object | None) -> bool:
        before = self._held.get((number, key), holds(wanted, None))
        now = holds(wanted, obj)
        if obj is None:
            self._held.pop((number, key), None)
        else:
            self._held[number, key] = now
        return now and not before

    def _written(self, entry: Entry, key: str) -> tuple[bool, Object | None]:
        """Return whether it is known what was written, and the object; None where it was deleted."""
        fields = entry["fields"]
        if "delete" in (fields.get("operation"), fields.get("type", "").lower()):
            return True, None
        message = self._reader.message(entry["seq"] if entry["kind"] == "etcd.event" else entry["replyTo"])
        if message is None:
            return False, None
        if entry["kind"] == "etcd.event":
            value = message.kv.value
        else:
            puts = [one.request_put for one in message.success if one.WhichOneof("request") == "request_put"]
            value = next((put.value for put in puts if put.key == key.encode()), b"")
        try:
            obj = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return False, None
        return isinstance(obj, dict), obj


def _is_word_of_a_write(entry: Entry) -> bool:
    fields = entry["fields"]
    if entry["kind"] == "etcd.event":
        return True
    is_done = entry["kind"] == "grpc.response" and fields.get("method") == "Txn" and fields.get("succeeded")
    return bool(is_done) and fields.get("operation") in VERBS


def _objects(store: Store, wanted: Wanted) -> Sequence[Object]:
    try:
        return store.stored(wanted.resource.plural, wanted.resource.group, None)
    except ValueError:  # a kind that is not there yet
        return ()
