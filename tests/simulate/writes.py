"""No acknowledged write is lost: what a client was told is done is in etcd's history, and not undone behind its back.

    201 Created, resourceVersion 57        etcd wrote that key at revision 57
    200 OK to a DELETE                     the key went, or was marked, while the request was under way
    at the end                             the key is there at 57 or later, unless it was deleted at 57 or later

A write may delete: the one that takes the last finalizer from an object that waits for it. Left out: deletions of whole
collections, and what is not stored (reviews, tokens, dry runs).
"""

from collections.abc import Iterator

from cluster_engine.api import kinds
from tests.simulate.story import Entry, History, Violation, Write

LOST = "no acknowledged write is lost"
STORED = frozenset(kind.plural for kind in kinds.BUILT_IN.stored)
WRITES = frozenset({"create", "update", "patch", "delete"})


def lost_writes(entries: list[Entry], history: History, stored: dict[str, int]) -> Iterator[Violation]:
    """Judge every answer to a write."""
    requests: dict[int, Entry] = {}
    acknowledged: dict[str, tuple[int, int]] = {}
    for entry in entries:
        if entry["kind"] == "http.request":
            requests[entry["seq"]] = entry
        elif entry["kind"] == "http.response" and _acknowledges(entry, requests.get(entry["replyTo"])):
            token, revision = _token(entry), int(entry["fields"].get("resourceVersion") or 0)
            if entry["fields"]["verb"] == "delete":
                yield from _deleted(entry, requests[entry["replyTo"]], history.about(token))
            elif revision:
                if not any(write.revision == revision for write in history.about(token)):
                    yield Violation(
                        LOST, f"{token} was acknowledged at {revision}, which etcd never wrote", _seqs(entry)
                    )
                acknowledged[token] = max(acknowledged.get(token, (0, 0)), (revision, entry["seq"]))
    yield from _gone(acknowledged, history, stored)


def _gone(acknowledged: dict[str, tuple[int, int]], history: History, stored: dict[str, int]) -> Iterator[Violation]:
    for token, (revision, seq) in acknowledged.items():
        last = history.about(token)[-1:]
        if stored.get(token, 0) >= revision or (last and last[0].now is None and last[0].revision >= revision):
            continue
        yield Violation(LOST, f"{token} was acknowledged at {revision}, and the end has {stored.get(token)}", (seq,))


def _acknowledges(answer: Entry, request: Entry | None) -> bool:
    fields = answer["fields"]
    return (
        request is not None
        and 200 <= fields["status"] < 300
        and fields["verb"] in WRITES
        and fields.get("resource") in STORED
        and "unfinished" not in fields
        and "dryRun" not in request["fields"]["path"]
        and request["fields"].get("subresource", "") in ("", "status", "scale", "finalize")
    )


def _token(answer: Entry) -> str:
    fields = answer["fields"]
    return f"{fields['resource']}/{fields.get('namespace', '')}/{fields.get('name', '')}"


def _seqs(answer: Entry) -> tuple[int, int]:
    return answer["replyTo"], answer["seq"]


def _deleted(answer: Entry, request: Entry, writes: list[Write]) -> Iterator[Violation]:
    """Find the deletion, or the mark that something still holds the object."""
    meanwhile = [write for write in writes if request["at"] <= write.at <= answer["arrived"]]
    before = [write for write in writes if write.at < request["at"]][-1:]
    if any(write.now is None for write in meanwhile):
        return
    if any(write.now is not None and "deletionTimestamp" in write.now["metadata"] for write in before + meanwhile):
        return
    yield Violation(LOST, f"{_token(answer)} was said to be deleted, and etcd did not delete it", _seqs(answer))
