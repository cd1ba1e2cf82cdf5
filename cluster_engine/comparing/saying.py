"""What an entry says: its strand, which of its kind it is, and the facts in which it may differ from another one.

    POST pods/web-1/binding, target worker-1
    -> strand  http.request, scheduler → kube-apiserver, verb create, resource pods, …, subresource binding
       facts   target: worker-1

A strand has what tells who speaks to whom of which object; facts are the other fields, leaf by leaf, but for those that
no two runs share.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cluster_engine.comparing.names import Names
from cluster_engine.journal import Entry

Facts = dict[str, Any]
Object = tuple[str, str, str]

STRAND = (
    *("method", "verb", "type", "event", "operation", "group", "resource", "namespace", "name", "generateName"),
    *("subresource", "selector", "key", "rangeEnd", "pod", "container", "image", "host", "lease", "stage"),
)
NEVER_SHARED = frozenset(
    # ids, keys, nonces, signatures, and dates around the real now
    {"id", "uid", "auditID", "sandboxId", "containerId", "watchId", "identity", "random", "sessionId", "serial"}
    | {"notBefore", "notAfter", "chain", "fingerprint", "signatureBytes", "ticketBytes", "ticket", "bytes"}
    # numbers of packets, streams, processes, versions, of Raft's log
    | {"sequence", "acknowledgement", "client", "server", "port", "lastStream", "pid", "resourceVersion", "revision"}
    | {"startRevision", "since", "index", "commit", "logTerm", "beats", "length"}
    # what repeats the other fields, or is a line of a log with its date
    | {"path", "prefix", "line", "trace", "text", "message"}
)
TOLD_ALONE = ("line", "text", "message", "path")
"""Of those, what counts where an entry has it and nothing else to say; the line of a command that starts always."""
LEAVES_MAX = 64


class Saying(NamedTuple):
    """What an entry says."""

    strand: tuple[str, ...]
    facts: Facts


def saying(entry: Entry, names: Names) -> Saying:
    """Return what an entry says; places of equal strands tell of the same thing in two runs."""
    fields = entry["fields"]
    strand = tuple(
        f"{name}={names.plain(value) if isinstance(value, str) else value}"
        for name in STRAND
        if (value := fields.get(name)) not in (None, "")
    )
    facts = dict(_facts(fields, names))
    if entry["kind"] == "command.started" and "line" in fields:
        facts["line"] = names.plain(fields["line"])
    elif not facts and len(strand) <= 1:
        facts = {one: names.plain(fields[one]) for one in TOLD_ALONE if isinstance(fields.get(one), str)}
    return Saying((entry["kind"], entry["from"], entry["to"] or "", *strand), facts)


def _facts(fields: dict[str, Any], names: Names) -> Iterator[tuple[str, Any]]:
    left = LEAVES_MAX
    for name, value in fields.items():
        if name in NEVER_SHARED or name in STRAND:
            continue
        for path, leaf in _leaves(name, value):
            if (left := left - 1) < 0:
                return
            yield path, names.plain(leaf) if isinstance(leaf, str) else leaf


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give the leaves of a document; a list of plain values is a leaf."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            if name not in NEVER_SHARED:
                yield from _leaves(f"{path}.{name}", part)
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value))
    else:
        yield path, value


def object_of(entry: Entry, names: Names) -> Object | None:
    """Return resource, namespace and name of the object that an entry is about, the name as it stands there."""
    fields = entry["fields"]
    if fields.get("resource") and (name := fields.get("name") or names.chosen.get(entry["seq"])):
        return fields["resource"], fields.get("namespace", ""), name
    if isinstance(pod := fields.get("pod"), str) and pod:
        namespace, _, name = pod.rpartition("/")
        return "pods", namespace or names.namespaces.get(name, ""), name
    return None
