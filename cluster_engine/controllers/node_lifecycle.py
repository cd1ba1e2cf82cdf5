"""The node-lifecycle controller: notices silence, says so in conditions, and taints.

Theory of operation. Nobody tells it that a node is gone; a node only stops speaking. Every 5 s it looks whether a
node's Lease (kube-node-lease) or its Ready condition's heartbeat has changed since it looked before, *by its own
clock*. After 50 s without change the four conditions become Unknown and the node's pods are told to be not Ready.
Taints follow the conditions: NoSchedule at once, NoExecute through a queue that lets one node through in 10 s, so that
a mistaken controller cannot empty a cluster at once; and when *no* node is heard, nothing is tainted NoExecute at all:
then it is more likely this controller that is cut off.

    0 s last renewal   53 s Ready=Unknown, unreachable:NoSchedule, pods Ready=False   58 s unreachable:NoExecute

What NoExecute does to pods is `taint_eviction`'s. Modelled on
`pkg/controller/nodelifecycle/node_lifecycle_controller.go`. Left out: zones (all nodes are in one), the partial
disruption of large zones' slower rate, labels.
"""

import asyncio

import msgspec

from cluster_engine.api import time
from cluster_engine.api.kinds import LEASE, NODE, POD
from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.client import WorkQueue
from cluster_engine.controllers import pods, taints
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.pods import condition

MONITOR_PERIOD_SECONDS = 5.0
MONITOR_GRACE_SECONDS = 50.0
STARTUP_GRACE_SECONDS = 60.0
EVICTION_INTERVAL_SECONDS = 10.0
TIMER_SLACK_SECONDS = 0.001
"""Here passes take no time, so the tenth comes after exactly 50 s; a real one's comes some milliseconds later."""
LEASE_NAMESPACE = "kube-node-lease"
WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
WORKERS = 2


class _Health(msgspec.Struct):
    """When something of the node was last seen to change, by this controller's clock."""

    seen_at: float
    heartbeat: str
    renewed: str


