"""The DaemonSet controller: one pod on each node that should have one.

Theory of operation. It goes through the nodes, not through a number: where a pod is missing it makes one, where one
has no business, or a second is, it deletes it (`daemon_pods`). A new template becomes a new ControllerRevision; in a
rolling update it then deletes pods of older ones, never more than `maxUnavailable` nodes without an available pod, and
makes the new ones in their place; with `maxSurge` it makes the new one beside the old one, which goes once the new one
is available. Counts of nodes go into the status.

    nodes {a, b}, pods {}      → POST controllerrevisions, POST pod, POST pod → PUT daemonsets/status 2 desired
    template changed           → POST controllerrevisions; DELETE pod on a → POST pod → (ready) → DELETE pod on b …

Modelled on `pkg/controller/daemon/{daemon_controller,update}.go`.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime

from cluster_engine.api.kinds import DAEMON_SET, NODE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers import daemon_pods, pods
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.daemon_pods import HASH, should_run, target_of
from cluster_engine.controllers.expectations import Expectations
from cluster_engine.controllers.history import History
from cluster_engine.controllers.owned_pods import OwnedPods
from cluster_engine.controllers.ownership import is_deleting
from cluster_engine.controllers.pod_control import Failure, PodControl, slow_start
from cluster_engine.controllers.rolling import share

WORKERS = 2
PODS_A_SYNC_MAX = 250
FAILED_POD_SECONDS, FAILED_POD_SECONDS_MAX = 1.0, 900.0
"""Before a pod that has failed on a node is replaced there, doubled each time."""


class DaemonSetController:
    """Keeps DaemonSets; see the module's text."""

    def __init__(self, context: Context) -> None:
        self._process = context.process
        self._client = context.client
        self._events = context.events
        self._sets = context.informers.informer(DAEMON_SET)
        self._nodes = context.informers.informer(NODE)
        self._history = History(context, DAEMON_SET, HASH)
        self._queue = WorkQueue[str]("daemonset")
        self._expectations = Expectations()
        self._pods = OwnedPods(context, DAEMON_SET, self._queue, self._expectations)
        self._control = PodControl(context, self._expectations)
        self._failed: dict[tuple[str, str], tuple[float, float]] = {}
        """By DaemonSet and node: until when a failed pod stays there, and the wait after that."""
        self._sets.on(delete=self._gone)
        self._nodes.on(add=self._node_changed, update=self._node_updated, delete=self._node_changed)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=WORKERS)

    # -- what wakes it

    def _enqueue(self, daemon_set: Object) -> None:
        self._queue.add(key_of(daemon_set))

    def _gone(self, daemon_set: Object) -> None:
        key = key_of(daemon_set)
        self._failed = {which: until for which, until in self._failed.items() if which[0] != key}

    def _node_changed(self, _: Object) -> None:
        for one in self._sets.items():
            self._enqueue(one)

    def _node_updated(self, old: Object, new: Object) -> None:
        """Look again where it matters: most news of a node are heartbeats."""
        for one in self._sets.items():
            if should_run(one, old) != should_run(one, new):
                self._enqueue(one)

    # -- one sync

    async def _sync(self, key: str) -> None:
        daemon_set = self._sets.get(key)
        if daemon_set is None or is_deleting(daemon_set):
            return
        current, old = await self._history.present(daemon_set)
        digest = self._history.digest_of(current)
        failure: Failure | None = None
        if self._expectations.satisfied(key):
            by_node = await self._by_node(daemon_set)
            failure = await self._manage(key, daemon_set, by_node, digest)
            if failure is None and self._expectations.satisfied(key):
                failure = await self._roll(key, daemon_set, await self._by_node(daemon_set), digest)
            await self._history.forget(daemon_set, old, self._used(daemon_set))
        await self._write_status(daemon_set, await self._by_node(daemon_set), digest)
        if failure is not None:
            raise failure

    async def _by_node(self, daemon_set: Object) -> dict[str, list[Object]]:
        """Gather the pods that are the DaemonSet's, by the node they are on or for."""
        found: dict[str, list[Object]] = {}
        for pod in await self._pods.claim(daemon_set):
            found.setdefault(target_of(pod), []).append(pod)
        return found

    def _used(self, daemon_set: Object) -> set[str]:
        """Return the hashes that pods carry."""
        return {(pod["metadata"].get("labels") or {}).get(HASH, "") for pod in self._pods.of(daemon_set)}

    def _wanting(self, daemon_set: Object) -> list[str]:
        """Name the nodes that should have a pod."""
        return [node["metadata"]["name"] for node in self._nodes.items() if should_run(daemon_set, node)[0]]

    async def _manage(
        self, key: str, daemon_set: Object, by_node: dict[str, list[Object]], digest: str
    ) -> Failure | None:
        missing, surplus = [], []
        nodes = {node["metadata"]["name"]: node for node in self._nodes.items()}
        for name, node in nodes.items():
            should, may_stay = should_run(daemon_set, node)
            here = by_node.get(name, [])
            if should and not here:
                missing.append(name)
            elif not may_stay:
                surplus += [pod for pod in here if not is_deleting(pod)]
            else:
                surplus += self._dispensable(key, daemon_set, name, here, digest)
        unbound = [pod for name, here in by_node.items() if name not in nodes for pod in here]
        surplus += [pod for pod in unbound if not pod["spec"].get("nodeName") and not is_deleting(pod)]
        return await self._act(key, daemon_set, missing, surplus, digest)

    def _dispensable(self, key: str, daemon_set: Object, node: str, here: list[Object], digest: str) -> list[Object]:
        """Return the pods of a node that are to go: failed ones, after a while, and all but the oldest.

        While one is replaced by another beside it, the oldest of the old and of the new stay.
        """
        alive = [pod for pod in here if not is_deleting(pod)]
        failed = [pod for pod in alive if pods.phase(pod) == "Failed"]
        running = [pod for pod in alive if pod not in failed]
        gone: list[Object] = []
        for pod in failed:
            if self._may_replace(key, node):
                text = f"Found failed daemon pod {key_of(pod)} on node {node}, will try to kill it"
                self._events.event(daemon_set, "Warning", "FailedDaemonPod", text)
                gone.append(pod)
        running.sort(key=lambda pod: (not pod["spec"].get("nodeName"), pod["metadata"]["creationTimestamp"]))
        if not _surge_of(daemon_set):
            return gone + running[1:]
        old = [pod for pod in running if not _is_of(pod, digest)]
        new = [pod for pod in running if _is_of(pod, digest)]
        over = new and old and (not pods.is_ready(old[0]) or self._is_available(daemon_set, new[0]))
        return gone + new[1:] + (old if over else old[1:])

    def _is_available(self, daemon_set: Object, pod: Object) -> bool:
        return pods.is_available(pod, daemon_set["spec"].get("minReadySeconds", 0), self._process.now())

    def _may_replace(self, key: str, node: str) -> bool:
        now = asyncio.get_running_loop().time()
        until, wait = self._failed.get((key, node), (now, FAILED_POD_SECONDS))
        if now < until:
            self._queue.add_after(key, until - now)
            return False
        self._failed[key, node] = (now + wait, min(2 * wait, FAILED_POD_SECONDS_MAX))
        return True

    async def _roll(
        self, key: str, daemon_set: Object, by_node: dict[str, list[Object]], digest: str
    ) -> Failure | None:
        """Delete pods of older templates, as many as may be missing."""
        strategy = daemon_set["spec"].get("updateStrategy") or {}
        if strategy.get("type") != "RollingUpdate":
            return None
        if _surge_of(daemon_set):
            return await self._surge(key, daemon_set, by_node, digest)
        wanting, now = self._wanting(daemon_set), self._process.now()
        rolling = strategy.get("rollingUpdate") or {}
        most = share(rolling.get("maxUnavailable", 1), len(wanting), up=True) or 1
        seconds, unavailable = daemon_set["spec"].get("minReadySeconds", 0), 0
        candidates: list[Object] = []
        broken: list[Object] = []
        for node in wanting:
            here = by_node.get(node, [])
            stale = [pod for pod in here if not _is_of(pod, digest)]
            available = any(pods.is_available(pod, seconds, now) and not is_deleting(pod) for pod in here)
            unavailable += not available
            old = [pod for pod in stale if not is_deleting(pod)]
            (candidates if available else broken).extend(old)
        room = max(0, most - unavailable)
        return await self._act(key, daemon_set, [], broken + candidates[:room], digest)

    async def _surge(
        self, key: str, daemon_set: Object, by_node: dict[str, list[Object]], digest: str
    ) -> Failure | None:
        """Make pods of the new template beside the old ones, on as many nodes as may have two."""
        wanting = self._wanting(daemon_set)
        at_once: list[str] = []
        candidates: list[str] = []
        waiting = 0
        for node in wanting:
            alive = [pod for pod in by_node.get(node, []) if not is_deleting(pod)]
            new = [pod for pod in alive if _is_of(pod, digest)]
            old = [pod for pod in alive if not _is_of(pod, digest)]
            if new:
                waiting += bool(old) and not self._is_available(daemon_set, new[0])
            elif old:
                (candidates if self._is_available(daemon_set, old[0]) else at_once).append(node)
        room = max(0, (share(_surge_of(daemon_set), len(wanting), up=True) or 1) - waiting)
        return await self._act(key, daemon_set, at_once + candidates[:room], [], digest)

    async def _act(
        self, key: str, daemon_set: Object, missing: list[str], surplus: list[Object], digest: str
    ) -> Failure | None:
        missing, surplus = missing[:PODS_A_SYNC_MAX], surplus[:PODS_A_SYNC_MAX]
        if not missing and not surplus:
            return None
        self._expectations.expect(key, creations=len(missing), deletions=[key_of(pod) for pod in surplus])
        left = iter(missing)
        created, failure = await slow_start(
            len(missing), lambda: self._control.create(daemon_set, daemon_pods.pod_of(daemon_set, next(left), digest))
        )
        for _ in range(len(missing) - created):
            self._expectations.created(key)
        deletions: list[Awaitable[Failure | None]] = [self._control.delete(daemon_set, key, pod) for pod in surplus]
        failures = [failure, *await asyncio.gather(*deletions)]
        return next((each for each in failures if each is not None), None)

    # -- status

    async def _write_status(self, daemon_set: Object, by_node: dict[str, list[Object]], digest: str) -> None:
        status = self._status(daemon_set, by_node, digest, self._process.now())
        if status == daemon_set.get("status", {}):
            return
        try:
            await self._client.update(DAEMON_SET, {**daemon_set, "status": status}, "status")
        except Conflict:  # somebody changed its spec meanwhile; what was counted is still true
            metadata = daemon_set["metadata"]
            live = await self._client.get(DAEMON_SET, metadata["name"], metadata["namespace"])
            await self._client.update(DAEMON_SET, {**live, "status": status}, "status")

    def _status(self, daemon_set: Object, by_node: dict[str, list[Object]], digest: str, now: datetime) -> Object:
        seconds = daemon_set["spec"].get("minReadySeconds", 0)
        desired = current = misscheduled = ready = updated = available = 0
        for node in self._nodes.items():
            here = by_node.get(node["metadata"]["name"], [])
            if not should_run(daemon_set, node)[0]:
                misscheduled += bool(here)
                continue
            desired += 1
            current += bool(here)
            oldest = min(here, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)
            if oldest is None:
                continue
            ready += pods.is_ready(oldest)
            available += pods.is_ready(oldest) and pods.is_available(oldest, seconds, now)
            updated += _is_of(oldest, digest)
        numbers = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": desired - available,
            "observedGeneration": daemon_set["metadata"].get("generation", 0),
        }
        kept = {"collisionCount": count} if (count := daemon_set.get("status", {}).get("collisionCount")) else {}
        return {
            "currentNumberScheduled": current,
            "numberMisscheduled": misscheduled,
            "desiredNumberScheduled": desired,
            "numberReady": ready,
            **{name: number for name, number in numbers.items() if number},
            **kept,
        }


def _surge_of(daemon_set: Object) -> int | str:
    """Return how many nodes may have two pods meanwhile; 0 for none."""
    rolling = (daemon_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge: int | str = rolling.get("maxSurge", 0)
    return 0 if str(surge).rstrip("%").strip("0") == "" else surge


def _is_of(pod: Object, digest: str) -> bool:
    """Return whether a pod is of this template."""
    return (pod["metadata"].get("labels") or {}).get(HASH) == digest
