"""The disruption controller: how many pods of each budget may be evicted at present.

Theory of operation. For each PodDisruptionBudget it counts the pods that are ready and those that must be, and writes
the difference as `status.disruptionsAllowed`; from that the API server takes one for each eviction. A pod whose
eviction was allowed counts as gone, for two minutes, until it is seen to go. A percentage is one of what is wanted: of
the replicas of the Deployments (ReplicaSets, StatefulSets) that the pods are of.

    minAvailable 2, three pods ready       disruptionsAllowed 1, desiredHealthy 2, currentHealthy 3, expectedPods 3
    one is evicted, not gone yet           disruptionsAllowed 0, currentHealthy 2

Modelled on `pkg/controller/disruption/disruption.go`. Left out: owners by way of their `scale`, and taking back the
condition DisruptionTarget of pods that stayed after all.
"""

from datetime import datetime, timedelta

from cluster_engine.api import time
from cluster_engine.api.kinds import DEPLOYMENT, POD, POD_DISRUPTION_BUDGET, REPLICA_SET, STATEFUL_SET
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.selectors import LabelSelector, label_selector_from_object
from cluster_engine.client import Informer, WorkQueue, key_of
from cluster_engine.controllers import pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import controller_of, is_deleting
from cluster_engine.controllers.rolling import share

DELETION_SECONDS = 120
"""So long a pod whose eviction was allowed counts as gone."""
SCALED: tuple[Resource, ...] = (DEPLOYMENT, REPLICA_SET, STATEFUL_SET)


