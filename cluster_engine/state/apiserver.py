"""What an API server has said of objects: where etcd cannot be heard, as in a capture of clients or in an audit log.

Theory of operation. An API server's answers carry what etcd holds: objects, each with its resourceVersion, which is the
revision of its key. So an answer, an item of a list and a watch event tell of a write that was done by then, and of two
versions the higher counts: a list out of an old cache changes nothing. A list of all also says what is not there.

Nothing is guessed. After a write whose answer does not show the object (level Metadata of an audit log, a Table, a body
that was cut) it is known by name, and what it says is not, until somebody is told again. What level Request shows is
what was asked for, not what was stored; it is shown, and said to be that (`asked`).

    http.response  201 Deployment web, version 57       stands at 57
    watch.event    MODIFIED web-1, version 61           stands at 61
    audit.event    patch pods/web-1: 200, no object     written; what it says is not known

A deletion that is answered by an object that waits for something (a grace period, finalizers) is a write; one without
an answer that can be read counts as done. To a watch with a selector DELETED may mean that it selects the object no
longer: whether it is there, and how, is not known then; its name stays. Left out: deletions of collections whose answer
is not shown, lists in pages as word of what is not there, two clusters in one capture.
"""

from typing import Any, NamedTuple

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.journal import Entry
from cluster_engine.lens.kubernetes import Asked, parse
from cluster_engine.state.etcd import AS_ASKED, CREATED, DELETED, NOT_SHOWN, UPDATED, Keys, place_of, stands, told_in
from cluster_engine.state.keys import Resource, Subject, key_of, number_of
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Point

OF_ITSELF = ("", "status", "finalize", "approval", "ephemeralcontainers", "resize")
"""Subresources that are answered by the object itself."""
BESIDE = ("binding", "eviction", "scale")
"""Subresources by which it is written, and which are answered by something else."""
READS, WRITES = ("get", "list"), ("create", "update", "patch", "delete", "deletecollection")
PARTIAL = ("PartialObjectMetadata", "Table")
COMPLETE = "ResponseComplete"


class Answer(NamedTuple):
    """What was asked of an API server, and what it has answered; `document` is None where that is not known."""

    asked: Asked
    verb: str
    status: int
    document: Any
    user: str = ""
    is_asked: bool = False
    """Whether the document is what was asked for."""
    options: Any = None
    """The body of the request, of a deletion."""


class _Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class _Status(msgspec.Struct):
    code: int = 0


class _User(msgspec.Struct):
    username: str = ""


class _Event(msgspec.Struct, rename="camel"):
    verb: str = ""
    request_uri: str = msgspec.field(name="requestURI", default="")
    user: _User = msgspec.field(default_factory=_User)
    impersonated_user: _User | None = None
    object_ref: _Reference | None = None
    response_status: _Status | None = None
    request_object: msgspec.Raw = msgspec.Raw()
    response_object: msgspec.Raw = msgspec.Raw()


_event = msgspec.json.Decoder(_Event).decode


