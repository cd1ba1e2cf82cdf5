"""The namespace controller: a namespace that is deleted first loses its content, then its finalizer, then itself.

Theory of operation. Deleting a Namespace only sets its deletionTimestamp and the phase Terminating; from then on
nothing can be created in it. This controller asks the server which kinds it has, deletes what is in the namespace,
kind by kind, and looks what is left. While pods
take their time to stop, it waits as long as they may. When nothing is left it removes `kubernetes` from spec.finalizers
by a PUT to /finalize, and the API server removes the object.

    GET /api, /apis   DELETE …/namespaces/shop/pods, …   LIST each   (wait)   PUT /api/v1/namespaces/shop/finalize

Modelled on `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`. Left out: the five status conditions.
"""

from cluster_engine.api.kinds import NAMESPACE
from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Conflict, NotFound
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
        self._namespaces = context.informers.informer(NAMESPACE)
        self._queue = WorkQueue[str]()
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
        seconds = 0
        for resource in preferred(await discover(self._client)):
            if resource.namespaced and "deletecollection" in resource.verbs:
                seconds = max(seconds, await self._empty(resource, name))
        if seconds:
            self._queue.add_after(name, seconds / 2 + 1)
            return
        spec = {**namespace["spec"], "finalizers": [each for each in finalizers if each != FINALIZER]}
        try:
            await self._client.update(NAMESPACE, {**namespace, "spec": spec}, "finalize")
        except (NotFound, Conflict):
            self._queue.add_after(name, 1)

    async def _empty(self, kind: Resource, namespace: str) -> int:
        """Delete all of a kind; say in how many seconds what is left may have gone (0: nothing is left)."""
        await self._client.delete_collection(kind, namespace, options={"propagationPolicy": "Background"})
        left = (await self._client.list(kind, namespace))["items"]
        graces = (one["metadata"].get("deletionGracePeriodSeconds") or 0 for one in left)
        return max((grace or GRACE_SECONDS_ESTIMATED for grace in graces), default=0)
