"""Rollouts keep to their bounds, and a ReplicaSet makes no pod too many, as far as the controller had been told.

    scaled up      replicas of all ReplicaSets together are at most replicas + maxSurge
    scaled down    an old ReplicaSet loses pods only while what would be left and is not known to be unavailable
                   is at least replicas - maxUnavailable; and of those said to be available, one look at a Deployment
                   takes no more away, from all of its ReplicaSets together, than leave as many
    a pod made     its ReplicaSet then has no more pods than it wants, or wanted when the look began; those on their way
                   out and those done do not count, nor those of which the controller has neither had an answer nor
                   been told

Availability is not promised beyond that: nodes may go, pods fail, and a ReplicaSet's status is older than its size, so
that what was taken away counts as available for a while (scaleDownOldReplicaSetsForRollingUpdate in
pkg/controller/deployment/rolling.go adds up what the statuses say).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cluster_engine.api.selectors import label_selector_from_object
from tests.simulate.knowledge import Told, believed
from tests.simulate.story import History, Object, Violation, Write
from tests.simulate.traffic import SLACK_SECONDS, Exchange

SURGE = "a rollout has at most maxSurge pods too many"
UNAVAILABLE = "a rollout takes at most maxUnavailable pods away"
OVERSHOOT = "a ReplicaSet makes no pod too many"
DESIRED = "deployment.kubernetes.io/desired-replicas"
OVER = ("Succeeded", "Failed")
LOOK_SECONDS = 0.01
"""So long after an answer the next request of the same look at a Deployment is sent at the latest."""


@dataclass
class _Look:
    """One look at a Deployment: what it knows is what was known when it began."""

    began: float
    until: float
    taken: int = 0


def unbounded(traffic: Iterable[Exchange], history: History, told: Told) -> Iterator[Violation]:
    """Judge every change of a ReplicaSet's size by the deployment controller, and every pod that was made for one."""
    looks: dict[str, _Look] = {}
    answered: set[str] = set()
    for one in traffic:
        if not 200 <= one.status < 300 or one.is_dry:
            continue
        if one.resource == "replicasets" and one.said.agent.endswith("deployment-controller"):
            write = next((each for each in history.about(one.token) if each.revision == one.version), None)
            if write is not None and write.now is not None:
                yield from _resized(one, write, write.now, _look(looks, _owner(write.now), one), (history, told))
        elif one.resource == "pods" and one.verb == "create" and not one.subresource:
            answered.add(one.token)
            yield from _made(one, history, told, answered)


def _owner(obj: Object) -> str:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _look(looks: dict[str, _Look], deployment: str, one: Exchange) -> _Look:
    """Give the look at a Deployment that a request is part of."""
    look = looks.get(deployment)
    if look is None or one.began > look.until + LOOK_SECONDS:
        look = looks[deployment] = _Look(one.began, one.ended)
    look.until = one.ended
    return look


def _resized(one: Exchange, write: Write, now: Object, look: _Look, known: tuple[History, Told]) -> Iterator[Violation]:
    history, told = known
    before = write.before["spec"]["replicas"] if write.before is not None else 0
    after = now["spec"]["replicas"]
    if after == before:
        return
    who = one.request["from"]
    uid = _owner(now)
    floors = {name: told.floor(who, name, look.began) for name in ("deployments", "replicasets")}
    deployments = _deployments(history, uid, floors["deployments"], one.began)
    others = [
        believed(history, token, floors["replicasets"], one.began)
        for token in {each.token for each in history.of("replicasets", until=write.revision)}
        if token != write.token
    ]
    others = [states for states in others if states and _owner(states[-1]) == uid]
    if not deployments:
        return
    if after > before:
        total = after + sum(min(each["spec"]["replicas"] for each in states) for states in others)
        allowed = max(_replicas(each) + _surge(each) for each in deployments)
        if total > allowed:
            text = f"{one.token} was scaled from {before} to {after}: {total} replicas of at most {allowed}"
            yield Violation(SURGE, text, one.seqs)
    else:
        look.taken += before - after
        own = believed(history, write.token, floors["replicasets"], one.began)
        yield from _shrunk(one, write, now, deployments, (own, others, look.taken))


