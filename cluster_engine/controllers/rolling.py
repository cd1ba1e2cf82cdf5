"""The arithmetic of rolling out a Deployment: how many replicas each ReplicaSet should have next. Pure functions.

Theory of operation. `maxSurge` says how many pods there may be above the wanted number, `maxUnavailable` how many may
be missing below it. The new ReplicaSet grows as far as the first allows; the old ones shrink as far as the second
allows, first by those pods that do not work anyway. Each step of that is one sync; the pods' becoming ready brings the
next one.

    replicas 3, maxSurge 25 % (rounded up: 1), maxUnavailable 25 % (rounded down: 0)
    old 3 new 0 → old 3 new 1 → (1 ready) old 2 new 1 → old 2 new 2 → (ready) old 1 new 2 → … → old 0 new 3

Modelled on `pkg/controller/deployment/{rolling,sync}.go` and `util/deployment_util.go`.
"""

import math

from cluster_engine.api.objects import Object

Scales = list[tuple[Object, int]]
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def share(value: int | str, whole: int, *, up: bool) -> int:
    """Resolve an int-or-percent of a whole: share("25%", 3, up=True) is 1."""
    if isinstance(value, int):
        return value
    part = whole * int(value.removesuffix("%")) / 100
    return math.ceil(part) if up else math.floor(part)


def fenceposts(deployment: Object) -> tuple[int, int]:
    """Return (max surge, max unavailable) in pods; (0, 0) would never move, so that becomes (0, 1)."""
    strategy = deployment["spec"].get("strategy", {})
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    replicas = wanted(deployment)
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return (0, 1) if surge == 0 and unavailable == 0 else (surge, unavailable)


def max_surge(deployment: Object) -> int:
    """Return how many pods there may be above the wanted number."""
    return fenceposts(deployment)[0]


def max_unavailable(deployment: Object) -> int:
    """Return how many of the wanted pods may be missing."""
    return min(fenceposts(deployment)[1], wanted(deployment))


def wanted(obj: Object) -> int:
    """Return spec.replicas of a Deployment or ReplicaSet."""
    replicas = obj["spec"].get("replicas", 1)
    return int(replicas)


def count(replica_sets: list[Object], field: str) -> int:
    """Sum a field of the ReplicaSets' status."""
    return sum(int(one.get("status", {}).get(field, 0)) for one in replica_sets)


def total(replica_sets: list[Object]) -> int:
    """Sum what the ReplicaSets are asked for."""
    return sum(wanted(one) for one in replica_sets)


def new_replicas(deployment: Object, replica_sets: list[Object], new: Object) -> int:
    """Say how far the new ReplicaSet may grow now; `replica_sets` are all, the new one among them if it exists."""
    replicas = wanted(deployment)
    if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        return replicas
    room = replicas + max_surge(deployment) - total(replica_sets)
    if room <= 0:
        return wanted(new)
    return wanted(new) + min(room, replicas - wanted(new))


def shrink_old(deployment: Object, old: list[Object], new: Object) -> Scales:
    """Say how far old ReplicaSets may shrink now: pods that do not work first, then oldest ReplicaSets first."""
    everything = [*old, new]
    floor = wanted(deployment) - max_unavailable(deployment)
    not_available_new = wanted(new) - count([new], "availableReplicas")
    spare = total(everything) - floor - not_available_new
    if not total(old) or spare <= 0:
        return []
    sizes = {one["metadata"]["uid"]: wanted(one) for one in old}
    in_order = sorted(old, key=age_order)
    for one in in_order:  # replicas that never became available serve nobody
        uid, useless = one["metadata"]["uid"], wanted(one) - count([one], "availableReplicas")
        gone = max(0, min(spare, useless, sizes[uid]))
        sizes[uid] -= gone
        spare -= gone
    spare = count(everything, "availableReplicas") - floor
    for one in in_order:
        uid = one["metadata"]["uid"]
        gone = max(0, min(spare, sizes[uid]))
        sizes[uid] -= gone
        spare -= gone
    return [(one, sizes[one["metadata"]["uid"]]) for one in in_order if sizes[one["metadata"]["uid"]] != wanted(one)]


def age_order(replica_set: Object) -> tuple[str, str]:
    """Sort key: oldest first, then by name."""
    metadata = replica_set["metadata"]
    return (metadata.get("creationTimestamp", ""), metadata["name"])


def proportional(deployment: Object, active: list[Object]) -> Scales:
    """Share a change of the wanted number among the ReplicaSets of an unfinished rollout, in proportion."""
    allowed = wanted(deployment) + max_surge(deployment) if wanted(deployment) else 0
    to_add = allowed - total(active)
    if not to_add:
        return [(one, wanted(one)) for one in active]
    # growing, the newest first; shrinking, the oldest first; larger before smaller
    by_age = sorted(active, key=age_order, reverse=to_add > 0)
    in_order = sorted(by_age, key=wanted, reverse=True)
    sizes: Scales = []
    added = 0
    for one in in_order:
        part = _proportion(deployment, one, to_add, added)
        sizes.append((one, wanted(one) + part))
        added += part
    first, size = sizes[0]
    sizes[0] = (first, max(0, size + to_add - added))  # what rounding has left
    return sizes


def _proportion(deployment: Object, replica_set: Object, to_add: int, added: int) -> int:
    if not wanted(replica_set) or to_add == added:
        return 0
    annotations = replica_set["metadata"].get("annotations", {})
    most_before = int(annotations.get(MAX_REPLICAS) or count([replica_set], "replicas") or wanted(replica_set))
    grown = wanted(replica_set) * (wanted(deployment) + max_surge(deployment)) / most_before
    part = math.floor(grown + 0.5) - wanted(replica_set)
    left = to_add - added
    return min(part, left) if to_add > 0 else max(part, left)
