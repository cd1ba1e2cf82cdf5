"""Single objects are linearizable, and nobody sees time go back.

Each write of an object has a revision of its own, and etcd's history says when each was done. So a read needs no
search: what it gave must have been the object's state at some instant between the request and the answer.

    GET sent at 3.0, answered at 3.2: resourceVersion 57        written before 3.2, and not yet overwritten at 3.0
    GET answered 404                                             absent at some instant between
    LIST without a resourceVersion, answered at version 60       no write of that resource after 60 was done before it
    a client was told 57 of an object, and asks again            never less than 57

Reads that ask for "any version" (resourceVersion=0) may be old; they are left out.
"""

from collections.abc import Iterable, Iterator

from tests.simulate.story import History, Violation
from tests.simulate.traffic import SLACK_SECONDS, STORED, WRITES, Exchange

LINEARIZABLE = "reads of an object are linearizable"
FRESH = "a list is not older than what it asked for"
FORWARD = "no client sees an object go back"
WHOLE = ("", "status", "scale")


def stale_reads(traffic: Iterable[Exchange], history: History) -> Iterator[Violation]:
    """Judge every GET of an object and every list."""
    for one in traffic:
        if one.resource not in STORED or one.parameter("resourceVersion"):
            continue
        if one.verb == "get" and one.subresource in WHOLE:
            yield from _read(one, history)
        elif one.verb == "list" and one.status == 200 and one.version and not one.parameter("continue"):
            yield from _list(one, history)


def _read(one: Exchange, history: History) -> Iterator[Violation]:
    states = one.at(history)
    if one.status == 200 and one.version:
        if not any(write is not None and write.now is not None and write.revision == one.version for write in states):
            yield Violation(LINEARIZABLE, f"{one.token} was read at {one.version}, and was {_said(states)}", one.seqs)
    elif one.status == 404 and one.reason == "NotFound" and all(write is not None and write.now for write in states):
        yield Violation(LINEARIZABLE, f"{one.token} was not found, and was {_said(states)}", one.seqs)


def _said(states: list) -> str:
    told = [str(write.revision) if write is not None and write.now is not None else "absent" for write in states]
    return " then ".join(told)


def _list(one: Exchange, history: History) -> Iterator[Violation]:
    done = [write.revision for write in history.of(one.resource) if write.at < one.began - SLACK_SECONDS]
    if done and done[-1] > one.version:
        text = f"{one.request['from']} listed {one.resource} at {one.version}, when {done[-1]} had been written"
        yield Violation(FRESH, text, one.seqs)


def backwards(traffic: Iterable[Exchange]) -> Iterator[Violation]:
    """Judge what each client was told of each object, by reads that must be fresh and by its own writes."""
    told: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for one in sorted((one for one in traffic if _tells(one)), key=lambda one: one.began):
        known = told.setdefault((one.request["from"], one.token), [])
        assert one.answer is not None
        before = max((version for arrived, version in known if arrived < one.began), default=0)
        if one.version < before:
            text = f"{one.request['from']} was told {one.version} of {one.token} after {before}"
            yield Violation(FORWARD, text, one.seqs)
        known.append((one.answer["arrived"], one.version))


def _tells(one: Exchange) -> bool:
    return (
        one.resource in STORED
        and 200 <= one.status < 300
        and one.version > 0
        and one.subresource in WHOLE
        and not one.is_dry
        and (one.verb in WRITES - {"delete", "deletecollection"} or one.verb == "get")
        and not one.parameter("resourceVersion")
    )
