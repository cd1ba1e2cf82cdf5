"""Optimistic locking holds, dry runs store nothing, and nothing is written that nobody asked for.

    PUT with resourceVersion 57, answered 200 at 60     the object's write before 60 was 57: of two from 57 one wins
    the same, answered 409                               57 was not the object's version all the while
    POST answered 409 AlreadyExists                      the object was there at some instant
    DELETE of a collection answered 200                  what was in it when it was asked has gone or been marked
    a write in etcd                                      some request for that object was under way, and not a dry one

A write may also be refused for other reasons; those are not judged.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from tests.simulate.story import History, Violation, Write
from tests.simulate.traffic import SLACK_SECONDS, STORED, WRITES, Exchange
from tests.simulate.watches import Scope

STALE = "a write from an old version is refused"
NEEDLESS = "a write is refused for a conflict only where there is one"
ASKED = "nothing is written that nobody asked for"
COLLECTION = "a deleted collection is gone"

OWN = (
    "namespaces",
    "clusterroles",
    "clusterrolebindings",
    "roles",
    "rolebindings",
    "priorityclasses",
    "serviceaccounts",
)
"""What the API server itself makes at its start, where it lacks."""
MADE_FOR_JOINING = tuple(
    f"configmaps/{name}"
    for name in ("kube-public/cluster-info", "kube-system/kubeadm-config", "kube-system/kubelet-config")
)
OWN_TOKENS = ("services/default/kubernetes", "endpoints/default/kubernetes", "endpointslices/default/kubernetes")


def conflicts(traffic: list[Exchange], history: History) -> Iterator[Violation]:
    """Judge every conditional write, every 409, every dry run and every deletion of a collection."""
    for one in traffic:
        if one.resource in STORED and not one.is_dry:
            if one.verb in ("update", "patch", "delete") and 200 <= one.status < 300:
                yield from _stale(one, history)
            elif one.verb == "deletecollection" and one.status == 200:
                yield from _left(one, history)
        if one.resource in STORED and one.status == 409:
            yield from _needless(one, history)
    yield from _unasked(traffic, history)


def _condition(one: Exchange) -> tuple[int, str]:
    """Give the resourceVersion and the uid that a write was bound to."""
    body: Any = one.said.body
    if not isinstance(body, dict):
        return 0, ""
    bound = body.get("preconditions") if one.verb == "delete" else body.get("metadata")
    if not isinstance(bound, dict):
        return 0, ""
    version = str(bound.get("resourceVersion") or "")
    return int(version) if version.isdigit() else 0, str(bound.get("uid") or "")


def _stale(one: Exchange, history: History) -> Iterator[Violation]:
    version, _ = _condition(one)
    if not version:
        return
    writes = history.about(one.token)
    states = one.at(history)
    if one.verb == "delete" or one.version == version:
        right = any(write is not None and write.revision == version for write in states)
    else:
        place = next((n for n, write in enumerate(writes) if write.revision == one.version), None)
        if place is None and any(write is not None and write.now is None for write in states):
            return  # it took the last finalizer: the object went
        right = bool(place) and writes[(place or 0) - 1].revision == version
    if not right:
        text = f"{one.request['from']} wrote {one.token} at {one.version} from {version}, which was not the latest"
        yield Violation(STALE, text, one.seqs)


def _needless(one: Exchange, history: History) -> Iterator[Violation]:
    states = one.at(history)
    if one.reason == "AlreadyExists" and one.verb == "create" and not one.subresource:
        if all(write is None or write.now is None for write in states):
            yield Violation(NEEDLESS, f"{one.token} was said to exist, and did not", one.seqs)
    elif one.reason == "Conflict" and one.verb in ("update", "patch", "delete"):
        version, uid = _condition(one)
        (first, *others) = states
        if not version or others or first is None or first.now is None:
            return
        if first.revision == version and (not uid or uid == first.now["metadata"]["uid"]):
            yield Violation(NEEDLESS, f"a write of {one.token} from {version} was refused, the latest", one.seqs)


def _left(one: Exchange, history: History) -> Iterator[Violation]:
    scope = Scope.of(one.request)
    if scope is None:
        return
    before = [write for write in history.of(one.resource) if write.at < one.began - SLACK_SECONDS]
    there = {write.token: write for write in before}
    for token, write in there.items():
        if not scope.takes(write.now) or (write.now and "deletionTimestamp" in write.now["metadata"]):
            continue
        later = [each for each in history.about(token) if write.at < each.at <= one.ended + SLACK_SECONDS]
        if not any(each.now is None or "deletionTimestamp" in each.now["metadata"] for each in later) and all(
            scope.takes(each.now) for each in later
        ):
            yield Violation(COLLECTION, f"{token} was in a collection that was said to be deleted", one.seqs)


def _unasked(traffic: list[Exchange], history: History) -> Iterator[Violation]:
    """Find writes during which nobody had asked for any of that object."""
    asked = _asked(traffic)
    for write in history.writes:
        resource = write.token.partition("/")[0]
        if resource not in STORED or _is_own(write, resource):
            continue
        if not any(_covers(one, write) for one in _nearby(asked.get(resource, []), write)):
            did = "deleted" if write.now is None else "created" if write.before is None else "changed"
            yield Violation(ASKED, f"{write.token} was {did} at {write.revision}, and no request was under way for it")


def _asked(traffic: list[Exchange]) -> dict[str, list[Exchange]]:
    asked: dict[str, list[Exchange]] = {}
    for one in traffic:
        if one.verb in WRITES and not one.is_dry:
            asked.setdefault(one.resource, []).append(one)
    for sent in asked.values():
        sent.sort(key=lambda one: one.began)
    return asked


def _nearby(sent: list[Exchange], write: Write) -> Iterator[Exchange]:
    """Give those asked before a write, latest first: the one that asked for it is mostly near."""
    for place in reversed(range(bisect_right(sent, write.at + SLACK_SECONDS, key=lambda one: one.began))):
        yield sent[place]


def _covers(one: Exchange, write: Write) -> bool:
    is_open = one.status >= 500  # etcd's members may agree upon it after whoever asked was told that time is over
    if write.at > one.ended + SLACK_SECONDS and not is_open:
        return False
    named = one.request["fields"].get("name") or (one.answer is not None and one.answer["fields"].get("name"))
    return one.token == write.token if named else write.token.startswith(one.token)


def _is_own(write: Write, resource: str) -> bool:
    if write.token in OWN_TOKENS or (resource == "leases" and "/apiserver-" in write.token):
        return True
    if resource == "events" and write.now is None:
        return True  # their time was over: etcd's lease took them
    return (resource in OWN or write.token in MADE_FOR_JOINING) and write.before is None
