"""The deployment controller: from one pod template to the next, ReplicaSet by ReplicaSet.

Theory of operation. For each Deployment whose ReplicaSets or spec have changed: find (or make) the ReplicaSet of its
present template; then take *one* step towards it, growing the new or shrinking the old ones, and write the status. The
step makes ReplicaSets change, which brings the next sync. It never touches a pod.

    POST replicasets (replicas already at their first size)    PUT deployments/status    PUT replicasets … PUT status …

A paused Deployment is scaled but not rolled out. Recreate shrinks everything old first, waits until its pods are gone,
then grows the new. Finished ReplicaSets beyond revisionHistoryLimit are deleted.

Modelled on `pkg/controller/deployment/deployment_controller.go`; the arithmetic is in `rolling`, names and numbers in
`revisions`, conditions in `deployment_status`. Left out: `deployment.kubernetes.io/rollback` (long deprecated).
"""

from typing import Any

from cluster_engine.api import time
from cluster_engine.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.api.status import AlreadyExists, NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import deployment_status as statuses
from cluster_engine.controllers import pods, revisions, rolling
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.deployment_status import Conditions
from cluster_engine.controllers.ownership import Claims, controller_of, is_controlled_by, is_deleting
from cluster_engine.controllers.rolling import wanted

RETRIES_MAX = 15
WORKERS = 5