class NodeLifecycleController:
    """Watches over nodes; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._nodes = context.informers.informer(NODE)
        self._leases = context.informers.informer(LEASE)
        self._pods = context.informers.informer(POD)
        self._pods.add_index("node", lambda pod: [pod["spec"]["nodeName"]] if pod["spec"].get("nodeName") else [])
        self._health: dict[str, _Health] = {}
        self._queue = WorkQueue[str]("node_lifecycle_controller")
        self._unmarked: dict[str, None] = {}
        """Nodes that have fallen silent, and whose pods still are to be told not ready."""
        self._to_taint: dict[str, str] = {}
        self._taint_wanted = asyncio.Event()
        self._all_silent = False
        self._nodes.on(add=self._seen, update=lambda _, new: self._seen(new), delete=self._gone)

    def _seen(self, node: Object) -> None:
        self._queue.add(node["metadata"]["name"])

    def _gone(self, node: Object) -> None:
        name = node["metadata"]["name"]
        self._health.pop(name, None)
        self._unmarked.pop(name, None)
        self._to_taint.pop(name, None)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run(self._taint_no_schedule, workers=WORKERS))
            tasks.create_task(self._taint_no_execute())
            while True:
                await self._monitor()
                await asyncio.sleep(MONITOR_PERIOD_SECONDS)

    # -- every five seconds

    async def _monitor(self) -> None:
        observed: dict[str, str] = {}
        for node in self._nodes.items():
            name = node["metadata"]["name"]
            before = condition(node, "Ready")
            observed[name] = before["status"] if before else "Unknown"
            try:
                status = await self._check(node)
                if before is not None:
                    await self._queue_taint(node, before["status"])
                    if status != "True" and before["status"] == "True":
                        self._events.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
                        self._unmarked[name] = None
                    if status == "True":
                        self._unmarked.pop(name, None)
                    elif name in self._unmarked:
                        await self._mark_pods(name)
                        del self._unmarked[name]
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._process.note("node.monitor", f"error monitoring node {name} health: {error}", node=name)
        await self._judge_disruption(observed)

    async def _check(self, node: Object) -> str:
        """Compare what is heard of a node with what was; give its Ready status, after setting it to Unknown if due."""
        now = asyncio.get_running_loop().time()
        name = node["metadata"]["name"]
        ready = condition(node, "Ready")
        lease = self._leases.get(f"{LEASE_NAMESPACE}/{name}") or {}
        heartbeat = f"{ready.get('lastHeartbeatTime')} {ready['status']}" if ready else ""
        renewed = lease.get("spec", {}).get("renewTime", "")
        health = self._health.get(name)
        if health is None or health.heartbeat != heartbeat or (renewed and renewed != health.renewed):
            health = self._health[name] = _Health(now, heartbeat, renewed)
        grace = MONITOR_GRACE_SECONDS if ready else STARTUP_GRACE_SECONDS
        if now - health.seen_at < grace - TIMER_SLACK_SECONDS:
            return ready["status"] if ready else "Unknown"
        await self._say_unknown(node, health)
        return "Unknown"

    async def _say_unknown(self, node: Object, health: _Health) -> None:
        now = time.rfc3339(self._process.now())
        conditions = [dict(each) for each in node.get("status", {}).get("conditions", ())]
        changed = False
        for type_ in WATCHED:
            known = next((each for each in conditions if each["type"] == type_), None)
            if known is None:
                text = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
                created = node["metadata"].get("creationTimestamp", now)
                times = {"lastHeartbeatTime": created, "lastTransitionTime": now}
                conditions.append({"type": type_, "status": "Unknown", **times, **text})
                changed = True
            elif known["status"] != "Unknown":
                text = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
                known.update(status="Unknown", lastTransitionTime=now, **text)
                changed = True
        if changed:
            updated = {**node, "status": {**node.get("status", {}), "conditions": conditions}}
            await self._client.update(NODE, updated, "status")
            heartbeat = condition(updated, "Ready") or {}
            health.heartbeat = f"{heartbeat.get('lastHeartbeatTime')} Unknown"

    async def _mark_pods(self, name: str) -> None:
        """Say of each pod on a node that is not ready that it is not Ready either.

        A PUT of each pod's status, as this controller knows it (pkg/controller/util/node, MarkPodsNotReady). Raise what
        was refused, a conflict say, once all have been tried.
        """
        failure: Refusal | None = None
        for pod in self._pods.by_index("node", name):
            if not pods.is_ready(pod):
                continue
            try:
                await self._client.update(POD, _not_ready(pod, time.rfc3339(self._process.now())), "status")
            except NotFound:
                continue
            except Refusal as refusal:
                failure = refusal
                continue
            self._events.event(pod, "Warning", "NodeNotReady", "Node is not ready")
        if failure is not None:
            raise failure

    # -- taints

    async def _queue_taint(self, node: Object, observed: str) -> None:
        """Decide on NoExecute by what was seen *before* this pass: that is why it comes one pass later."""
        name = node["metadata"]["name"]
        if observed == "True":
            self._to_taint.pop(name, None)
            await self._swap(node, [], [taints.NOT_READY_NO_EXECUTE, taints.UNREACHABLE_NO_EXECUTE])
            return
        wanted, other = taints.NOT_READY_NO_EXECUTE, taints.UNREACHABLE_NO_EXECUTE
        if observed == "Unknown":
            wanted, other = other, wanted
        if taints.has(node, other):  # the reason has changed: no need to queue again
            await self._swap(node, [wanted], [other])
        elif not taints.has(node, wanted):
            self._to_taint[name] = observed
            self._taint_wanted.set()

    async def _taint_no_execute(self) -> None:
        """Let one node through in EVICTION_INTERVAL_SECONDS; the first at once."""
        while True:
            await self._taint_wanted.wait()
            self._taint_wanted.clear()
            while self._to_taint and not self._all_silent:
                name = next(iter(self._to_taint))
                observed = self._to_taint.pop(name)
                node = self._nodes.get(name)
                if node is None:
                    continue
                wanted, other = taints.NOT_READY_NO_EXECUTE, taints.UNREACHABLE_NO_EXECUTE
                if observed == "Unknown":
                    wanted, other = other, wanted
                try:
                    await self._swap(node, [wanted], [other])
                except (Refusal, ConnectionError, TimeoutError):
                    self._to_taint[name] = observed
                await asyncio.sleep(EVICTION_INTERVAL_SECONDS)

    async def _judge_disruption(self, observed: dict[str, str]) -> None:
        """Stop all evictions while no node at all is ready; begin afresh when one is again."""
        silent = bool(observed) and all(status != "True" for status in observed.values())
        if silent and not self._all_silent:
            self._process.note("node.disruption", "controller detected that all nodes are not ready: evictions stop")
            self._to_taint.clear()
            for node in self._nodes.items():
                await self._swap(node, [], [taints.NOT_READY_NO_EXECUTE, taints.UNREACHABLE_NO_EXECUTE])
        elif self._all_silent and not silent:
            self._process.note("node.disruption", "controller detected that some nodes are ready: evictions resume")
            for health in self._health.values():
                health.seen_at = asyncio.get_running_loop().time()
        self._all_silent = silent

    async def _taint_no_schedule(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is not None:
            wanted = taints.by_conditions(node)
            await self._swap(node, wanted, [taint for taint in taints.NO_SCHEDULE if taint not in wanted])

    async def _swap(self, node: Object, add: list[Object], remove: list[Object]) -> None:
        name = node["metadata"]["name"]
        node = self._nodes.get(name) or node
        patch = taints.swap_patch(node, add, remove, time.rfc3339(self._process.now()))
        if patch is not None:
            await self._client.patch(NODE, name, patch)


def _not_ready(pod: Object, now: str) -> Object:
    """Return a copy of a pod whose Ready condition is False since now."""
    changed = {"status": "False", "lastTransitionTime": now}
    conditions = [
        {**each, **changed} if each["type"] == "Ready" else each for each in pod["status"].get("conditions") or ()
    ]
    return {**pod, "status": {**pod["status"], "conditions": conditions}}
