"""The pods that a kind of object controls: which news of them wake its controller, and which of them are an object's.

Theory of operation. Every controller of pods (ReplicaSets, Jobs, DaemonSets, StatefulSets) listens to the same two
informers in the same way. News of an object wake it; news of a pod wake the object that controls it, after a while if
so wished; news of a pod without a controller wake the objects that would adopt it. What a controller expects to see of
its pods is crossed off on the way.

    pod web-5d-x7k2p ADDED, controlled by web-5d      expectations.created("default/web-5d"), web-5d into the queue
    the same, MODIFIED with a deletionTimestamp       expectations.deleted(…), web-5d into the queue
    pod stray ADDED, controlled by nobody             every ReplicaSet whose selector matches, into the queue

Modelled on addPod, updatePod and deletePod in `pkg/controller/{replicaset,job,daemon,statefulset}`, which are alike.
"""

from collections.abc import Callable

from cluster_engine.api.kinds import POD
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.client import Informer, WorkQueue, key_of
from cluster_engine.controllers import pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.ownership import (
    BY_CONTROLLER,
    Claims,
    controller_of,
    controller_uids,
    is_controlled_by,
    is_deleting,
)


class OwnedPods:
    """The pods of all objects of one kind. `seen` is told of each change and end of a pod, with its owner's key."""

    def __init__(
        self,
        context: Context,
        kind: Resource,
        queue: WorkQueue[str],
        expectations: Expectations,
        *,
        delay_seconds: float = 0.0,
        seen: Callable[[str, Object], None] | None = None,
    ) -> None:
        self._client = context.client
        self._kind = kind
        self._queue, self._expectations = queue, expectations
        self._delay, self._seen = delay_seconds, seen
        self._owners: Informer = context.informers.informer(kind)
        self._pods: Informer = context.informers.informer(POD)
        self._pods.add_index(BY_CONTROLLER, controller_uids)
        self._owners.on(add=self._enqueue, update=lambda _, new: self._enqueue(new), delete=self._gone)
        self._pods.on(add=self._added, update=self._updated, delete=self._deleted)

    # -- which are whose

    def of(self, owner: Object) -> list[Object]:
        """Return the pods that an object controls, as last heard."""
        return self._pods.by_index(BY_CONTROLLER, owner["metadata"]["uid"])

    async def claim(self, owner: Object, *, only: Callable[[Object], bool] | None = None) -> list[Object]:
        """Return the pods that are an object's, after adopting and releasing; `only` those that count."""
        metadata = owner["metadata"]
        orphans = self._pods.by_index(BY_CONTROLLER, "")
        candidates = [*self.of(owner), *(pod for pod in orphans if _namespace(pod) == metadata["namespace"])]
        selector = label_selector_from_object(owner["spec"].get("selector"))
        claims = Claims(self._client, self._kind, owner, POD, selector)
        return await claims.claim([pod for pod in candidates if only is None or only(pod)])

    # -- what wakes the controller

    def _enqueue(self, owner: Object) -> None:
        self._queue.add(key_of(owner))

    def _gone(self, owner: Object) -> None:
        self._expectations.forget(key_of(owner))
        self._enqueue(owner)

    def _wake(self, owner: Object) -> None:
        self._queue.add_after(key_of(owner), self._delay)

    def _added(self, pod: Object) -> None:
        if is_deleting(pod):
            self._deleted(pod)
        elif controller_of(pod) is None:
            self._wake_selecting(pod)
        elif owner := self._owner_of(pod):
            self._expectations.created(key_of(owner))
            self._wake(owner)

    def _updated(self, old: Object, new: Object) -> None:
        if is_deleting(new):
            self._deleted(new)
            return
        if controller_of(old) != controller_of(new) and (owner := self._owner_of(old)):
            self._wake(owner)
        if owner := self._owner_of(new):
            if self._seen is not None:
                self._seen(key_of(owner), new)
            self._wake(owner)
            seconds = owner["spec"].get("minReadySeconds", 0)
            if seconds and not pods.is_ready(old) and pods.is_ready(new):
                self._queue.add_after(key_of(owner), seconds + 1)
        elif controller_of(new) is None and old["metadata"].get("labels") != new["metadata"].get("labels"):
            self._wake_selecting(new)

    def _deleted(self, pod: Object) -> None:
        if owner := self._owner_of(pod):
            self._expectations.deleted(key_of(owner), key_of(pod))
            if self._seen is not None:
                self._seen(key_of(owner), pod)
            self._wake(owner)

    def _owner_of(self, pod: Object) -> Object | None:
        reference = controller_of(pod)
        if reference is None or reference["kind"] != self._kind.name:
            return None
        owner = self._owners.get(f"{_namespace(pod)}/{reference['name']}")
        return owner if owner and is_controlled_by(pod, owner) else None

    def _wake_selecting(self, pod: Object) -> None:
        for owner in self._owners.items():
            selector = label_selector_from_object(owner["spec"].get("selector"))
            if _namespace(owner) == _namespace(pod) and selector.matches(pod["metadata"].get("labels")):
                self._wake(owner)


def _namespace(obj: Object) -> str:
    return str(obj["metadata"]["namespace"])
