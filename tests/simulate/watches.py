"""Every watcher's history is gap-free and ordered, and every list is the state at its version.

A watch that began at version S and was last told of version L has been told of every change of its collection in
S < version <= L, once, in order, as what it is to its selectors. Whoever watches again begins where an earlier watch
of theirs has come, or where a list of theirs was; so nothing lies between. 410 leads to a list.

    watch pods from 57: ADDED a@58, MODIFIED a@61, BOOKMARK 70        etcd wrote pods at 58 and 61, and nowhere else
    watch pods from 70                                                 resumes: nothing is missing between
    list pods at 90: 3 items                                           etcd had 3 pods at 90

A watch from "any version" is judged from its first change or bookmark on: what comes before is the state to begin with.
A streaming list (sendInitialEvents) says by its first bookmark of which version that state is: it has to be just that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from cluster_engine.api import kinds
from cluster_engine.api.schema import Kind
from cluster_engine.api.selectors import parse_field, parse_label
from tests.simulate.story import Entry, History, Object, Violation, Write

GAPS = "watchers' histories are gap-free and ordered"
LISTS = "a list is the state at its version"
_KINDS = {(kind.group, kind.plural): kind for kind in kinds.BUILT_IN.stored}

Change = tuple[int, str, str]
"""resourceVersion, token, type."""


@dataclass(slots=True)
class Scope:
    """Which objects a list or watch is about, as its path says."""

    kind: Kind
    namespace: str
    labels: str
    fields: str

    @classmethod
    def of(cls, request: Entry) -> "Scope | None":
        """Read it from a request; None when it is about nothing stored."""
        fields = request["fields"]
        kind = _KINDS.get((fields.get("group", ""), fields.get("resource", "")))
        if kind is None or (fields.get("name") and fields["verb"] not in ("list", "watch")):
            return None
        return cls(
            kind,
            fields.get("namespace", ""),
            _parameter(request, "labelSelector"),
            _parameter(request, "fieldSelector"),
        )

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from other scopes."""
        return self.kind.resource_name, self.namespace, self.labels, self.fields

    def takes(self, obj: Object | None) -> bool:
        """Tell whether an object is in it."""
        if obj is None or (self.namespace and obj["metadata"].get("namespace") != self.namespace):
            return False
        labels, fields = parse_label(self.labels or None), parse_field(self.kind, self.fields or None)
        return labels.matches(obj["metadata"].get("labels")) and fields.matches(obj)

    def type_of(self, write: Write) -> str | None:
        """Say what a write is to a watcher of this scope."""
        before, now = self.takes(write.before), self.takes(write.now)
        if now:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def changes(self, history: History, since: int, until: int) -> list[Change]:
        """Give what a watcher has to be told."""
        writes = history.of(self.kind.plural, since, until)
        return [(write.revision, write.token, kind) for write in writes if (kind := self.type_of(write))]


@dataclass(slots=True)
class Stream:
    """A watch: who watches what from which version, and what they were told (events and bookmarks, in order)."""

    request: Entry
    scope: Scope
    since: int
    told: list[tuple[Change, Entry]] = field(default_factory=list)
    last: int = 0
    refused: bool = False
    initial: dict[str, int] | None = None
    """Of a streaming list that has not said all: versions by token."""

    @property
    def client(self) -> str:
        """Who watches. People's commands are each another client, told apart by their connection."""
        name: str = self.request["from"]
        return name if not name.startswith("workstation/") else f"{name} {self.request['connection']}"


def gaps(entries: list[Entry], history: History) -> Iterator[Violation]:
    """Judge every watch and every list."""
    reading = _Reading(history)
    for entry in entries:
        yield from reading.take(entry)
    for stream in reading.streams:
        yield from _missing(stream, history)