class Said:
    """Notes in `keys` what API servers say, and which answers tell who had a version of a key written."""

    def __init__(self, reader: Reader, keys: Keys) -> None:
        self._writers: dict[tuple[str, int], int] = {}
        self._reader = reader
        self._keys = keys

    def take(self, entry: Entry) -> None:
        """Read one entry more."""
        if entry["kind"] == "watch.event":
            self._event(entry)
        elif (answer := answer_of(self._reader, entry)) is not None and 200 <= answer.status < 300:
            self._answer(entry["seq"], answer)

    def writer(self, key: str, point: Point) -> int | None:
        """Return the entry that answers who had this written; None where nobody is known."""
        entry = self._reader.entry(place_of(point.told)[0])
        is_answer = entry is not None and entry["fields"].get("verb") in WRITES
        return place_of(point.told)[0] if is_answer else self._writers.get((key, point.number))

    def forget(self, first: int) -> None:
        """Forget who had written what before entry `first`."""
        self._writers = {one: seq for one, seq in self._writers.items() if seq >= first}

    def _answer(self, seq: int, answer: Answer) -> None:
        asked, verb = answer.asked, answer.verb
        if not asked.resource or asked.parameter("dryRun"):
            return
        if asked.subresource in BESIDE:
            if verb in WRITES and asked.name:
                self._written(seq, _subject(asked, {}), UPDATED)
        elif asked.subresource in OF_ITSELF and verb in READS + WRITES:
            objects = objects_in(answer.document)
            for index, obj in enumerate(objects):
                self._object(seq, index, answer, obj)
            if verb in WRITES and not objects and asked.name:
                self._written(seq, _subject(asked, {}), DELETED if verb == "delete" else UPDATED)
            if verb == "list":
                self._absent(seq, answer, objects)

    def _object(self, seq: int, index: int, answer: Answer, obj: Object) -> None:
        subject, version = _subject(answer.asked, obj), version_of(obj)
        if not subject.name:
            return
        verb = UPDATED
        if answer.verb.startswith("delete"):
            verb = UPDATED if _waits(obj, answer.options) else DELETED
        elif answer.verb == "create" or answer.status == 201:
            verb = CREATED
        key = key_of(subject)
        if answer.verb in WRITES:
            self._writers[key, version] = seq
        told = told_in(seq, AS_ASKED if answer.is_asked else NOT_SHOWN if obj.get("kind") in PARTIAL else index, verb)
        if answer.is_asked or verb == DELETED or not version:
            self._keys.written(seq, key, told, subject)
        else:
            self._keys.stands(seq, key, told, version, subject)

    def _written(self, seq: int, subject: Subject, verb: int) -> None:
        """Note a write of which only the name of the object is known; the place tells of none."""
        key = key_of(subject)
        self._keys.written(seq, key, told_in(seq, NOT_SHOWN, verb), subject)

    def _absent(self, seq: int, answer: Answer, objects: list[Object]) -> None:
        """Note that what a list of everything does not have is not there."""
        document, asked = answer.document, answer.asked
        metadata = document.get("metadata") if isinstance(document, dict) else None
        if asked.selector or asked.parameter("continue") or not isinstance(metadata, dict) or metadata.get("continue"):
            return
        version = number_of(metadata.get("resourceVersion"))
        listed = {_subject(asked, obj) for obj in objects}
        for key, subject in self._keys.of.get(Resource(asked.resource, asked.group), {}).items():
            last = self._keys.timelines[key].last
            if subject in listed or asked.namespace not in ("", subject.namespace) or last is None:
                continue
            if stands(last) and 0 < last.number < version:
                self._keys.stands(seq, key, told_in(seq, NOT_SHOWN, DELETED), version)

    def _event(self, entry: Entry) -> None:
        fields = entry["fields"]
        if fields["type"] not in ("ADDED", "MODIFIED", "DELETED"):
            return
        request = self._reader.entry(entry["cause"])
        for index, obj in enumerate(objects_in(_of_watch(self._reader, entry["seq"]))):
            version = version_of(obj)
            asked = Asked("GET", "", "watch", _group_of(obj, request, fields), "", fields["resource"])
            subject = _subject(asked, obj)
            if not subject.name or not version:
                continue
            key, verb = key_of(subject), _verb_of(fields, request)
            is_hidden = obj.get("kind") in PARTIAL or (fields["type"] == "DELETED" and verb != DELETED)
            if verb != DELETED or not self._keys.is_gone(key):
                told = told_in(entry["seq"], NOT_SHOWN if is_hidden else index, verb)
                self._keys.stands(entry["seq"], key, told, version, subject)


def _verb_of(fields: Entry, request: Entry | None) -> int:
    """Say what a watch event tells of: what was there when the watch began is no news."""
    if fields["type"] == "DELETED":
        return UPDATED if fields.get("selector") else DELETED
    is_new = request is not None and request["fields"].get("since") and not fields.get("selector")
    return CREATED if fields["type"] == "ADDED" and is_new else UPDATED


def answer_of(reader: Reader, entry: Entry) -> Answer | None:
    """Read an answer of an API server out of an entry, None where it holds none."""
    fields = entry["fields"]
    if entry["kind"] == "audit.event" and fields.get("stage") == COMPLETE:
        return reader.read_as(entry["seq"], _of_audit)  # type: ignore[no-any-return]
    request = reader.entry(entry["replyTo"]) if entry["kind"] == "http.response" and fields.get("resource") else None
    if request is None or request["kind"] != "http.request":
        return None
    asked = parse(request["fields"]["method"], request["fields"]["path"])
    verb = fields.get("verb", "")
    options = reader.json(request["seq"]) if verb.startswith("delete") else None
    return Answer(asked, verb, fields["status"], reader.json(entry["seq"]), options=options)


