"""What each program believes: the objects that its lists brought and its watches told, as an informer's cache has them.

Theory of operation. An informer lists, and then watches from what it has listed: so the latest list of a selection
counts once its client watches that selection, in place of all before (a Replace). Watch events go on from there. A
watch that sends its initial events has listed all with the first bookmark: what it has not named by then is gone. That
a watch ends changes nothing; that the program ends, everything. An API server believes what etcd has told it by the
same two words, Range and Watch.

    http.response  list pods     30 items                   waits
    http.request   watch pods    since 57                   kube-scheduler believes these 30
    watch.event    MODIFIED web-1, version 61               one of them at 61

Left out: two informers of one program with the same selection are one here; lists that the journal has only in part.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from cluster_engine.journal import Entry
from cluster_engine.lens.evidence import KUBERNETES_PROTOBUF
from cluster_engine.lens.kubernetes import parse
from cluster_engine.lens.objects import decode_protobuf
from cluster_engine.state.keys import Resource, number_of, subject_of
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Timeline

Name = tuple[str, str]
Version = tuple[Name, int]
GONE, THERE = 0, 1
NOT_WATCHING = -1


class Selection(NamedTuple):
    """What is watched: a resource, in one namespace or all, by fields and labels; of etcd, a range of keys."""

    resource: Resource
    namespace: str = ""
    fields: str = ""
    labels: str = ""


class Belief:
    """What one program believes of one selection.

    `watches`: the requests with which it watched, `NOT_WATCHING` once it is over. `versions`: of each object the
    version, `THERE` or `GONE`.
    """

    __slots__ = ("participant", "selection", "versions", "watches")

    def __init__(self, participant: str, selection: Selection) -> None:
        self.participant = participant
        self.selection = selection
        self.watches = Timeline()
        self.versions: dict[Name, Timeline] = {}

    def at(self, seq: int) -> Iterator[Version]:
        """Give what it believed at a position."""
        for name, timeline in self.versions.items():
            if timeline.told(seq) == THERE:
                yield name, timeline.number(seq)

    def hears(self, seq: int, name: Name, version: int, told: int = THERE) -> None:
        """Hear of one object."""
        timeline = self.versions.setdefault(name, Timeline())
        last = timeline.last
        if last is None or (last.told, last.number) != (told, version):
            timeline.append(seq, told, version)

    def replaces(self, seq: int, versions: Iterable[Version]) -> None:
        """Hear of all there is."""
        listed = dict(versions)
        for name, version in list(self.at(seq)):
            if name not in listed:
                self.hears(seq, name, version, GONE)
        for name, version in listed.items():
            self.hears(seq, name, version)


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""


class _Item(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Row(msgspec.Struct):
    object: _Item = msgspec.field(default_factory=_Item)


class _List(msgspec.Struct):
    """A list, or a table of it, as kubectl asks for one."""

    items: list[_Item] | None = None
    rows: list[_Row] | None = None


_lists = msgspec.json.Decoder(_List)


class Watches:
    """All beliefs, by who believes and what about."""

    def __init__(self, reader: Reader) -> None:
        self.beliefs: dict[tuple[str, Selection], Belief] = {}
        self._reader = reader
        self._streams: dict[tuple[int, int | None], list[Belief]] = {}
        self._initial: dict[tuple[int, int | None], dict[Name, int]] = {}
        self._listed: dict[tuple[str, Selection], list[int]] = {}

    def take(self, entry: Entry) -> None:
        """Read one entry more."""
        fields = entry["fields"]
        match entry["kind"]:
            case "watch.event":
                self._event(entry, fields)
            case "etcd.event":
                self._etcd_event(entry, fields)
            case "http.request" if fields.get("verb") == "watch" and fields.get("resource"):
                self._watch(entry, fields)
            case "http.response" if fields.get("verb") == "list" and fields["status"] == 200:
                self._list(entry)
            case "grpc.request" if fields.get("method") == "Watch" and fields.get("rangeEnd"):
                self._etcd_watch(entry, fields)
            case "grpc.message" if fields.get("rangeEnd") and "watchId" not in fields:
                self._etcd_watch(entry, fields)
            case "grpc.response" if fields.get("method") == "Range" and fields.get("rangeEnd"):
                self._etcd_list(entry, fields)
            case "http.end":
                self._over(entry)
            case "grpc.response" if fields.get("method") == "Watch":
                self._over(entry)
            case "process.exited":
                self._ends(entry)

    def forget(self, first: int) -> None:
        """Forget what nobody believed any more at entry `first`."""
        for key, belief in list(self.beliefs.items()):
            belief.watches.forget(first)
            last = belief.watches.last
            if last is not None and last.told == NOT_WATCHING and last.seq < first:
                del self.beliefs[key]
                continue
            for name, timeline in list(belief.versions.items()):
                timeline.forget(first)
                end = timeline.last
                if end is not None and end.told == GONE and end.seq < first:
                    del belief.versions[name]
        alive = set(map(id, self.beliefs.values()))
        self._streams = {
            key: kept for key, all_ in self._streams.items() if (kept := [one for one in all_ if id(one) in alive])
        }
        self._initial = {key: listed for key, listed in self._initial.items() if key in self._streams}

    # -- of the API server's clients

    def _list(self, entry: Entry) -> None:
        request = self._reader.entry(entry["replyTo"])
        if request is None:
            return
        key = (entry["to"], _selection(request["fields"]))
        if not parse("GET", request["fields"]["path"]).parameter("continue"):
            self._listed[key] = []
        self._listed.setdefault(key, []).append(entry["seq"])

    def _watch(self, entry: Entry, fields: Entry) -> None:
        belief = self._begins(entry, _selection(fields))
        listed = self._listed.pop((belief.participant, belief.selection), None)
        if listed is not None:
            pages = [self._items(seq) for seq in listed]
            if None not in pages:
                belief.replaces(entry["seq"], (item for page in pages if page is not None for item in page))
        elif parse("GET", fields["path"]).parameter("sendInitialEvents") == "true":
            self._initial[entry["connection"], entry["stream"]] = {}

    def _event(self, entry: Entry, fields: Entry) -> None:
        stream = (entry["connection"], entry["stream"])
        initial = self._initial.get(stream)
        for belief in self._streams.get(stream, ()):
            if fields["type"] == "BOOKMARK":
                if initial is not None:
                    belief.replaces(entry["seq"], self._initial.pop(stream).items())
            elif fields["type"] in ("ADDED", "MODIFIED", "DELETED") and fields.get("name"):
                name, version = (fields.get("namespace", ""), fields["name"]), number_of(fields["resourceVersion"])
                belief.hears(entry["seq"], name, version, GONE if fields["type"] == "DELETED" else THERE)
                if initial is not None and fields["type"] == "DELETED":
                    initial.pop(name, None)
                elif initial is not None:
                    initial[name] = version

    def _items(self, seq: int) -> list[Version] | None:
        """Return what a list has, None where the journal does not have it whole."""
        body_type, body = self._reader.body(seq)
        try:
            if body_type.startswith(KUBERNETES_PROTOBUF):
                found = msgspec.convert(decode_protobuf(body) or {}, _List)
            else:
                found = _lists.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
        items = [*(found.items or ()), *(row.object for row in found.rows or ())]
        said = [item.metadata for item in items]
        return [((one.namespace, one.name), number_of(one.resource_version)) for one in said]

    # -- of etcd's clients

    def _etcd_list(self, entry: Entry, fields: Entry) -> None:
        selection = _range(fields["rangeEnd"])
        if selection is None:
            return
        key = (entry["to"], selection)
        if fields["key"].endswith("/"):
            self._listed[key] = []
        self._listed.setdefault(key, []).append(entry["seq"])

    def _etcd_watch(self, entry: Entry, fields: Entry) -> None:
        selection = _range(fields["rangeEnd"])
        if selection is None:
            return
        belief = self._begins(entry, selection)
        listed = self._listed.pop((belief.participant, selection), None)
        answers = [self._reader.message(seq) for seq in listed or ()]
        if answers and None not in answers:
            pairs = ((pair.key.decode("utf-8", "replace"), pair.mod_revision) for one in answers for pair in one.kvs)
            found = ((subject_of(key), version) for key, version in pairs)
            belief.replaces(entry["seq"], (((one.namespace, one.name), at) for one, at in found if one is not None))

    def _etcd_event(self, entry: Entry, fields: Entry) -> None:
        subject = subject_of(fields["key"])
        for belief in self._streams.get((entry["connection"], entry["stream"]), ()):
            if subject is not None and belief.selection.resource == subject.resource:
                told = GONE if fields["type"] == "DELETE" else THERE
                belief.hears(entry["seq"], (subject.namespace, subject.name), fields["revision"], told)

    # -- of all

    def _begins(self, entry: Entry, selection: Selection) -> Belief:
        key = (entry["from"], selection)
        belief = self.beliefs.get(key)
        if belief is None:
            belief = self.beliefs[key] = Belief(*key)
        belief.watches.append(entry["seq"], entry["seq"], 0)
        stream = self._streams.setdefault((entry["connection"], entry["stream"]), [])
        if belief not in stream:
            stream.append(belief)
        return belief

    def _over(self, entry: Entry) -> None:
        """Nothing more comes on a stream; what was believed stays."""
        stream = (entry["connection"], entry["stream"])
        self._streams.pop(stream, None)
        self._initial.pop(stream, None)

    def _ends(self, entry: Entry) -> None:
        for (participant, _), belief in self.beliefs.items():
            if participant == entry["from"]:
                belief.replaces(entry["seq"], ())
                belief.watches.append(entry["seq"], NOT_WATCHING, 0)
        self._listed = {key: seqs for key, seqs in self._listed.items() if key[0] != entry["from"]}


def _selection(fields: Entry) -> Selection:
    asked = parse("GET", fields["path"])
    resource = Resource(asked.resource, asked.group)
    return Selection(resource, asked.namespace, asked.parameter("fieldSelector"), asked.parameter("labelSelector"))


def _range(end: str) -> Selection | None:
    """Say what an API server watches in etcd, by the end of a range: "/registry/pods0"; None for a part of it."""
    subject = subject_of(f"{end[:-1]}/x")
    return None if subject is None or subject.namespace else Selection(subject.resource)