class _Reading:
    """Goes through the journal once: which watches there were, from where they began, and in what order they told."""

    def __init__(self, history: History) -> None:
        self.streams: list[Stream] = []
        self._history = history
        self._requests: dict[int, Entry] = {}
        self._open: dict[tuple[int, int | None], Stream] = {}
        self._reached: dict[tuple[str, tuple[str, ...]], dict[int, None]] = {}

    def take(self, entry: Entry) -> Iterator[Violation]:
        """Take the next entry."""
        kind = entry["kind"]
        if kind == "process.started":
            self._forget(entry["from"])
        elif kind == "http.request":
            self._requests[entry["seq"]] = entry
        elif kind == "http.response" and entry["fields"]["status"] == 200:
            request = self._requests.get(entry["replyTo"])
            if request is not None and entry["fields"]["verb"] == "watch":
                yield from self._begin(request)
            elif request is not None and entry["fields"]["verb"] == "list":
                yield from self._listed(request, entry)
        elif kind == "watch.event":
            stream = self._open.get((entry["connection"], entry["stream"]))
            if stream is not None:
                yield from self._told(stream, entry)

    def _forget(self, client: str) -> None:
        """A program that starts knows nothing."""
        for key in [key for key in self._reached if key[0] == client]:
            del self._reached[key]

    def _begin(self, request: Entry) -> Iterator[Violation]:
        scope = Scope.of(request)
        if scope is None:
            return
        stream = Stream(request, scope, int(_parameter(request, "resourceVersion") or 0))
        if _parameter(request, "sendInitialEvents") == "true":
            stream.initial, stream.since = {}, 0
        stream.last = stream.since
        self.streams.append(stream)
        self._open[request["connection"], request["stream"]] = stream
        reached = self._reached.get((stream.client, scope.key), {})
        if not request["from"].startswith("workstation/") and stream.since and stream.since not in reached:
            text = f"{stream.client} resumes {scope.kind.plural} from {stream.since}, where no watch or list of it was"
            yield Violation(GAPS, text, (request["seq"],))

    def _listed(self, request: Entry, answer: Entry) -> Iterator[Violation]:
        scope, fields = Scope.of(request), answer["fields"]
        if scope is None or "resourceVersion" not in fields:
            return
        version = int(fields["resourceVersion"])
        self._reached.setdefault((request["from"], scope.key), {})[version] = None
        if "items" not in fields or _parameter(request, "continue"):
            return
        true = sum(scope.takes(obj) for obj in self._history.state(scope.kind.plural, version).values())
        limit = int(_parameter(request, "limit") or 0) or true
        if fields["items"] != min(true, limit):
            text = f"{request['from']} got {fields['items']} {scope.kind.plural} at {version}, and there were {true}"
            yield Violation(LISTS, text, (request["seq"], answer["seq"]))

    def _told(self, stream: Stream, entry: Entry) -> Iterator[Violation]:
        fields = entry["fields"]
        if fields["type"] == "ERROR":
            stream.refused = True
            return
        version = int(fields.get("resourceVersion") or 0)
        bookmark = fields["type"] == "BOOKMARK"
        if stream.initial is not None:
            yield from self._begun(stream, stream.initial, entry, version)
            return
        if not stream.since:
            if fields["type"] == "ADDED":
                stream.last = max(stream.last, version)
                return
            stream.since = stream.last = max(stream.last, version)  # the state to begin with is over
        elif version < stream.last or (version == stream.last and not bookmark and not _together(stream, entry)):
            yield Violation(GAPS, f"{stream.client} was told of {version} after {stream.last}", (entry["seq"],))
        if not bookmark:
            token = f"{fields['resource']}/{fields.get('namespace', '')}/{fields['name']}"
            stream.told.append(((version, token, fields["type"]), entry))
        stream.last = max(stream.last, version)
        self._reached.setdefault((stream.client, stream.scope.key), {})[version] = None

    def _begun(self, stream: Stream, initial: dict[str, int], entry: Entry, version: int) -> Iterator[Violation]:
        """Take what a streaming list tells before it has told all."""
        fields = entry["fields"]
        token = f"{fields['resource']}/{fields.get('namespace', '')}/{fields.get('name', '')}"
        if fields["type"] == "DELETED":
            initial.pop(token, None)
        elif fields["type"] != "BOOKMARK":
            initial[token] = version
        else:
            true = _versions(stream.scope, self._history, version)
            if initial != true:
                wrong = sorted(set(initial.items()) ^ set(true.items()))[:3]
                text = (
                    f"{stream.client} was told other {stream.scope.kind.plural} than there were at {version}: {wrong}"
                )
                yield Violation(LISTS, text, (entry["seq"],))
            stream.initial, stream.since, stream.last = None, version, version
            self._reached.setdefault((stream.client, stream.scope.key), {})[version] = None


def _versions(scope: Scope, history: History, version: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for write in history.of(scope.kind.plural, until=version):
        if scope.takes(write.now):
            found[write.token] = write.revision
        else:
            found.pop(write.token, None)
    return found


def _together(stream: Stream, entry: Entry) -> bool:
    """Tell whether an event is of the same revision as the one before, and of another key: one transaction's."""
    if not stream.told:
        return False
    (version, token, _), _ = stream.told[-1]
    return version == stream.last and token.rpartition("/")[2] != entry["fields"]["name"]


def _missing(stream: Stream, history: History) -> Iterator[Violation]:
    """Compare what a watch told with what etcd wrote in between."""
    if not stream.since:
        return
    told = dict(stream.told)
    should = dict.fromkeys(stream.scope.changes(history, stream.since, stream.last))
    watch = f"(watch from {stream.since}, told to {stream.last})"
    for one in should:
        if one not in told:
            text = f"{stream.client} was never told {_change(one)} {watch}"
            yield Violation(GAPS, text, (stream.request["seq"],))
    for one, entry in told.items():
        if one not in should and one[0] > stream.since:
            yield Violation(GAPS, f"{stream.client} was told {_change(one)}, which never was", (entry["seq"],))


def _change(change: Change) -> str:
    return f"{change[2]} {change[1]} at {change[0]}"


def _parameter(request: Entry, name: str) -> str:
    return parse_qs(urlsplit(request["fields"]["path"]).query).get(name, [""])[0]