def _shrunk(
    one: Exchange,
    write: Write,
    now: Object,
    deployments: list[Object],
    known: tuple[list[Object], list[list[Object]], int],
) -> Iterator[Violation]:
    own, others, taken = known
    specs = [each["spec"] for each in deployments]
    deployment = deployments[-1]
    strategy = deployment["spec"].get("strategy", {}).get("type")
    wanted = _replicas(deployment)
    sizes = {str(wanted)} == {
        each["metadata"].get("annotations", {}).get(DESIRED, "")
        for each in (write.before or now, *(s[-1] for s in others))
    }
    new = next((states for states in others if _template(states[-1]) == _template(deployment)), None)
    if any(spec != specs[-1] for spec in specs) or strategy == "Recreate" or not sizes or new is None:
        return
    left = now["spec"]["replicas"] + sum(max(each["spec"]["replicas"] for each in states) for states in others)
    unavailable = min(each["spec"]["replicas"] - _available(each) for each in new)
    least = wanted - _unavailable(deployment)
    if left - max(unavailable, 0) < least:
        text = f"{one.token} was scaled to {now['spec']['replicas']}: {left - unavailable} of at least {least} are left"
        yield Violation(UNAVAILABLE, text, one.seqs)
    available = sum(max(map(_available, states)) for states in (own, *others) if states)
    old = [states for states in (own, *others) if states and states is not new]
    idle = sum(max(0, *(each["spec"]["replicas"] - _available(each) for each in states)) for states in old)
    if taken > idle and available - (taken - idle) < least:
        text = f"{taken} pods were taken away at once: {available} were available, {idle} were not, {least} have to be"
        yield Violation(UNAVAILABLE, text, one.seqs)


def _available(replica_set: Object) -> int:
    return int(replica_set.get("status", {}).get("availableReplicas", 0))


def _template(obj: Object) -> Object:
    """Give the containers: what tells one template of a deployment from another here."""
    template = obj["spec"]["template"]
    return {"spec": template["spec"], "annotations": template["metadata"].get("annotations")}


def _deployments(history: History, uid: str, floor: int, until: float) -> list[Object]:
    tokens = {each.token for each in history.of("deployments") if each.now and each.now["metadata"]["uid"] == uid}
    return [
        state for token in tokens for state in believed(history, token, floor, until) if state["metadata"]["uid"] == uid
    ]


def _replicas(deployment: Object) -> int:
    return int(deployment["spec"]["replicas"])


def _rolling(deployment: Object) -> Object:
    strategy: Object = deployment["spec"].get("strategy") or {}
    return strategy.get("rollingUpdate") or {}


def _share(value: object, whole: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        part = int(value[:-1]) * whole / 100
        return math.ceil(part) if up else math.floor(part)
    return int(str(value))


def _surge(deployment: Object) -> int:
    return _share(_rolling(deployment).get("maxSurge", 0), _replicas(deployment), up=True)


def _unavailable(deployment: Object) -> int:
    count = _share(_rolling(deployment).get("maxUnavailable", 0), _replicas(deployment), up=False)
    return min(count or int(_surge(deployment) == 0), _replicas(deployment))


def _made(one: Exchange, history: History, told: Told, answered: set[str]) -> Iterator[Violation]:
    write = next((each for each in history.about(one.token) if each.revision == one.version), None)
    uid = _owner(write.now) if write is not None and write.now is not None else ""
    if not uid or write is None:
        return
    owned = [each for each in history.of("replicasets") if each.now and each.now["metadata"]["uid"] == uid]
    if not owned:
        return
    floor = told.floor(one.request["from"], "replicasets", one.began - LOOK_SECONDS)
    heard = told.floor(one.request["from"], "pods", one.began)
    unheard = {each.token for each in history.of("pods", since=heard) if each.before is None} - answered
    states = believed(history, owned[0].token, floor, write.at + SLACK_SECONDS)
    wanted = max((each["spec"]["replicas"] for each in states if each["metadata"]["uid"] == uid), default=0)
    matches = label_selector_from_object(owned[0].now["spec"]["selector"]).matches if owned[0].now else None
    done = {
        each.now["metadata"]["uid"]
        for each in history.of("pods", until=write.revision)
        if each.now is not None and each.now["status"].get("phase") in OVER
    }  # for good, whatever another kubelet of that name says
    pods = [
        pod
        for token, pod in history.state("pods", write.revision).items()
        if _owner(pod) == uid
        and token not in unheard
        and matches is not None
        and matches(pod["metadata"].get("labels"))
        and pod["metadata"]["uid"] not in done
        and "deletionTimestamp" not in pod["metadata"]
    ]
    if len(pods) > wanted:
        yield Violation(OVERSHOOT, f"{one.token} was made: {len(pods)} of {wanted} wanted", one.seqs)
