"""kube-scheduler: takes pods without a node one by one, and binds each to the best node there is.

Theory of operation. It follows pods and nodes. A pod without spec.nodeName enters the queue; the scheduling cycle takes
it, *filters* the nodes (`filters`), *scores* those left (`scores`), and counts the pod on the winner at once (`nodes`).
Then, while the next pod is already being looked at, the *binding* goes out: a POST to the pod's subresource `binding`.
The API server writes spec.nodeName; the scheduler never does.

    pod web-1 ADDED → filter 2 of 2 → score worker-1 487, worker-2 501 → POST pods/web-1/binding {target: worker-2}
                                                                        → POST events "Successfully assigned …"
    no node would do → POST events FailedScheduling "0/2 nodes are available: …" → PATCH pods/web-1/status
    PodScheduled=False

Modelled on `pkg/scheduler/schedule_one.go`. Left out: profiles, extenders, preemption, volumes,
percentageOfNodesToScore (below 100 nodes all are scored anyway).
"""

import asyncio
from typing import TYPE_CHECKING, Any

from cluster_engine.api import time
from cluster_engine.api.kinds import NODE, POD, REPLICA_SET, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import LabelSelector, Requirement, label_selector_from_object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.apiserver.serving.health import Checks, well
from cluster_engine.client import Client, EventRecorder, Informer, LeaderElector, Limit, key_of
from cluster_engine.scheduler import filters, scores
from cluster_engine.scheduler.configuration import configuration
from cluster_engine.scheduler.metrics import SchedulerMetrics
from cluster_engine.scheduler.nodes import Cache, NodeInfo
from cluster_engine.scheduler.queue import QueuedPod, SchedulingQueue
from cluster_engine.secure_port.port import SCHEDULER, SecurePort
from cluster_engine.version import user_agent

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

Objections = dict[str, filters.Objection]
NAME = "default-scheduler"
USER_AGENT = user_agent("kube-scheduler")
LIMIT = Limit(50, 100)
"""Requests of each client: --kube-api-qps and --kube-api-burst."""
UNFINISHED = "status.phase!=Succeeded,status.phase!=Failed"


async def main(process: "Process", *, kubeconfig: str, secure_port: int = SCHEDULER) -> None:
    """Run the scheduler. SystemExit with code 1 when leadership is lost."""
    with process.starting():
        client = Client.from_kubeconfig(process, kubeconfig, user_agent=f"{USER_AGENT}/scheduler", limit=LIMIT)
    elector = LeaderElector(client.with_user_agent(f"{USER_AGENT}/leader-election"), process, "kube-scheduler")
    scheduler = Scheduler(process, client)
    led: Checks = {"leaderElection": elector.check}
    ready: Checks = {**led, "shutdown": well, "sched-handler-sync": scheduler.check_synced}
    probes = {"healthz": led, "livez": {"ping": well}, "readyz": ready}
    port = SecurePort(process, client, probes, configuration(kubeconfig, LIMIT, NAME))
    with process.until_stopped():
        async with port.open(secure_port), asyncio.TaskGroup() as tasks:
            for informer in scheduler.informers:
                tasks.create_task(informer.run(), name=f"informer {informer.kind.plural}")
            for informer in scheduler.informers:
                await informer.synced()
            process.ready()
            await elector.lead(scheduler.run())


