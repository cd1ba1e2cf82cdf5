"""etcd's gRPC messages as facts: keys as names, revisions as what they mean to Kubernetes.

    /etcdserverpb.KV/Txn   compare mod_revision(key) = 0, then put   -> "Txn create deployments/default/web"
    WatchResponse          events [PUT …]                            -> one entry an event, told by `event`

An API server writes by transactions that succeed only if nobody wrote in between (`mod_revision` unchanged, or 0 for
what must not exist yet). It tries an update again when that fails, and answers a create with 409. Left out: nested
transactions, and what alarms and members say (they are shown by name).
"""

from typing import Any

from cluster_engine.lens.calls import Meaning
from cluster_engine.lens.causes import Tokens
from cluster_engine.lens.kubernetes import REGISTRY_PREFIX, registry_token

PACKAGE = "/etcdserverpb."
HOUSEKEEPING_KEYS = ("/registry/masterleases/", "compact_rev_key", "/registry/health")
HOUSEKEEPING_METHODS = frozenset({"LeaseKeepAlive", "Compact", "Status", "MemberList", "Alarm", "Defragment"})
LEASES = "/registry/leases/"
DELETED = 1


def request(method: str, message: Any) -> Meaning:
    """Describe what a client of etcd asks."""
    if method == "Range":
        return _range(message)
    if method == "Txn":
        return _txn(message)
    if method == "Put":
        return _write("put", message.key)
    if method == "DeleteRange":
        return _write("delete", message.key)
    if method == "Watch":
        return _watch(message)
    fields: dict[str, Any] = {}
    if method == "LeaseGrant":
        return Meaning(method, {"ttlSeconds": message.TTL}, tokens=LEASED)
    if method == "Compact":
        fields["revision"] = message.revision
    return Meaning(method, fields, heartbeat=True if method in HOUSEKEEPING_METHODS else None)


def response(method: str, message: Any, asked: Meaning) -> Meaning:
    """Describe what etcd answers."""
    revision = message.header.revision
    fields: dict[str, Any] = {"revision": revision, **{key: asked.fields[key] for key in KEYS if key in asked.fields}}
    if method == "Range":
        fields["count"] = message.count
        keys = f"{len(message.kvs)} key" + ("" if len(message.kvs) == 1 else "s")
        return Meaning(keys, fields)
    if method == "Txn":
        fields["succeeded"] = message.succeeded
        return Meaning(f"revision {revision}" if message.succeeded else "condition failed", fields)
    if method == "Watch":
        return _watch_response(message, fields)
    if method == "Snapshot":
        fields["bytes"] = len(message.blob)
        return Meaning(f"{len(message.blob)} bytes of the database, {message.remaining_bytes} to come", fields)
    return Meaning(f"{method} done", fields)


def made_revision(message: Any) -> int:
    """Return the revision that a successful write's response speaks of, 0 when nothing was written."""
    return message.header.revision if getattr(message, "succeeded", True) else 0


def event(change: Any) -> Meaning:
    """Describe one event of a watch response."""
    pair = change.kv
    key = pair.key.decode("utf-8", "replace")
    token = registry_token(key)
    kind = "DELETE" if change.type == DELETED else "PUT"
    fields = {"type": kind, "key": key, "revision": pair.mod_revision, **subject(token)}
    if kind == "PUT" and pair.create_revision == pair.mod_revision:
        fields["created"] = True
    return Meaning(
        f"{kind} {short(key)}",
        fields,
        tokens=(token,) if token else (),
        heartbeat=True if key.startswith(HOUSEKEEPING_KEYS) else None,
    )


def short(key: str) -> str:
    """Leave out what all keys of Kubernetes have in common."""
    return key.removeprefix(REGISTRY_PREFIX)


def subject(token: str) -> dict[str, str]:
    """Say resource, namespace and name of a token."""
    resource, _, rest = token.partition("/")
    namespace, _, name = rest.partition("/")
    parts = (("resource", resource), ("namespace", namespace), ("name", name))
    return {key: value for key, value in parts if value}


LEASED = ("events/",)
"""What an API server asks leases for."""
KEYS = ("key", "rangeEnd", "operation", "resource", "namespace", "name")


def _range(message: Any) -> Meaning:
    key = message.key.decode("utf-8", "replace")
    if message.range_end:
        end = message.range_end.decode("utf-8", "replace")
        fields, tokens = _key_fields(key)
        fields["rangeEnd"] = end
        if key.endswith("/"):
            fields["prefix"] = key
        return Meaning(f"Range {short(key)}", fields, tokens, heartbeat=_housekeeping(key))
    fields, tokens = _key_fields(key)
    return Meaning(f"Range {short(key)}", fields, tokens, heartbeat=_housekeeping(key))


def _txn(message: Any) -> Meaning:
    for operation in message.success:
        which = operation.WhichOneof("request")
        if which == "request_put":
            key = operation.request_put.key
            fresh = any(_must_not_exist(compare) for compare in message.compare)
            return _write("create" if fresh else "update", key, "Txn")
        if which == "request_delete_range":
            return _write("delete", operation.request_delete_range.key, "Txn")
    key = next((compare.key for compare in message.compare), b"").decode("utf-8", "replace")
    fields, tokens = _key_fields(key)
    return Meaning(f"Txn {short(key)}".rstrip(), fields, tokens, heartbeat=_housekeeping(key))


def _must_not_exist(compare: Any) -> bool:
    which = compare.WhichOneof("target_union")
    return which in (None, "mod_revision", "create_revision", "version") and not getattr(compare, which or "version")


def _write(operation: str, raw: bytes, call: str = "") -> Meaning:
    key = raw.decode("utf-8", "replace")
    fields, tokens = _key_fields(key)
    fields["operation"] = operation
    label = f"{call} {operation} {short(key)}".lstrip()
    renews = operation == "update" and key.startswith(LEASES)
    return Meaning(label, fields, tokens, heartbeat=_housekeeping(key), writes=True, renews=renews)


def _watch(message: Any) -> Meaning:
    which = message.WhichOneof("request_union")
    if which == "create_request":
        create = message.create_request
        key = create.key.decode("utf-8", "replace")
        fields, tokens = _key_fields(key)
        if create.range_end:
            fields["rangeEnd"] = create.range_end.decode("utf-8", "replace")
        if create.start_revision:
            fields["startRevision"] = create.start_revision
        return Meaning(f"Watch {short(key)}", fields, tokens)
    if which == "cancel_request":
        watch_id = message.cancel_request.watch_id
        return Meaning(f"Watch cancel {watch_id}", {"watchId": watch_id})
    return Meaning("Watch progress", heartbeat=True)


def _watch_response(message: Any, fields: dict[str, Any]) -> Meaning:
    fields["watchId"] = message.watch_id
    if message.canceled:
        why = message.cancel_reason or ("compacted" if message.compact_revision else "")
        fields["compactRevision"], fields["reason"] = message.compact_revision, why
        return Meaning(f"watch {message.watch_id} canceled", fields)
    if message.created:
        return Meaning(f"watch {message.watch_id} created", fields)
    return Meaning(f"progress, revision {fields['revision']}", fields, heartbeat=True)


def _key_fields(key: str) -> tuple[dict[str, Any], Tokens]:
    token = registry_token(key)
    return {"key": key, **subject(token)}, (token,) if token else ()


def _housekeeping(key: str) -> bool | None:
    return True if key.startswith(HOUSEKEEPING_KEYS) else None
