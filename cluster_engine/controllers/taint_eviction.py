"""The taint-eviction controller: pods leave a node with NoExecute taints when their patience ends.

Theory of operation. For each NoExecute taint of its node a pod may have a toleration. One taint not tolerated: the pod
is deleted now. All tolerated, some for a limited time (`tolerationSeconds`; admission gives every pod 300 s for
not-ready and unreachable): it is deleted when the shortest of them is over. If the taints go before, so does the
sentence.

    unreachable:NoExecute added at 58 s; pod tolerates it for 300 s → DELETE pod at 358 s

It counts from when it saw the taint; after a restart of the controller-manager the counting begins again, as with a
real one. The deletion is an ordinary one: on a silent node the pod stays Terminating, for nobody confirms the stop.

Modelled on `pkg/controller/tainteviction/taint_eviction.go`.
"""

import asyncio

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import is_deleting

DELETE_TRIES_MAX, DELETE_RETRY_SECONDS = 5, 0.01
WORKERS = 4


class _Sentence(msgspec.Struct):
    """When a pod is to be deleted, and since when it has been waiting for that."""

    uid: str
    since: float
    at: float


class TaintEvictionController:
    """Deletes pods whose toleration of their node's taints is over; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._nodes = context.informers.informer(NODE)
        self._pods = context.informers.informer(POD)
        self._pods.add_index("node", lambda pod: [pod["spec"]["nodeName"]] if pod["spec"].get("nodeName") else [])
        self._sentences: dict[str, _Sentence] = {}
        self._queue = WorkQueue[str]("noexec_taint_pod")
        self._nodes.on(add=self._node_seen, update=self._node_changed)
        self._pods.on(add=self._pod_seen, update=self._pod_changed, delete=self._pod_gone)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    # -- what wakes it: only what may change a sentence

    def _node_seen(self, node: Object) -> None:
        if no_execute(node):
            self._enqueue_pods(node)

    def _node_changed(self, old: Object, new: Object) -> None:
        if no_execute(old) != no_execute(new):
            self._enqueue_pods(new)

    def _enqueue_pods(self, node: Object) -> None:
        for pod in self._pods.by_index("node", node["metadata"]["name"]):
            self._queue.add(key_of(pod))

    def _pod_seen(self, pod: Object) -> None:
        node = self._nodes.get(pod["spec"].get("nodeName", ""))
        if node is not None and no_execute(node):
            self._queue.add(key_of(pod))

    def _pod_changed(self, old: Object, new: Object) -> None:
        before, after = old["spec"], new["spec"]
        if before.get("nodeName") != after.get("nodeName") or before.get("tolerations") != after.get("tolerations"):
            self._pod_seen(new)

    def _pod_gone(self, pod: Object) -> None:
        self._sentences.pop(key_of(pod), None)

    # -- one sync

    async def _sync(self, key: str) -> None:
        pod = self._pods.get(key)
        if pod is None:
            return
        node = self._nodes.get(pod["spec"].get("nodeName", ""))
        taints = no_execute(node) if node is not None else []
        if not taints or is_deleting(pod):
            self._acquit(pod)
            return
        seconds = patience(pod, taints)
        if seconds is None:
            self._acquit(pod)
            return
        now = asyncio.get_running_loop().time()
        uid = pod["metadata"]["uid"]
        known = self._sentences.get(key)
        since = known.since if known is not None and known.uid == uid else now
        sentence = self._sentences[key] = _Sentence(uid, since, since + seconds)
        if sentence.at > now:
            self._queue.add_after(key, sentence.at - now)
            return
        await self._evict(pod)

    def _acquit(self, pod: Object) -> None:
        key = key_of(pod)
        if self._sentences.pop(key, None) is not None and not is_deleting(pod):
            self._events.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")

    async def _evict(self, pod: Object) -> None:
        metadata = pod["metadata"]
        message = f"Marking for deletion Pod {key_of(pod)}"
        self._events.event(pod, "Normal", "TaintManagerEviction", message)
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": time.rfc3339(self._process.now()),
        }
        patch = {"metadata": {"uid": metadata["uid"]}, "status": {"conditions": [condition]}}
        for tries_left in reversed(range(DELETE_TRIES_MAX)):
            try:
                await self._client.patch(POD, metadata["name"], patch, metadata["namespace"], subresource="status")
                await self._client.delete(POD, metadata["name"], metadata["namespace"])
            except NotFound:
                break
            except (Refusal, ConnectionError, TimeoutError):
                if not tries_left:
                    raise
                await asyncio.sleep(DELETE_RETRY_SECONDS)
            else:
                break
        self._sentences.pop(key_of(pod), None)


def no_execute(node: Object) -> list[Object]:
    """Return the node's NoExecute taints, without the times they were added."""
    taints = node["spec"].get("taints") or ()
    return [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": "NoExecute"}
        for taint in taints
        if taint["effect"] == "NoExecute"
    ]


def patience(pod: Object, taints: list[Object]) -> float | None:
    """Say how many seconds the pod tolerates these taints; 0 when it does not tolerate one, None for ever."""
    limits = []
    for taint in taints:
        used = [each for each in pod["spec"].get("tolerations") or () if tolerates(each, taint)]
        if not used:
            return 0.0
        limits += [each["tolerationSeconds"] for each in used if each.get("tolerationSeconds") is not None]
    return max(0.0, float(min(limits))) if limits else None


def tolerates(toleration: Object, taint: Object) -> bool:
    """Return whether a toleration covers a taint; an empty key with Exists covers all."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")