class Scheduler:
    """The cache, the queue, and the cycle between them."""

    def __init__(self, process: "Process", client: Client) -> None:
        self._process = process
        self._client = client
        self._events = EventRecorder(client.with_user_agent(f"{USER_AGENT}/events"), process, NAME)
        self._pods = Informer(client, POD, process, field_selector=UNFINISHED)
        self._nodes = Informer(client, NODE, process)
        self._services = Informer(client, SERVICE, process)
        self._replica_sets = Informer(client, REPLICA_SET, process)
        self.informers = (self._nodes, self._pods, self._services, self._replica_sets)
        self._cache = Cache()
        self._queue = SchedulingQueue()
        self._metrics = SchedulerMetrics(process.metrics, self._queue)
        self._nodes.on(add=self._node_added, update=self._node_updated, delete=self._cache.remove_node)
        self._pods.on(add=self._pod_added, update=self._pod_updated, delete=self._pod_deleted)

    async def run(self) -> None:
        """Schedule for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._events.run())
            while True:
                queued = await self._queue.pop()
                began = asyncio.get_running_loop().time()
                await self._process.work("scheduler.cycle")
                queued.pod = self._pods.get(key_of(queued.pod)) or queued.pod  # it may have changed meanwhile
                node, objections = self._choose(queued.pod)
                if node is not None or objections is not None:
                    self._metrics.attempted(began, unschedulable=node is None)
                if objections is not None:
                    message = filters.message(objections)
                    self._fail(queued, message)
                    tasks.create_task(self._say_unschedulable(queued.pod, message))
                elif node is not None:
                    self._cache.assume(queued.pod, node)
                    tasks.create_task(self._bind(queued, node))

    async def check_synced(self) -> str | None:
        """Say what is wrong: that a list has not come yet."""
        return None if all(one.has_synced for one in self.informers) else "waiting for handlers to sync"

    # -- what it hears

    def _node_added(self, node: Object) -> None:
        self._cache.set_node(node)
        self._queue.something_changed()

    def _node_updated(self, old: Object, new: Object) -> None:
        self._cache.set_node(new)
        if _matters(old) != _matters(new):
            self._queue.something_changed()

    def _pod_added(self, pod: Object) -> None:
        if pod["spec"].get("nodeName"):
            self._cache.confirm(pod)
        elif _is_ours(pod):
            self._queue.add(pod)

    def _pod_updated(self, old: Object, new: Object) -> None:
        if new["spec"].get("nodeName"):
            self._queue.remove(new)
            self._cache.confirm(new)
        elif not self._cache.is_known(key_of(new)) and _is_ours(new):
            if _is_ours(old):
                self._queue.update(old, new)
            else:
                self._queue.add(new)

    def _pod_deleted(self, pod: Object) -> None:
        self._queue.remove(pod)
        if self._cache.is_known(key_of(pod)):
            self._cache.remove_pod(pod)
            self._queue.something_changed()

    # -- the scheduling cycle

    def _choose(self, pod: Object) -> tuple[str | None, Objections | None]:
        """Choose a node for the pod, or say why none would do; (None, None) when it needs none any more."""
        if "deletionTimestamp" in pod["metadata"] or self._cache.is_known(key_of(pod)):
            return None, None
        nodes = self._cache.nodes()
        objections = {info.name: found for info in nodes if (found := filters.objection(pod, info)) is not None}
        feasible = [info for info in nodes if info.name not in objections]
        if not feasible:
            return None, objections
        table = scores.score(pod, feasible, self._siblings(pod)) if len(feasible) > 1 else {feasible[0].name: {}}
        node = self._best(feasible, table)
        self._tell(pod, node, table, objections)
        return node, None

    def _best(self, feasible: list[NodeInfo], table: dict[str, scores.Scores]) -> str:
        most = max(sum(points.values()) for points in table.values())
        best = [info.name for info in feasible if sum(table[info.name].values()) == most]
        return best[0] if len(best) == 1 else self._process.rng.choice(best)

    def _tell(self, pod: Object, node: str, table: dict[str, scores.Scores], objections: Objections) -> None:
        totals = {name: sum(points.values()) for name, points in table.items()}
        told = ", ".join(f"{name} {total}" for name, total in totals.items())
        text = f"{key_of(pod)}: {told} → {node}" if len(table) > 1 else f"{key_of(pod)}: only {node} would do"
        self._process.note(
            "scheduler.scores",
            text,
            pod=key_of(pod),
            node=node,
            scores=table,
            totals=totals,
            filtered={name: list(each.reasons) for name, each in objections.items()},
        )

    def _siblings(self, pod: Object) -> LabelSelector | None:
        """Select the pods this one is to be spread with: those of its Services and its ReplicaSet."""
        metadata = pod["metadata"]
        labels, namespace = metadata.get("labels", {}), metadata["namespace"]
        found: list[Requirement] = []
        for service in self._services.items():
            selector = service["spec"].get("selector")
            if selector and service["metadata"]["namespace"] == namespace and selector.items() <= labels.items():
                found += label_selector_from_object({"matchLabels": selector}).requirements
        for reference in metadata.get("ownerReferences") or ():
            owner = self._replica_sets.get(f"{namespace}/{reference['name']}")
            if reference.get("controller") and reference["kind"] == "ReplicaSet" and owner is not None:
                found += label_selector_from_object(owner["spec"]["selector"]).requirements
        return LabelSelector(tuple(found)) if found else None

    def _fail(self, queued: QueuedPod, message: str) -> None:
        pod = queued.pod
        self._process.note("scheduler.unschedulable", f"{key_of(pod)}: {message}", pod=key_of(pod), message=message)
        self._events.event(pod, "Warning", "FailedScheduling", message)
        self._queue.put_back(queued)

    async def _say_unschedulable(self, pod: Object, message: str) -> None:
        """Set PodScheduled=False, unless the pod says so already."""
        conditions = pod.get("status", {}).get("conditions") or ()
        known: Object = next((each for each in conditions if each["type"] == "PodScheduled"), {})
        if (known.get("status"), known.get("reason"), known.get("message")) == ("False", "Unschedulable", message):
            return
        now = time.rfc3339(self._process.now())
        since = known["lastTransitionTime"] if known.get("status") == "False" else now
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        metadata = pod["metadata"]
        patch = {"status": {"conditions": [{**condition, "lastProbeTime": None, "lastTransitionTime": since}]}}
        try:
            await self._client.patch(POD, metadata["name"], patch, metadata["namespace"], subresource="status")
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("scheduler.error", f"error updating pod {key_of(pod)}: {error}")

    # -- the binding cycle

    async def _bind(self, queued: QueuedPod, node: str) -> None:
        pod = queued.pod
        metadata = pod["metadata"]
        binding = {
            "kind": "Binding",
            "apiVersion": "v1",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
            "target": {"kind": "Node", "name": node},
        }
        try:
            await self._client.create(POD, binding, metadata["namespace"], name=metadata["name"], subresource="binding")
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._cache.forget(pod)
            self._queue.something_changed()
            if isinstance(error, NotFound) or self._pods.get(key_of(pod)) is None:
                return
            self._events.event(pod, "Warning", "FailedScheduling", f"binding rejected: {error}")
            self._queue.put_back(queued, retry=True)
            return
        self._events.event(pod, "Normal", "Scheduled", f"Successfully assigned {key_of(pod)} to {node}")


def _is_ours(pod: Object) -> bool:
    """Return whether the pod is to be scheduled, here and now."""
    spec = pod["spec"]
    return spec.get("schedulerName", NAME) == NAME and not spec.get("schedulingGates")


def _matters(node: Object) -> Any:
    """Return what of a node could make a pod schedulable."""
    status, spec = node.get("status", {}), node["spec"]
    ready = [(each["type"], each["status"]) for each in status.get("conditions") or ()]
    labels = node["metadata"].get("labels")
    return (status.get("allocatable"), labels, spec.get("taints"), spec.get("unschedulable"), ready)
