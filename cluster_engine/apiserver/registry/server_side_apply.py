"""Server-side apply: an object is made as a configuration says, by who owns which fields.

Theory of operation. Who applies says all that they want and nothing else, each time. The configuration is laid over the
object, lists by their keys. Then three things follow from managedFields:

    a field that somebody else owns would change   conflict, unless forced: then they lose it
    a field has the value already                  both own it
    the applier owned a field and leaves it out    it goes, unless somebody else owns it too

    live  {replicas: 3 (kubectl-create), image: a (ci)}
    ci applies {image: b}            image: b                         replicas stay as they are
    hpa applies {replicas: 5}        409 conflict with "kubectl-create" using apps/v1: .spec.replicas
    hpa applies it with force        replicas: 5, hpa's alone

Objects that nobody has applied and that have no managedFields get an owner for all of their fields first. kubectl may
take over what its own client-side apply has set, as the annotation says, and keeps that annotation up to date.

Modelled on structured-merge-diff/merge/update.go and apimachinery/pkg/util/managedfields/internal (structuredmerge,
lastappliedmanager, lastappliedupdater, conflict).
"""

import json
from collections.abc import Sequence

from msgspec.structs import replace

from cluster_engine.api import typed
from cluster_engine.api.documents import Unreadable, read_json
from cluster_engine.api.field_sets import FieldSet, difference, intersection, paths, union
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Cause, Refusal
from cluster_engine.api.structure import Struct, shape, zero
from cluster_engine.apiserver.registry import managed_fields
from cluster_engine.apiserver.registry.managed_fields import UPDATE, Writer

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def check(kind: Kind, config: Object) -> None:
    """Refuse what cannot be applied to objects of a kind: 400, or 500 in the merger's words."""
    version, name = (said if isinstance(said := config.get(key), str) else "" for key in ("apiVersion", "kind"))
    group_version = version if "/" in version else f"/{version}"
    if (version, name) != (kind.api_version, kind.name):
        raise BadRequest(f"invalid object type: {group_version}, Kind={name}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    found = typed.problems(kind, config)
    if found:
        metadata = metadata if isinstance(metadata, dict) else {}
        what = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {group_version}, Kind={name}"
        why = found[0] if len(found) == 1 else "\n  ".join(["errors:", *found])
        raise Refusal(f"failed to create typed patch object ({what}): {why}", code=500)


def applied(kind: Kind, live: Object | None, config: Object, writer: Writer, *, force: bool) -> Object:
    """Return the object as the configuration wants it, with managedFields, before defaults. 409 for conflicts."""
    form = shape(kind)
    names = managed_fields.parts(kind, writer.subresource)
    fields = form.fields(config) or {}
    entries = _entries(kind, live, writer)
    own = next((each for each in entries if writer.wrote(each)), None)
    others = [each for each in entries if not writer.wrote(each)]
    old = _without_entries(live) if live else {"kind": kind.name, "apiVersion": kind.api_version}
    new = form.merge(old, {name: value for name, value in config.items() if name in names})
    if own is not None:
        new = _pruned(form, new, own["fieldsV1"], [fields, *(each["fieldsV1"] for each in others)])
    before = old if live else zero(kind.schema)
    changed, gone = managed_fields.differences(kind, before, new, names)
    if not force:
        _check_conflicts(kind, live, others, changed, writer)
    kept = managed_fields.moved(others, changed, gone)
    owned = managed_fields.owned(fields, names)
    if owned:
        kept.append(writer.entry(owned, (own or {}).get("time") if live and new == old else None))
    _note_for_kubectl(live, new, config, writer)
    entries = managed_fields.arranged(managed_fields.capped(kept, writer))
    return {**new, "metadata": {**(new.get("metadata") or {}), "managedFields": entries}}


def _entries(kind: Kind, live: Object | None, writer: Writer) -> list[Object]:
    if live is None:
        return []
    entries: list[Object] = live["metadata"].get("managedFields") or []
    if entries:
        return entries
    first = replace(writer, manager=BEFORE_FIRST_APPLY, operation=UPDATE, subresource="")
    return managed_fields.written(kind, zero(kind.schema), live, [], first)


def _without_entries(obj: Object) -> Object:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": metadata}


def _pruned(form: Struct, merged: Object, last: FieldSet, owned: Sequence[FieldSet]) -> Object:
    """Remove what the applier owned and nobody owns now.

    What they owned is taken away with all on the way to it; then what is owned is put back, and at last whatever lay
    there and never was theirs.
    """
    last = form.named(last)
    everything = _named_fields(form, merged)
    kept = _named_fields(form, form.without(merged, last) or {})
    for each in owned:
        kept = union(kept, form.named(each))
    kept = _named_fields(form, form.without(merged, difference(everything, kept)) or {})
    pruned: Object = form.without(merged, intersection(difference(everything, kept), last)) or {}
    return pruned


def _named_fields(form: Struct, obj: Object) -> FieldSet:
    return form.named(form.fields(obj) or {})


# -- conflicts ---------------------------------------------------------------------------------------------------------


def _check_conflicts(
    kind: Kind, live: Object | None, others: Sequence[Object], changed: FieldSet, writer: Writer
) -> None:
    found = [(each, taken) for each in others if (taken := intersection(each["fieldsV1"], changed))]
    if not found or live is None:
        return
    if writer.manager == KUBECTL:
        mine = _last_applied(kind, live)
        found = [(each, rest) for each, taken in found if (rest := difference(taken, mine))]
    if found:
        raise _conflict(sorted(found, key=lambda pair: _identity(pair[0])))


def _last_applied(kind: Kind, live: Object) -> FieldSet:
    """Return what the annotation says that kubectl has set, as far as it is still so."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "")
    try:
        config = read_json(text.encode())
    except Unreadable:
        return {}
    if not isinstance(config, dict) or config.get("apiVersion") != kind.api_version or typed.problems(kind, config):
        return {}
    form = shape(kind)
    changed, gone = form.compare(config, live) if config != live else ({}, {})
    return difference(difference(form.fields(config) or {}, changed or {}), gone or {})


def _identity(entry: Object) -> str:
    """Return what managers are sorted by: their entries' JSON, without what changes."""
    names = ("manager", "operation", "apiVersion", "subresource")
    return json.dumps({name: entry[name] for name in names if name in entry})


def _conflict(found: Sequence[tuple[Object, FieldSet]]) -> Refusal:
    causes = [
        Cause(path, "FieldManagerConflict", f"conflict with {_manager(entry)}")
        for entry, fields in found
        for path in paths(fields)
    ]
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}"
    else:
        lines = []
        for entry, fields in found:
            lines += [f"conflicts with {_manager(entry)}:", *(f"- {path}" for path in paths(fields))]
        text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    details = {"causes": [cause.to_dict() for cause in causes]}
    return Refusal(text, code=409, reason="Conflict", details=details)


def _manager(entry: Object) -> str:
    name = json.dumps(entry.get("manager", ""), ensure_ascii=False)
    if entry.get("subresource"):
        name += f' with subresource "{entry["subresource"]}"'
    return f"{name} using {entry['apiVersion']}" if entry["operation"] == UPDATE else name


# -- kubectl's annotation ----------------------------------------------------------------------------------------------


def _note_for_kubectl(live: Object | None, new: Object, config: Object, writer: Writer) -> None:
    """Keep the annotation of client-side apply up to date, where there is one and kubectl applies."""
    if live is None or writer.manager != KUBECTL or LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        return
    given = dict(config.get("metadata") or {})
    if given.get("annotations"):
        given["annotations"] = {name: each for name, each in given["annotations"].items() if name != LAST_APPLIED}
    text = json.dumps({**config, "metadata": given}, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    metadata = new.get("metadata") or {}
    new["metadata"] = {**metadata, "annotations": {**(metadata.get("annotations") or {}), LAST_APPLIED: text}}
