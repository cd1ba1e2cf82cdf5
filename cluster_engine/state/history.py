"""One object: as it stood, and all its versions, who wrote each, and what each changed.

Theory of operation. Its versions are its timeline. Who wrote one is found by the chain of causes: etcd's answer, the
transaction that it answers, the HTTP request that the API server served with it, and the certificate or the token that
its client has shown. Who writes to etcd without a request (an API server of its own accord, etcdctl) is named itself.
Where an API server alone is heard, who wrote is whose request it answered with that version, or whom its audit log
names.

    update  revision 57  by kube-scheduler (system:kube-scheduler)   spec.nodeName: null → "worker-1"
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from cluster_engine.api.objects import Object
from cluster_engine.state.apiserver import user_in
from cluster_engine.state.callers import user_of
from cluster_engine.state.diffs import diff
from cluster_engine.state.etcd import place_of, stands
from cluster_engine.state.keys import Subject, key_of, resource_of
from cluster_engine.state.moment import Moment, asked, read_object, seconds_of
from cluster_engine.state.reading import Reader
from cluster_engine.state.timeline import Point, Timeline

VERSIONS_MAX = 200
NOTHING: Object = {"object": None, "deleted": False, "versions": []}


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `object`: that of a `resource`, perhaps of a `namespace`, with a `name`."""
    subject = Subject(resource_of(args.get("resource", "")), args.get("namespace", ""), args.get("name", ""))
    timeline = moment.fold.keys.timelines.get(key_of(subject))
    if timeline is None:
        return NOTHING
    point = timeline.at(moment.at)
    return {
        "object": read_object(moment.reader, point) if point is not None and stands(point) else None,
        "deleted": point is not None and not stands(point),
        **(asked(point) if point is not None else {}),
        "versions": list(_versions(moment, key_of(subject), timeline)),
    }


def _versions(moment: Moment, key: str, timeline: Timeline) -> Iterator[Object]:
    """Give the latest versions, the newest last."""
    begin = max(0, len(timeline) - VERSIONS_MAX)
    before: Point | None = None
    was: Object | None = None
    for point in islice(timeline, max(0, begin - 1), None):
        now = read_object(moment.reader, point) if stands(point) else None
        if before is not None or not begin:
            yield _version(moment, key, (before, was), (point, now))
        before, was = point, now


Stood = tuple[Point | None, Object | None]


def _version(moment: Moment, key: str, last: Stood, this: tuple[Point, Object | None]) -> Object:
    (before, was), (point, now) = last, this
    entry = moment.reader.entry(point.seq)
    lost = (stands(point) and now is None) or (stands(before) and was is None)
    goes_back = before is not None and point.number < before.number
    return {
        "seq": point.seq,
        "at": None if entry is None else seconds_of(entry),
        "verb": _verb(before, point),
        "revision": point.number,
        **(UNKNOWN if goes_back or point.told < 0 else _writer(moment, key, point)),
        "diff": [] if lost else diff(was, now),
        **asked(point),
    }


def _verb(before: Point | None, point: Point) -> str:
    if not stands(point):
        return "delete"
    if before is None:
        return "create" if point.told & 3 == 0 else "update"
    return "update" if stands(before) else "create"


UNKNOWN: Object = {"by": None, "user": None, "request": None}


def _writer(moment: Moment, key: str, point: Point) -> Object:
    """Follow the causes of what told of a write to whom had it written."""
    reader, said = moment.reader, moment.fold.said
    if said is not None and (answer := said.writer(key, point)) is not None:
        return _asked_for(reader, answer)
    entry = reader.entry(place_of(point.told)[0])
    if entry is not None and entry["kind"] == "etcd.event":
        entry = reader.entry(entry["cause"])
    if entry is None or entry["kind"] != "grpc.request" or entry["fields"].get("method") in (None, "Range", "Watch"):
        return UNKNOWN
    request = reader.entry(entry["cause"])
    if request is None or request["kind"] != "http.request" or request["to"] != entry["from"]:
        return {"by": entry["from"], "user": None, "request": None}
    return {"by": request["from"], "user": user_of(reader, request), "request": request["seq"]}


def _asked_for(reader: Reader, answer: int) -> Object:
    """Say whose request an API server has answered with a write."""
    entry = reader.entry(answer)
    if entry is not None and entry["kind"] == "audit.event":
        return {"by": None, "user": user_in(reader, entry) or None, "request": entry["seq"]}
    request = None if entry is None else reader.entry(entry["replyTo"])
    if request is None:
        return UNKNOWN
    return {"by": request["from"], "user": user_of(reader, request), "request": request["seq"]}