def _of_audit(body_type: str, body: bytes) -> Answer | None:
    del body_type
    try:
        event = _event(body)
        about = event.object_ref
        if about is None:
            return None
        path = parse("GET", event.request_uri)
        names = (about.resource, about.namespace, about.name, about.subresource)
        asked = Asked("GET", path.path, event.verb, about.api_group, path.version, *names, path.query)
        status = event.response_status.code if event.response_status is not None else 0
        user = (event.impersonated_user or event.user).username
        sent = msgspec.json.decode(event.request_object) if event.request_object else None
        if event.response_object:
            return Answer(asked, event.verb, status, msgspec.json.decode(event.response_object), user, options=sent)
        if event.verb not in ("create", "update"):
            return Answer(asked, event.verb, status, None, user)
        return Answer(asked, event.verb, status, sent, user, is_asked=sent is not None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _of_watch(reader: Reader, seq: int) -> Any:
    event = reader.json(seq)
    return event.get("object") if isinstance(event, dict) else None


def object_told(reader: Reader, told: int) -> Object | None:
    """Return the object at a place, None where that tells of none, or only of its name."""
    seq, index, _ = place_of(told)
    entry = reader.entry(seq) if told >= 0 and index != NOT_SHOWN else None
    if entry is None:
        return None
    answer = None if entry["kind"] == "watch.event" else answer_of(reader, entry)
    objects = objects_in(_of_watch(reader, seq) if answer is None else answer.document)
    if index == AS_ASKED:
        index = 0
    return objects[index] if index < len(objects) else None


def objects_in(document: Any) -> list[Object]:
    """Return the objects that a document is, or lists; of a Table, what it says of each."""
    if not isinstance(document, dict) or document.get("kind") == "Status":
        return []
    kind = document.get("kind")
    if kind == "Table":
        rows = document.get("rows")
        found = [row.get("object") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return [{**one, "kind": kind} for one in found if one is not None and is_shaped(one)]
    items = document.get("items")
    if not isinstance(items, list):
        return [document] if is_shaped(document) else []
    of = {"kind": str(kind).removesuffix("List"), "apiVersion": document.get("apiVersion")}
    return [{**of, **one} for one in items[:NOT_SHOWN] if is_shaped(one)]


def is_shaped(obj: Any) -> bool:
    """Whether something has the form that all objects have."""
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        return False
    return all(isinstance(obj.get(part), dict | None) for part in ("spec", "status"))


def version_of(obj: Object) -> int:
    """Return an object's version, 0 where it says none."""
    return number_of(obj["metadata"].get("resourceVersion"))


def _subject(asked: Asked, obj: Object) -> Subject:
    metadata = obj.get("metadata", {})
    names = (metadata.get("namespace") or asked.namespace, metadata.get("name") or asked.name)
    namespace, name = (one if isinstance(one, str) else "" for one in names)
    return Subject(Resource(asked.resource, asked.group), namespace if asked.resource != "namespaces" else "", name)


def _group_of(obj: Object, request: Entry | None, fields: Entry) -> str:
    """Say to which group what is watched belongs: as the request has it, else as the object calls itself."""
    if request is not None and request["kind"] == "http.request":
        return str(request["fields"].get("group", ""))
    return str(obj.get("apiVersion", "")).rpartition("/")[0]


def _waits(obj: Object, options: Any) -> bool:
    """Whether an object that was deleted is still there: for its grace period, or for whoever has a finalizer."""
    metadata = obj["metadata"]
    at_once = isinstance(options, dict) and options.get("gracePeriodSeconds") == 0
    return bool(metadata.get("finalizers") or (metadata.get("deletionGracePeriodSeconds") and not at_once))


def user_in(reader: Reader, entry: Entry) -> str:
    """Return the user whom an audit log's entry names, "" where it names none."""
    answer = answer_of(reader, entry)
    return answer.user if answer is not None else ""
