"""etcd's gRPC messages in words: keys as names, revisions as what they mean to Kubernetes.

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
        return _write("put", "to store", message.key)
    if method == "DeleteRange":
        return _write("delete", "to delete", message.key)
    if method == "Watch":
        return _watch(message)
    fields: dict[str, Any] = {}
    said = f"for {method}"
    if method == "LeaseGrant":
        said = f"for a lease of {message.TTL} seconds"
        return Meaning(method, said, {"ttlSeconds": message.TTL}, tokens=LEASED)
    if method == "Compact":
        fields["revision"] = message.revision
        said = f"to forget what was superseded at or before revision {message.revision}"
    elif method == "LeaseKeepAlive":
        said = "to keep a lease alive"
    return Meaning(method, said, fields, heartbeat=True if method in HOUSEKEEPING_METHODS else None)


def response(method: str, message: Any, asked: Meaning) -> Meaning:
    """Describe what etcd answers."""
    revision = message.header.revision
    fields: dict[str, Any] = {"revision": revision, **{key: asked.fields[key] for key in KEYS if key in asked.fields}}
    if method == "Range":
        fields["count"] = message.count
        keys = f"{len(message.kvs)} key" + ("" if len(message.kvs) == 1 else "s")
        return Meaning(keys, f"{keys}, as of revision {revision}", fields)
    if method == "Txn":
        fields["succeeded"] = message.succeeded
        if message.succeeded:
            return Meaning(f"revision {revision}", f"done, and this is revision {revision}", fields)
        return Meaning("condition failed", f"not done, the condition does not hold at revision {revision}", fields)
    if method == "Watch":
        return _watch_response(message, fields)
    return Meaning(f"{method} done", f"done, at revision {revision}", fields)


def made_revision(message: Any) -> int:
    """Give the revision that a successful write's response speaks of, 0 when nothing was written."""
    return message.header.revision if getattr(message, "succeeded", True) else 0


def event(change: Any) -> Meaning:
    """Describe one event of a watch response."""
    pair = change.kv
    key = pair.key.decode("utf-8", "replace")
    token = registry_token(key)
    kind = "DELETE" if change.type == DELETED else "PUT"
    if change.type == DELETED:
        happened = "was deleted"
    else:
        happened = "was created" if pair.create_revision == pair.mod_revision else "was changed"
    fields = {"type": kind, "key": key, "revision": pair.mod_revision, **subject(token)}
    return Meaning(
        f"{kind} {short(key)}",
        f"{key} {happened} at revision {pair.mod_revision}",
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
        said = f"for all keys under {key}" if key.endswith("/") else f"for the keys from {key} to {end}"
        return Meaning(f"Range {short(key)}", said, fields, tokens, heartbeat=_housekeeping(key))
    fields, tokens = _key_fields(key)
    return Meaning(f"Range {short(key)}", f"for {key}", fields, tokens, heartbeat=_housekeeping(key))


def _txn(message: Any) -> Meaning:
    for operation in message.success:
        which = operation.WhichOneof("request")
        if which == "request_put":
            key = operation.request_put.key
            fresh = any(_must_not_exist(compare) for compare in message.compare)
            if fresh:
                return _write("create", "to store, if it is not there yet,", key, "Txn")
            return _write("update", "to store, if nobody has changed it since,", key, "Txn")
        if which == "request_delete_range":
            return _write(
                "delete", "to delete, if nobody has changed it since,", operation.request_delete_range.key, "Txn"
            )
    key = next((compare.key for compare in message.compare), b"").decode("utf-8", "replace")
    fields, tokens = _key_fields(key)
    return Meaning(f"Txn {short(key)}".rstrip(), f"about {key}", fields, tokens, heartbeat=_housekeeping(key))


def _must_not_exist(compare: Any) -> bool:
    which = compare.WhichOneof("target_union")
    return which in (None, "mod_revision", "create_revision", "version") and not getattr(compare, which or "version")


def _write(operation: str, said: str, raw: bytes, call: str = "") -> Meaning:
    key = raw.decode("utf-8", "replace")
    fields, tokens = _key_fields(key)
    fields["operation"] = operation
    label = f"{call} {operation} {short(key)}".lstrip()
    renews = operation == "update" and key.startswith(LEASES)
    return Meaning(label, f"{said} {key}", fields, tokens, heartbeat=_housekeeping(key), writes=True, renews=renews)


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
        since = f" from revision {create.start_revision} on" if create.start_revision else ""
        return Meaning(f"Watch {short(key)}", f"to watch {key}{since}", fields, tokens)
    if which == "cancel_request":
        watch_id = message.cancel_request.watch_id
        return Meaning(f"Watch cancel {watch_id}", f"to end watch {watch_id}", {"watchId": watch_id})
    return Meaning("Watch progress", "how far its watches have come", {}, heartbeat=True)


def _watch_response(message: Any, fields: dict[str, Any]) -> Meaning:
    fields["watchId"] = message.watch_id
    if message.canceled:
        why = message.cancel_reason or ("compacted" if message.compact_revision else "")
        fields["compactRevision"], fields["reason"] = message.compact_revision, why
        return Meaning(f"watch {message.watch_id} canceled", f"watch {message.watch_id} is over: {why}", fields)
    if message.created:
        return Meaning(f"watch {message.watch_id} created", f"watch {message.watch_id} begins", fields)
    revision = fields["revision"]
    said = f"nothing new up to revision {revision}"
    return Meaning(f"progress, revision {revision}", said, fields, heartbeat=True)


def _key_fields(key: str) -> tuple[dict[str, Any], Tokens]:
    token = registry_token(key)
    return {"key": key, **subject(token)}, (token,) if token else ()


def _housekeeping(key: str) -> bool | None:
    return True if key.startswith(HOUSEKEEPING_KEYS) else None