class DeploymentController:
    """Keeps Deployments; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._deployments = context.informers.informer(DEPLOYMENT)
        self._replica_sets = context.informers.informer(REPLICA_SET)
        self._pods = context.informers.informer(POD)
        self._queue = WorkQueue[str]("deployment")
        self._deployments.on(add=self._enqueue, update=lambda _, new: self._enqueue(new), delete=self._enqueue)
        self._replica_sets.on(
            add=self._replica_set_added, update=self._replica_set_updated, delete=self._replica_set_gone
        )
        self._pods.on(delete=self._pod_deleted)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS, retries_max=RETRIES_MAX)

    # -- what wakes it

    def _enqueue(self, deployment: Object) -> None:
        self._queue.add(key_of(deployment))

    def _replica_set_added(self, replica_set: Object) -> None:
        if controller_of(replica_set) is None:
            self._enqueue_selecting(replica_set)
        elif owner := self._owner_of(replica_set):
            self._enqueue(owner)

    def _replica_set_updated(self, old: Object, new: Object) -> None:
        if controller_of(old) != controller_of(new) and (owner := self._owner_of(old)):
            self._enqueue(owner)
        self._replica_set_added(new)

    def _replica_set_gone(self, replica_set: Object) -> None:
        if owner := self._owner_of(replica_set):
            self._enqueue(owner)

    def _pod_deleted(self, pod: Object) -> None:
        reference = controller_of(pod)
        if reference is None or reference["kind"] != "ReplicaSet":
            return
        replica_set = self._replica_sets.get(f"{pod['metadata']['namespace']}/{reference['name']}")
        owner = self._owner_of(replica_set) if replica_set else None
        if owner and _strategy(owner) == "Recreate" and not self._pods_of([replica_set] if replica_set else []):
            self._enqueue(owner)

    def _owner_of(self, replica_set: Object) -> Object | None:
        reference = controller_of(replica_set)
        if reference is None or reference["kind"] != "Deployment":
            return None
        owner = self._deployments.get(f"{replica_set['metadata']['namespace']}/{reference['name']}")
        return owner if owner and is_controlled_by(replica_set, owner) else None

    def _enqueue_selecting(self, replica_set: Object) -> None:
        metadata = replica_set["metadata"]
        for deployment in self._deployments.items():
            selector = label_selector_from_object(deployment["spec"].get("selector"))
            same = deployment["metadata"]["namespace"] == metadata["namespace"]
            if same and selector.matches(metadata.get("labels")):
                self._enqueue(deployment)

    # -- one sync

    async def _sync(self, key: str) -> None:
        known = self._deployments.get(key)
        if known is None:
            return
        deployment = {**known, "status": known.get("status", {})}
        replica_sets = await self._claimed(deployment)
        if is_deleting(deployment):
            status = statuses.summed(deployment, *_split(deployment, replica_sets), self._now())
            await self._write_status(deployment, status)
            return
        deployment = await self._say_paused(deployment)
        if deployment["spec"].get("paused") or self._is_scaling(deployment, replica_sets):
            await self._scale_only(deployment, replica_sets)
        elif _strategy(deployment) == "Recreate":
            await self._recreate(deployment, replica_sets)
        else:
            await self._roll(deployment, replica_sets)

    async def _claimed(self, deployment: Object) -> list[Object]:
        namespace = deployment["metadata"]["namespace"]
        selector = label_selector_from_object(deployment["spec"]["selector"])
        candidates = [one for one in self._replica_sets.items() if one["metadata"]["namespace"] == namespace]
        return await Claims(self._client, DEPLOYMENT, deployment, REPLICA_SET, selector).claim(candidates)

    async def _roll(self, deployment: Object, replica_sets: list[Object]) -> None:
        deployment, new, old = await self._ensure_new(deployment, replica_sets)
        size = min(wanted(deployment), rolling.new_replicas(deployment, [*old, new], new))
        new, changed = await self._scale(deployment, new, size)
        if not changed:
            for one, size in rolling.shrink_old(deployment, old, new):
                scaled, _ = await self._scale(deployment, one, size)
                old = [scaled if each is one else each for each in old]
                changed = True
        if not changed and statuses.is_complete(deployment, deployment["status"]):
            await self._clean_up(deployment, old)
        await self._write_rollout(deployment, new, old)

    async def _recreate(self, deployment: Object, replica_sets: list[Object]) -> None:
        existing, old = _split(deployment, replica_sets)
        active = [one for one in old if wanted(one)]
        if active:
            for one in active:
                await self._scale(deployment, one, 0)
            await self._write_rollout(deployment, existing, old)
            return
        if any(not pods.is_terminal(pod) for pod in self._pods_of(old)):
            await self._write_rollout(deployment, existing, old)
            return
        deployment, new, old = await self._ensure_new(deployment, replica_sets)
        new, _ = await self._scale(deployment, new, wanted(deployment))
        if statuses.is_complete(deployment, deployment["status"]):
            await self._clean_up(deployment, old)
        await self._write_rollout(deployment, new, old)

    async def _scale_only(self, deployment: Object, replica_sets: list[Object]) -> None:
        new, old = _split(deployment, replica_sets)
        if new is not None:
            deployment, new = await self._keep_new(deployment, new, old)
        active = [one for one in replica_sets if wanted(one)]
        if len(active) <= 1:
            latest = active[0] if active else new or (max(old, key=rolling.age_order) if old else None)
            scales = [(latest, wanted(deployment))] if latest else []
        elif new is not None and _is_saturated(deployment, new):
            scales = [(one, 0) for one in old if wanted(one)]
        elif _strategy(deployment) == "RollingUpdate":
            scales = rolling.proportional(deployment, active)
        else:
            scales = []
        for one, size in scales:
            await self._scale(deployment, one, size)
        if deployment["spec"].get("paused"):
            await self._clean_up(deployment, old)
        await self._write_status(deployment, statuses.summed(deployment, new, old, self._now()))

    def _is_scaling(self, deployment: Object, replica_sets: list[Object]) -> bool:
        """Return whether the wanted number has changed since the active ReplicaSets were last told of it."""
        for one in replica_sets:
            told = one["metadata"].get("annotations", {}).get(rolling.DESIRED_REPLICAS)
            if wanted(one) and told is not None and told != str(wanted(deployment)):
                return True
        return False

    # -- the new ReplicaSet

    async def _ensure_new(self, deployment: Object, replica_sets: list[Object]) -> tuple[Object, Object, list[Object]]:
        new, old = _split(deployment, replica_sets)
        if new is not None:
            deployment, new = await self._keep_new(deployment, new, old)
        else:
            deployment, new = await self._create_new(deployment, old)
        return deployment, new, old

    async def _keep_new(self, deployment: Object, new: Object, old: list[Object]) -> tuple[Object, Object]:
        annotations = revisions.annotations_for(deployment, new, revisions.next_revision(old), exists=True)
        min_ready = deployment["spec"].get("minReadySeconds", 0)
        if annotations != new["metadata"].get("annotations", {}) or min_ready != new["spec"].get("minReadySeconds", 0):
            changed = {**new, "metadata": {**new["metadata"], "annotations": annotations}}
            changed["spec"] = {**new["spec"], "minReadySeconds": min_ready}
            new = await self._client.update(REPLICA_SET, changed)
        text = f'Found new replica set "{new["metadata"]["name"]}"'
        first = pods.condition(deployment, "Progressing") is None
        return await self._say_new(deployment, new, statuses.FOUND if first else "", text), new

    async def _create_new(self, deployment: Object, old: list[Object]) -> tuple[Object, Object]:
        draft = revisions.build(deployment, revisions.next_revision(old))
        replicas = rolling.new_replicas(deployment, old, draft)
        draft["spec"]["replicas"] = replicas
        name = draft["metadata"]["name"]
        try:
            new = await self._client.create(REPLICA_SET, draft)
        except AlreadyExists:
            return deployment, await self._existing(deployment, draft)
        except Refusal as refusal:
            await self._say_failed(deployment, name, refusal)
            raise
        if replicas:
            message = f"Scaled up replica set {name} from 0 to {replicas}"
            self._events.event(deployment, "Normal", "ScalingReplicaSet", message)
        return await self._say_new(deployment, new, statuses.CREATED, f'Created new replica set "{name}"'), new

    async def _existing(self, deployment: Object, draft: Object) -> Object:
        """Take a ReplicaSet of ours that the cache has not heard of; a stranger of that name means: other hash."""
        existing = await self._client.get(REPLICA_SET, draft["metadata"]["name"], draft["metadata"]["namespace"])
        if is_controlled_by(existing, deployment) and revisions.find_new(deployment, [existing]):
            return existing
        collisions = deployment["status"].get("collisionCount", 0) + 1
        await self._write_status(deployment, {**deployment["status"], "collisionCount": collisions})
        raise AlreadyExists(REPLICA_SET, draft["metadata"]["name"])

    async def _say_new(self, deployment: Object, new: Object, reason: str, text: str) -> Object:
        """Write the revision, and Progressing if there is a reason, onto the Deployment, unless they are there."""
        number = new["metadata"].get("annotations", {}).get(revisions.REVISION, "")
        annotations = deployment["metadata"].get("annotations", {})
        if annotations.get(revisions.REVISION) == number and not (reason and statuses.has_deadline(deployment)):
            return deployment
        status = {**deployment["status"]}
        if reason and statuses.has_deadline(deployment):
            conditions = self._conditions(status)
            conditions.set("Progressing", "True", reason, text)
            status["conditions"] = conditions.conditions
        metadata = {**deployment["metadata"], "annotations": {**annotations, revisions.REVISION: number}}
        return await self._client.update(DEPLOYMENT, {**deployment, "metadata": metadata, "status": status}, "status")

    async def _say_failed(self, deployment: Object, name: str, refusal: Refusal) -> None:
        message = f'Failed to create new replica set "{name}": {refusal.message}'
        conditions = self._conditions(deployment["status"])
        conditions.set("Progressing", "False", statuses.FAILED_CREATE, message)
        await self._write_status(deployment, {**deployment["status"], "conditions": conditions.conditions})
        self._events.event(deployment, "Warning", statuses.FAILED_CREATE, message)

    async def _say_paused(self, deployment: Object) -> Object:
        progressing = pods.condition(deployment, "Progressing")
        reason = progressing.get("reason") if progressing else None
        if not statuses.has_deadline(deployment) or reason == statuses.TIMED_OUT:
            return deployment
        conditions = self._conditions(deployment["status"])
        paused = bool(deployment["spec"].get("paused"))
        if paused and reason != statuses.PAUSED:
            conditions.set("Progressing", "Unknown", statuses.PAUSED, "Deployment is paused")
        elif not paused and reason == statuses.PAUSED:
            conditions.set("Progressing", "Unknown", statuses.RESUMED, "Deployment is resumed")
        else:
            return deployment
        return await self._write_status(deployment, {**deployment["status"], "conditions": conditions.conditions})

    # -- writes

    async def _scale(self, deployment: Object, replica_set: Object, size: int) -> tuple[Object, bool]:
        """Set a ReplicaSet's size and what it is told of the whole; say whether the size has changed."""
        before = wanted(replica_set)
        annotations = replica_set["metadata"].get("annotations", {})
        told = {**annotations, **revisions.size_annotations(deployment)}
        if size == before and told == annotations:
            return replica_set, False
        changed = {**replica_set, "metadata": {**replica_set["metadata"], "annotations": told}}
        changed["spec"] = {**replica_set["spec"], "replicas": size}
        replica_set = await self._client.update(REPLICA_SET, changed)
        if size != before:
            direction = "up" if size > before else "down"
            message = f"Scaled {direction} replica set {replica_set['metadata']['name']} from {before} to {size}"
            self._events.event(deployment, "Normal", "ScalingReplicaSet", message)
        return replica_set, size != before

    async def _clean_up(self, deployment: Object, old: list[Object]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        removable = sorted((one for one in old if not is_deleting(one)), key=revisions.revision)
        for one in removable[: max(0, len(removable) - limit)]:
            status, metadata = one.get("status", {}), one["metadata"]
            unseen = metadata.get("generation", 0) > status.get("observedGeneration", 0)
            if wanted(one) or status.get("replicas") or unseen:
                continue
            try:
                await self._client.delete(REPLICA_SET, metadata["name"], metadata["namespace"])
            except NotFound:
                continue

    async def _write_rollout(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        status = statuses.rolled_out(deployment, new, old, self._now())
        await self._write_status(deployment, status)
        seconds = statuses.seconds_until_stuck(deployment, status, self._now())
        if seconds is not None:
            self._queue.add_after(key_of(deployment), max(seconds, 1.0))

    async def _write_status(self, deployment: Object, status: Object) -> Object:
        if status == deployment["status"]:
            return deployment
        return await self._client.update(DEPLOYMENT, {**deployment, "status": status}, "status")

    def _conditions(self, status: Object) -> Conditions:
        return Conditions([dict(each) for each in status.get("conditions", ())], time.rfc3339(self._now()))

    def _pods_of(self, replica_sets: list[Object]) -> list[Object]:
        uids = {one["metadata"]["uid"] for one in replica_sets}
        return [pod for pod in self._pods.items() if (controller_of(pod) or {}).get("uid") in uids]

    def _now(self) -> Any:
        return self._process.now()


def _split(deployment: Object, replica_sets: list[Object]) -> tuple[Object | None, list[Object]]:
    new = revisions.find_new(deployment, replica_sets)
    return new, [one for one in replica_sets if one is not new]


def _strategy(deployment: Object) -> str:
    return str(deployment["spec"].get("strategy", {}).get("type", "RollingUpdate"))


def _is_saturated(deployment: Object, new: Object) -> bool:
    told = new["metadata"].get("annotations", {}).get(rolling.DESIRED_REPLICAS, "")
    size = wanted(deployment)
    return wanted(new) == size and told == str(size) and rolling.count([new], "availableReplicas") == size
