"""What no object does, whoever writes it: seen in etcd's history alone, and with the requests that were under way.

    uid and creationTimestamp stay                          from creation to deletion
    generation does not go down, deletionTimestamp stays    once it is on its way out it goes
    while it goes, no finalizer is added                     and it is gone only when the last was taken: by an update
    a running pod on a node goes at a DELETE with grace 0    its kubelet's, or somebody's who forces it

Garbage: what the collector deletes has no owner that lives; at the end nothing is left all of whose owners are gone.
"""

from collections.abc import Iterator

from tests.simulate.story import History, Object, Violation, Write
from tests.simulate.traffic import SLACK_SECONDS, Exchange

LAWS = "an object's identity and its end are kept"
FINALIZERS = "nothing goes while a finalizer holds it"
GRACE = "a running pod goes when its kubelet says so"
COLLECTED = "nothing is collected whose owner lives"
ORPHANS = "nothing is left whose owners are all gone"
COLLECTOR = "generic-garbage-collector"


def lawless(traffic: list[Exchange], history: History) -> Iterator[Violation]:
    """Judge every write, and every deletion with the requests that may have asked for it."""
    for write in history.writes:
        if write.before is None or "metadata" not in write.before:
            continue
        if write.now is not None:
            for what in _broken(write.before, write.now):
                yield Violation(LAWS, f"{write.token} {what} at {write.revision}")
        else:
            yield from _gone(write, write.before, traffic)


def _broken(before: Object, now: Object) -> Iterator[str]:
    old, new = before["metadata"], now["metadata"]
    for name in ("uid", "creationTimestamp", "name", "namespace"):
        if old.get(name) != new.get(name):
            yield f"has another {name}: {old.get(name)} became {new.get(name)}"
    if old.get("generation", 0) > new.get("generation", 0):
        yield f"went from generation {old['generation']} to {new.get('generation')}"
    if "deletionTimestamp" in old:
        if "deletionTimestamp" not in new:
            yield "was going, and stays"
        if added := set(new.get("finalizers") or ()) - set(old.get("finalizers") or ()):
            added -= {"foregroundDeletion", "orphan"}  # a second DELETE may say what becomes of dependents
            if added:
                yield f"was going, and has new finalizers {sorted(added)}"


def _gone(write: Write, before: Object, traffic: list[Exchange]) -> Iterator[Violation]:
    metadata = before["metadata"]
    if metadata.get("finalizers"):
        if not any(one.verb in ("update", "patch") for one in _about(write, traffic)):
            held = ", ".join(metadata["finalizers"])
            yield Violation(FINALIZERS, f"{write.token} is gone at {write.revision}, held by {held}")
    elif write.token.startswith("pods/") and before["spec"].get("nodeName"):
        if before["status"].get("phase") in ("Succeeded", "Failed"):
            return
        if not any(_is_at_once(one, metadata) for one in _about(write, traffic)):
            yield Violation(GRACE, f"{write.token} is gone at {write.revision}, and nobody said that it had stopped")


def _about(write: Write, traffic: list[Exchange]) -> Iterator[Exchange]:
    for one in traffic:
        meanwhile = one.began <= write.at + SLACK_SECONDS and write.at <= one.ended + SLACK_SECONDS
        if meanwhile and (one.token == write.token or one.verb == "deletecollection"):
            yield one


def _is_at_once(one: Exchange, metadata: Object) -> bool:
    if one.verb not in ("delete", "deletecollection"):
        return False
    body = one.said.body if isinstance(one.said.body, dict) else {}
    grace = body.get("gracePeriodSeconds", one.parameter("gracePeriodSeconds") or None)
    return str(grace) == "0" or metadata.get("deletionGracePeriodSeconds") == 0


def wrongly_collected(traffic: list[Exchange], history: History) -> Iterator[Violation]:
    """Judge each DELETE of the garbage collector's that was done."""
    lives = _lives(history)
    for one in traffic:
        if one.verb != "delete" or one.status != 200 or not one.said.agent.endswith(COLLECTOR):
            continue
        first = one.at(history)[0]
        if first is None or first.now is None:
            continue
        for owner in first.now["metadata"].get("ownerReferences") or ():
            since, until, leaving = lives.get(owner["uid"], (0.0, 0.0, 0.0))
            if until > one.ended and leaving > one.ended and since < one.began:
                text = f"{one.token} was collected, and its owner {owner['kind']} {owner['name']} lives"
                yield Violation(COLLECTED, text, one.seqs)


def _lives(history: History) -> dict[str, tuple[float, float, float]]:
    """Give for each uid when it was made, when it was gone, and since when it waited for its dependents to go."""
    lives: dict[str, tuple[float, float, float]] = {}
    for write in history.writes:
        obj = write.now if write.now is not None else write.before
        uid = obj.get("metadata", {}).get("uid") if obj else None
        if not uid or obj is None:
            continue
        since, until, leaving = lives.get(uid, (write.at, float("inf"), float("inf")))
        if write.now is None:
            until = write.at
        elif "deletionTimestamp" in obj["metadata"] and "foregroundDeletion" in (
            obj["metadata"].get("finalizers") or ()
        ):
            leaving = min(leaving, write.at)
        lives[uid] = (since, until, leaving)
    return lives


def orphans(history: History) -> Iterator[Violation]:
    """Judge the end: what is left in etcd."""
    left: dict[str, Object] = {}
    for write in history.writes:
        if write.now is None:
            left.pop(write.token, None)
        elif "metadata" in write.now:
            left[write.token] = write.now
    uids = {obj["metadata"].get("uid") for obj in left.values()}
    for token, obj in left.items():
        owners = obj["metadata"].get("ownerReferences") or ()
        if owners and not any(owner["uid"] in uids for owner in owners):
            named = ", ".join(f"{owner['kind']} {owner['name']}" for owner in owners)
            yield Violation(ORPHANS, f"{token} is left, and its owners are gone: {named}")
