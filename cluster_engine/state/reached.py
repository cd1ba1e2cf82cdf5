"""When objects came into a state: the entries with which etcd first said so.

reached &state=pod/default/web-*=Ready &since=0    -> {"to": 1376, "seqs": [1101, 1188]}

A question looks at so many versions; where it stops early, `to` says how far it came, and the next goes on from there.
A version that the journal has forgotten says neither that it holds nor that it does not.
"""

from collections.abc import Mapping
from heapq import nsmallest

from cluster_engine.api.objects import Object
from cluster_engine.state.conditions import Wanted, holds, read
from cluster_engine.state.etcd import stands
from cluster_engine.state.moment import Moment
from cluster_engine.state.timeline import Point

VERSIONS_MAX = 400


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `reached`: of entries after `since`, up to the moment. LookupError where that is no state."""
    wanted = read(args.get("state", ""))
    since = int(args["since"]) if args.get("since", "").isdecimal() else 0
    fold = moment.fold
    ours = [key for key, subject in fold.keys.of.get(wanted.resource, {}).items() if wanted.is_about(subject)]
    timelines = {key: fold.keys.timelines[key] for key in ours}
    changes = ((p.seq, key, p) for key in ours for p in timelines[key].between(since, moment.at))
    points = nsmallest(VERSIONS_MAX + 1, changes)
    before: dict[str, bool | None] = {}
    seqs = []
    for seq, key, point in points[:VERSIONS_MAX]:
        if key not in before:
            before[key] = _holds(moment, wanted, timelines[key].at(since))
        now = _holds(moment, wanted, point)
        if now and before[key] is False:
            seqs.append(seq)
        before[key] = now
    return {"to": points[VERSIONS_MAX - 1][0] if len(points) > VERSIONS_MAX else moment.at, "seqs": sorted(set(seqs))}


def _holds(moment: Moment, wanted: Wanted, point: Point | None) -> bool | None:
    if not stands(point):
        return holds(wanted, None)
    obj = None if point is None else moment.object_at(point)
    return None if obj is None else holds(wanted, obj)
