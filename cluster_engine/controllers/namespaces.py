"""The namespace controller: a namespace that is deleted first loses its content, then its finalizer, then itself.

Theory of operation. Deleting a Namespace only sets its deletionTimestamp and the phase Terminating; from then on
nothing can be created in it. This controller asks the server which kinds it has, deletes what is in the namespace,
kind by kind, and looks what is left. While pods
take their time to stop, it waits as long as they may. When nothing is left it removes `kubernetes` from spec.finalizers
by a PUT to /finalize, and the API server removes the object.

    GET /api, /apis   DELETE …/namespaces/shop/pods, …   LIST each   PUT …/shop/status   (wait)   PUT …/shop/finalize

What is left, and which finalizers hold it, is told in five conditions of the namespace's status.

Modelled on `pkg/controller/namespace/deletion` (namespaced_resources_deleter.go, status_condition_utils.go). Left out:
the conditions for what cannot be discovered, parsed or deleted are never true.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from cluster_engine.api.kinds import NAMESPACE
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Conflict, NotFound
from cluster_engine.api.time import rfc3339
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.client.discovery import discover, preferred
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import is_deleting

FINALIZER = "kubernetes"
GRACE_SECONDS_ESTIMATED = 15


class NamespaceController:
    """Empties and finalizes namespaces on their way out."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._process = context.process
        self._namespaces = context.informers.informer(NAMESPACE)
        self._queue = WorkQueue[str]("namespace")
        self._namespaces.on(add=self._seen, update=lambda _, new: self._seen(new))

    def _seen(self, namespace: Object) -> None:
        if is_deleting(namespace):
            self._queue.add(key_of(namespace))

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=2)

    async def _sync(self, name: str) -> None:
        if self._namespaces.get(name) is None:
            return
        try:
            namespace = await self._client.get(NAMESPACE, name)
        except NotFound:
            return
        finalizers = namespace["spec"].get("finalizers", [])
        if not is_deleting(namespace) or FINALIZER not in finalizers:
            return
        left: dict[str, list[Object]] = {}
        for resource in preferred(await discover(self._client)):
            if resource.namespaced and "deletecollection" in resource.verbs:
                left[f"{resource.plural}.{resource.group}"] = await self._empty(resource, name)
        seconds = max((_seconds_left(one) for items in left.values() for one in items), default=0)
        try:
            namespace = await self._tell(namespace, left)
            if not seconds:
                spec = {**namespace["spec"], "finalizers": [each for each in finalizers if each != FINALIZER]}
                await self._client.update(NAMESPACE, {**namespace, "spec": spec}, "finalize")
        except (NotFound, Conflict):
            self._queue.add_after(name, 1)
            return
        if seconds:
            self._queue.add_after(name, seconds / 2 + 1)

    async def _empty(self, kind: Resource, namespace: str) -> list[Object]:
        """Delete all of a kind; give what is left."""
        await self._client.delete_collection(kind, namespace, options={"propagationPolicy": "Background"})
        left: list[Object] = (await self._client.list(kind, namespace))["items"]
        return left

    async def _tell(self, namespace: Object, left: Mapping[str, list[Object]]) -> Object:
        """Say in the namespace's status what is left; give the namespace as it is then."""
        status = namespace.get("status") or {}
        known = {each["type"]: each for each in status.get("conditions") or ()}
        now = rfc3339(self._process.now())
        conditions = [_since(each, known.get(each["type"]), now) for each in _conditions(left)]
        if conditions == status.get("conditions"):
            return namespace
        return await self._client.update(
            NAMESPACE, {**namespace, "status": {**status, "conditions": conditions}}, "status"
        )


def _seconds_left(obj: Object) -> int:
    """Say in how many seconds an object that is going may have gone."""
    return obj["metadata"].get("deletionGracePeriodSeconds") or GRACE_SECONDS_ESTIMATED


def _conditions(left: Mapping[str, list[Object]]) -> list[Object]:
    remaining = sorted(f"{name} has {len(items)} resource instances" for name, items in left.items() if items)
    held = Counter(each for items in left.values() for one in items for each in one["metadata"].get("finalizers") or ())
    finalizers = sorted(f"{name} in {count} resource instances" for name, count in held.items())
    discovered = "All resources successfully discovered"
    return [
        _condition("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", discovered),
        _condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        _condition(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        _remaining("NamespaceContentRemaining", "SomeResourcesRemain", "Some resources are remaining", remaining),
        _remaining(
            "NamespaceFinalizersRemaining",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining",
            finalizers,
        ),
    ]


def _remaining(type_: str, reason: str, what: str, names: Sequence[str]) -> Object:
    if not names:
        return _condition(type_, "ContentRemoved", "All content successfully removed")
    return _condition(type_, reason, f"{what}: {', '.join(names)}", "True")


def _condition(type_: str, reason: str, message: str, status: str = "False") -> Object:
    return {"type": type_, "status": status, "reason": reason, "message": message}


def _since(condition: Object, before: Object | None, now: str) -> Object:
    """Date a condition: from when its status last changed."""
    kept = before is not None and before["status"] == condition["status"]
    return {**condition, "lastTransitionTime": before["lastTransitionTime"] if before and kept else now}
