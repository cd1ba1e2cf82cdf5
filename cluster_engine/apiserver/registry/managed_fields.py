"""`metadata.managedFields`: who has set which fields of an object, kept with every write.

Theory of operation. One entry for each manager, way of writing (Update or Apply), version and subresource. An update
takes what it changed or added: those paths leave all other entries and join its own; what it removed leaves every
entry; entries without paths are dropped. What the server itself fills in after the request was read (admission, the
strategy, a binding) is nobody's. Since only paths are kept, an update that changes values alone moves nothing but the
time of its entry.

    created by kubectl-create       Update  {f:spec: {f:replicas, …}}
    scaled by kubectl               Update  {f:spec: {…}}, and  kubectl  scale  {f:spec: {f:replicas}}

Clients may leave `managedFields` out of an update, which changes nothing, change them, or reset them by `[]` or `[{}]`.

Modelled on apimachinery/pkg/util/managedfields/internal (structuredmerge, managedfieldsupdater, capmanagers, stripmeta,
skipnonapplied) and structured-merge-diff/merge/update.go. Versions of a group are taken as equal.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cluster_engine.api.field_sets import FieldSet, difference, intersection, is_readable, ordered, union
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.structure import shape, zero
from cluster_engine.api.time import rfc3339

UPDATE, APPLY = "Update", "Apply"
UNOWNED = ("apiVersion", "kind")
UPDATE_MANAGERS_MAX = 10
OLD_UPDATES = "ancient-changes"
MANAGER_BYTES_MAX = 128
RESETS: tuple[list[Object], ...] = ([], [{}])
UNOWNED_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "managedFields",
)


class Writer(msgspec.Struct, frozen=True):
    """Who writes, how and when: what an entry says besides its fields."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    now: datetime

    def wrote(self, entry: Object) -> bool:
        """Return whether an entry is this writer's; one who applies has one for all versions."""
        return (
            entry.get("manager", "") == self.manager
            and entry["operation"] == self.operation
            and entry.get("subresource", "") == self.subresource
            and (self.operation == APPLY or entry.get("apiVersion", "") == self.api_version)
        )

    def entry(self, fields: FieldSet, time: str | None = None) -> Object:
        """Write an entry; its time is now unless given."""
        found = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": time or rfc3339(self.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": ordered(fields),
        }
        return found | {"subresource": self.subresource} if self.subresource else found


def manager_of(given: str, user_agent: str) -> str:
    """Return the manager's name: the one given, else the User-Agent up to its first slash."""
    if given:
        return given
    text = "".join(each for each in user_agent.partition("/")[0] if each.isprintable())
    return text.encode()[:MANAGER_BYTES_MAX].decode(errors="ignore")


def created(kind: Kind, new: Object, writer: Writer) -> list[Object]:
    """Return the entries of a new object: everything that differs from Go's empty object."""
    return written(kind, zero(kind.schema), new, _given(new), writer)


def updated(kind: Kind, old: Object, new: Object, writer: Writer) -> list[Object]:
    """Return the entries after an update; `new` is as the client wants it, before the server adds to it."""
    entries = list(old["metadata"].get("managedFields") or ())
    if not writer.subresource:
        given = new["metadata"].get("managedFields")
        if given in RESETS:
            entries = []
        elif given is not None and given != entries and is_valid(given):  # nearly always they come back as they were
            entries = given
    if not entries:
        return []  # who has none is not tracked
    return written(kind, old, new, entries, writer)


def _given(new: Object) -> list[Object]:
    given = new["metadata"].get("managedFields")
    return given if given and is_valid(given) else []


def written(kind: Kind, old: Object, new: Object, entries: Sequence[Object], writer: Writer) -> list[Object]:
    """Return the entries once somebody has made `new` of `old`."""
    changed, gone = differences(kind, old, new, parts(kind, writer.subresource))
    if not changed and not gone:
        return list(entries)
    kept = moved((each for each in entries if not writer.wrote(each)), changed, gone)
    own = next((each for each in entries if writer.wrote(each)), None)
    before: FieldSet = own["fieldsV1"] if own else {}
    fields = union(difference(before, gone) if gone else before, changed)
    if fields:
        kept.append(writer.entry(fields, None if changed or own is None else own.get("time")))
    return arranged(capped(kept, writer))


def parts(kind: Kind, subresource: str) -> tuple[str, ...]:
    """Name the fields at the top that a write is about: of a status, it; else all but the status."""
    if subresource == "status":
        return ("metadata", "status") if kind.status_carries else ("status",)
    names = (each.name for each in kind.schema.fields)
    return tuple(each for each in names if each not in UNOWNED and not (each == "status" and kind.has_status))


def differences(kind: Kind, old: Object, new: Object, names: Iterable[str]) -> tuple[FieldSet, FieldSet]:
    """Return the paths that came or changed and those that went, in some of an object's fields."""
    before, after = ({name: obj[name] for name in names if name in obj} for obj in (old, new))
    for obj in (before, after):
        if "metadata" in obj:
            metadata = obj["metadata"] or {}
            obj["metadata"] = {name: value for name, value in metadata.items() if name not in UNOWNED_METADATA}
    if before == after:
        return {}, {}
    changed, gone = shape(kind).compare(before, after)
    return changed or {}, gone or {}


def owned(fields: FieldSet, names: Iterable[str]) -> FieldSet:
    """Return those paths of a configuration that can be owned, in some of an object's fields."""
    found = {step: fields[step] for step in (f"f:{name}" for name in names) if step in fields}
    nobodys: FieldSet = {f"f:{name}": {} for name in UNOWNED_METADATA}
    return difference(found, {"f:metadata": {".": {}, **nobodys}})


def moved(entries: Iterable[Object], changed: FieldSet, gone: FieldSet) -> list[Object]:
    """Take away from entries what somebody else changed, and what went; drop those that have nothing left."""
    kept = []
    for entry in entries:
        fields = entry["fieldsV1"]
        left = difference(fields, taken) if (taken := intersection(fields, changed)) else fields
        if gone:
            left = difference(left, gone)
        if left:
            kept.append(entry if left == fields else {**entry, "fieldsV1": left})
    return kept


def capped(entries: list[Object], writer: Writer) -> list[Object]:
    """Merge the oldest updates into one entry, where there are more than ten."""
    updates = sorted((each for each in entries if each["operation"] == UPDATE), key=_age)
    over = len(updates) - UPDATE_MANAGERS_MAX
    if over <= 0:
        return entries
    oldest = updates[: over + 1]
    fields: FieldSet = {}
    for each in oldest:
        fields = union(fields, each["fieldsV1"])
    bucket = replace(writer, manager=OLD_UPDATES, operation=UPDATE, subresource="")
    merged = bucket.entry(fields, oldest[-1].get("time"))
    return [each for each in entries if each not in oldest] + [merged]


def _age(entry: Object) -> tuple[str, str]:
    return entry.get("time") or "", entry.get("manager", "")


def arranged(entries: list[Object]) -> list[Object]:
    """Put entries into their order: applied ones first, then by time."""
    return sorted(entries, key=lambda each: (each["operation"], *_age(each), each.get("subresource", "")))


def is_valid(entries: JSON) -> bool:
    """Return whether entries that a client sent can be read; those that cannot are as if they had not been sent."""
    return all(
        each.get("operation") in (UPDATE, APPLY)
        and each.get("fieldsType") == "FieldsV1"
        and each.get("apiVersion")
        and is_readable(each.get("fieldsV1"))
        for each in entries
    )