class DisruptionController:
    """Keeps the status of disruption budgets."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._budgets = context.informers.informer(POD_DISRUPTION_BUDGET)
        self._pods = context.informers.informer(POD)
        self._owners: dict[str, Informer] = {kind.name: context.informers.informer(kind) for kind in SCALED}
        self._queue = WorkQueue[str]("disruption")
        self._budgets.on(add=self._enqueue, update=lambda _, new: self._enqueue(new))
        self._pods.on(add=self._pod_seen, update=lambda _, new: self._pod_seen(new), delete=self._pod_seen)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    def _enqueue(self, budget: Object) -> None:
        self._queue.add(key_of(budget))

    def _pod_seen(self, pod: Object) -> None:
        metadata = pod["metadata"]
        for budget in self._budgets.items():
            if budget["metadata"]["namespace"] == metadata["namespace"] and selector_of(budget).matches(
                metadata.get("labels")
            ):
                self._enqueue(budget)

    async def _sync(self, key: str) -> None:
        budget = self._budgets.get(key)
        if budget is None:
            return
        try:
            await self._count(key, budget)
        except _NotScaledError as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self._events.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            await self._write(budget, _failed(budget, str(error), self._process.now()))

    async def _count(self, key: str, budget: Object) -> None:
        now, spec, before = self._process.now(), budget["spec"], budget.get("status") or {}
        namespace, selector = budget["metadata"]["namespace"], selector_of(budget)
        own = [
            pod
            for pod in self._pods.items()
            if pod["metadata"]["namespace"] == namespace and selector.matches(pod["metadata"].get("labels"))
        ]
        if not own:
            self._events.event(budget, "Normal", "NoPods", "No matching pods found")
        expected, desired = self._wanted(budget, spec, own)
        going = self._still_going(budget, own, before.get("disruptedPods") or {}, now)
        alive = [pod for pod in own if not is_deleting(pod) and pod["metadata"]["name"] not in going]
        healthy = sum(map(pods.is_ready, alive))
        allowed = max(0, healthy - desired) if expected > 0 else 0
        generation = budget["metadata"].get("generation", 0)
        reason = "SufficientPods" if allowed else "InsufficientPods"
        condition = condition_of(before, now, holds=bool(allowed), reason=reason)
        status = {
            "observedGeneration": generation,
            **({"disruptedPods": going} if going else {}),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": [{**condition, "observedGeneration": generation}],
        }
        if status != before:
            await self._write(budget, status)
        if going:
            first = min(time.parse(moment) for moment in going.values())
            self._queue.add_after(key, (first + timedelta(seconds=DELETION_SECONDS + 1) - now).total_seconds())

    def _wanted(self, budget: Object, spec: Object, own: list[Object]) -> tuple[int, int]:
        """Say how many pods are counted, and how many must be ready."""
        most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
        if most is not None:
            expected = self._scale(budget, own)
            return expected, max(0, expected - share(most, expected, up=True))
        if isinstance(least, str):
            expected = self._scale(budget, own)
            return expected, share(least, expected, up=True)
        return (len(own), least) if least is not None else (0, 0)

    def _scale(self, budget: Object, own: list[Object]) -> int:
        """Sum up the replicas of the pods' owners. _NotScaledError for a pod whose owner has none."""
        found: dict[str, int] = {}
        alone = False
        for pod in own:
            reference = controller_of(pod)
            if reference is None:
                alone = True
            elif reference["uid"] not in found:
                owner = self._top(pod, reference)
                found[owner["metadata"]["uid"]] = owner["spec"].get("replicas", 1)
        if alone:
            selector = selector_of(budget)
            text = f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. "
            self._events.event(budget, "Warning", "UnmanagedPods", text + UNMANAGED)
        return sum(found.values())

    def _top(self, pod: Object, reference: Object) -> Object:
        """Return the owner whose replicas count: of a ReplicaSet of a Deployment the Deployment."""
        owner = self._owner(pod["metadata"]["namespace"], reference)
        above = controller_of(owner)
        return self._owner(pod["metadata"]["namespace"], above) if above is not None else owner

    def _owner(self, namespace: str, reference: Object) -> Object:
        known = self._owners.get(reference["kind"])
        if known is None:
            resource = f"{reference['kind'].lower()}s.{reference['apiVersion'].partition('/')[0]}"
            raise _NotScaledError(f"{resource} does not implement the scale subresource")
        owner = known.get(f"{namespace}/{reference['name']}")
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            raise _NotScaledError(f'found no controllers for pod "{reference["name"]}"')
        return owner

    def _still_going(self, budget: Object, own: list[Object], noted: dict[str, str], now: datetime) -> dict[str, str]:
        """Keep those of the noted pods that have not begun to go and still may."""
        going = {}
        for pod in own:
            name = pod["metadata"]["name"]
            if name not in noted or is_deleting(pod):
                continue
            if time.parse(noted[name]) + timedelta(seconds=DELETION_SECONDS) < now:
                text = f"Pod was expected by PDB {key_of(budget)} to be deleted but it wasn't"
                self._events.event(pod, "Warning", "NotDeleted", text)
            else:
                going[name] = noted[name]
        return going

    async def _write(self, budget: Object, status: Object) -> None:
        await self._client.update(POD_DISRUPTION_BUDGET, {**budget, "status": status}, "status")


UNMANAGED = (
    "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
)


class _NotScaledError(Exception):
    """The owner of a pod has no number of replicas."""


def selector_of(budget: Object) -> LabelSelector:
    """Return the selector of a budget's pods; one that is empty selects all."""
    return label_selector_from_object(budget["spec"].get("selector"))


def condition_of(before: Object, now: datetime, *, holds: bool, reason: str, text: str = "") -> Object:
    """Make the condition DisruptionAllowed, dated from when its status last changed."""
    known = next((each for each in before.get("conditions") or () if each["type"] == "DisruptionAllowed"), None)
    status = "True" if holds else "False"
    since = known["lastTransitionTime"] if known and known["status"] == status else time.rfc3339(now)
    said = {"type": "DisruptionAllowed", "status": status, "lastTransitionTime": since}
    return {**said, "reason": reason, "message": text}


def _failed(budget: Object, why: str, now: datetime) -> Object:
    before = budget.get("status") or {}
    condition = condition_of(before, now, holds=False, reason="SyncFailed", text=why)
    if generation := before.get("observedGeneration"):
        condition["observedGeneration"] = generation
    numbers = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, **before, "disruptionsAllowed": 0}
    return {**numbers, "conditions": [condition]}
