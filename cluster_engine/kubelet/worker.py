"""Pod workers: for each pod one, which brings what runs on the node in line with what the API says.

Theory of operation. A worker sleeps until the pod changes, something happens to its containers, or a timer rings; then
it looks at everything anew and does what is missing (`actions`). It never remembers what it was about to do. A pod goes
through three stages, and never back:

    syncing       make it run; tell its status; ends when the pod is to be deleted, or has ended by itself
    terminating   stop the containers (SIGTERM, grace, SIGKILL), then the sandbox; a shorter grace interrupts the wait
    terminated    tell the last status; wait until the API has let go of the pod; remove what is left on the node

After a failure the worker looks again after 10 … 15 s, else after 60 … 90 s. (That is why a CrashLoopBackOff of 10 s is
often over only after 15.) Modelled on pkg/kubelet/pod_workers.go and kubelet.go `SyncPod`.
"""

import asyncio
import enum
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.durations import go_duration
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import parse as parse_time
from cluster_engine.api.time import rfc3339
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import actions, pod_status, pods, termination
from cluster_engine.kubelet.backoff import Backoff
from cluster_engine.kubelet.containers import Containers, Place
from cluster_engine.kubelet.cri_config import sandbox_config
from cluster_engine.kubelet.images import Images, StartFailure
from cluster_engine.kubelet.pod_status import Knowledge, Waiting
from cluster_engine.kubelet.probes import Probes
from cluster_engine.kubelet.runtime import RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import PodRuntime, RuntimeCache
from cluster_engine.kubelet.status_manager import StatusManager
from cluster_engine.kubelet.volumes import VolumeFailure, Volumes
from cluster_engine.rpc import cri_pb2 as cri

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

ERROR_SECONDS, RESYNC_SECONDS, JITTER = 10.0, 60.0, 0.5
SOON_SECONDS = 1.0
"""After a failure that followed a new sandbox: the real kubelet's PLEG tells of that sandbox within a second."""


EVICTION_GRACE = 1
"""What a pod has for its end where a hard threshold is met, in seconds."""
DEADLINE_EXCEEDED = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class Stage(enum.Enum):
    """Where a worker is."""

    SYNCING = "syncing"
    TERMINATING = "terminating"
    TERMINATED = "terminated"


class NotYet(Exception):  # noqa: N818
    """Something is missing that may come; look again soon. The text says what."""


class Node(msgspec.Struct, kw_only=True):
    """What all workers of a kubelet share."""

    process: "Process"
    cache: RuntimeCache
    containers: Containers
    images: Images
    statuses: StatusManager
    recorder: EventRecorder
    volumes: Volumes
    probes: Probes
    host_ip: str
    network_problem: Callable[[], str]
    restarts: Backoff = msgspec.field(default_factory=Backoff)


class PodWorker:
    """The worker of one pod. `update`, `remove` and `look` may be called at any time; `run` does the work."""

    def __init__(self, node: Node, pod: Object) -> None:
        self._node = node
        self.pod = pod
        self.uid = pods.uid(pod)
        self.stage = Stage.TERMINATING if pods.is_deleted(pod) or pods.is_terminal(pod) else Stage.SYNCING
        self.removed = False
        self._evicted: tuple[str, str] | None = None
        self._seen = rfc3339(node.process.now())
        self._waiting: dict[str, Waiting] = {}
        self._news = asyncio.Event()
        self._must_look = False
        self._known: object = None
        self._made_sandbox = False
        self._scope: asyncio.Timeout | None = None

    # -- what others tell it -------------------------------------------------------------------------------------------

    def update(self, pod: Object) -> None:
        """Take the pod as the API has it now."""
        before, self.pod = self.pod, pod
        if self.stage is Stage.SYNCING and (pods.is_deleted(pod) or pods.is_terminal(pod)):
            self._end()
        elif self.stage is Stage.TERMINATING and pods.grace_seconds(pod) < pods.grace_seconds(before):
            self._interrupt()
        if before["spec"] != pod["spec"] or pods.is_deleted(before) != pods.is_deleted(pod):
            self.look()

    def remove(self) -> None:
        """Know that the API no longer has the pod."""
        self.removed = True
        if self.stage is Stage.SYNCING:
            self._end()
        self.look()

    @property
    def can_be_evicted(self) -> bool:
        """Whether it still is to run, and whoever wants its end could keep it from beginning again."""
        return self.stage is Stage.SYNCING and self._evicted is None and not pods.is_static(self.pod)

    def evict(self, message: str) -> None:
        """Have the pod fail, and its containers stopped."""
        self._evicted = ("Evicted", message)
        self.look()

    def containers_changed(self) -> None:
        """Know that something happened to the pod's containers."""
        self._news.set()

    def look(self) -> None:
        """Look again, even if all containers are as they were."""
        self._must_look = True
        self._news.set()

    def _end(self) -> None:
        self.stage = Stage.TERMINATING
        self._interrupt()
        self.look()

    def _interrupt(self) -> None:
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())

    # -- the stages ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until nothing of the pod is left, neither in the API nor on the node."""
        while self.stage is Stage.SYNCING:
            done = await self._try(self._sync)
            if self.stage is Stage.SYNCING:
                await self._pause(RESYNC_SECONDS if done else SOON_SECONDS if self._made_sandbox else ERROR_SECONDS)
        while self.stage is Stage.TERMINATING:
            if not await self._try(self._terminate):
                await self._pause(ERROR_SECONDS)
        await self._wait_until_removed()
        while not await self._try(self._clean_up):
            await self._pause(ERROR_SECONDS)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Run one step; tell whether it came to its end. An interrupted one did not."""
        self._must_look = False
        self._made_sandbox = False
        self._known = _signature(self._node.cache.get(self.uid))  # what changes later is news
        scope = self._scope = asyncio.timeout(None)
        try:
            async with scope:
                await self._node.process.work("kubelet.sync")
                await step()
        except TimeoutError as error:
            if scope.expired():
                self.look()
            else:
                self._note(error)
            return False
        except (NotYet, RuntimeRefusal, VolumeFailure, Refusal, ConnectionError) as error:
            self._note(error)
            return False
        finally:
            self._scope = None
        return True

    def _note(self, error: Exception) -> None:
        self._node.process.note(
            "kubelet.sync", f"pod {pods.full_name(self.pod)}: {error}", pod=pods.full_name(self.pod)
        )

    async def _pause(self, seconds: float) -> None:
        """Wait for news, or for the time to look again anyway."""
        try:
            seconds *= 1 + JITTER * self._node.process.rng.random()
            async with asyncio.timeout(min(seconds, self._seconds_left())):
                while not self._must_look and self._known == _signature(self._node.cache.get(self.uid)):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass

    def _seconds_left(self) -> float:
        """Return until when the pod may be active, in seconds from now."""
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        began = (self._node.statuses.status(self.pod) or {}).get("startTime")
        if deadline is None or not began or self.stage is not Stage.SYNCING:
            return math.inf
        passed = (self._node.process.now() - parse_time(began)).total_seconds()
        return max(0.0, float(deadline) - passed)

    # -- syncing -------------------------------------------------------------------------------------------------------

    async def _sync(self) -> None:
        node, pod = self._node, self.pod
        runtime = node.cache.get(self.uid)
        status = self._tell(runtime)
        if status["phase"] in pods.TERMINAL_PHASES:
            if status.get("reason") == DEADLINE_EXCEEDED[0]:
                node.recorder.event(pod, "Normal", *DEADLINE_EXCEEDED)
            self.stage = Stage.TERMINATING
            return
        problem = node.network_problem()
        if problem and not pods.uses_host_network(pod):
            node.recorder.event(pod, "Warning", "NetworkNotReady", f"network is not ready: {problem}")
            raise NotYet(problem)
        await node.volumes.mount(pod)
        _, started = node.probes.results(self.uid)
        await self._act(actions.compute(pod, runtime, node.probes.unhealthy(self.uid), started), runtime)

    async def _act(self, wanted: actions.Actions, runtime: PodRuntime) -> None:
        node, pod = self._node, self.pod
        if wanted.kill_pod and runtime.sandboxes:
            if wanted.create_sandbox:
                text = "Pod sandbox changed, it will be killed and re-created."
                node.recorder.event(pod, "Normal", "SandboxChanged", text)
            await node.containers.kill_all(pod, pods.grace_seconds(pod))
        for kill in wanted.kill:
            await node.containers.kill(pod, kill.status, pods.grace_seconds(pod), kill.message)
        starts = [*wanted.ephemeral, *([wanted.next_init] if wanted.next_init else wanted.start)]
        if not starts or (wanted.kill_pod and not wanted.create_sandbox):
            return
        sandbox = runtime.sandbox
        attempt = wanted.attempt if sandbox is None or wanted.create_sandbox else sandbox.status.metadata.attempt
        config = sandbox_config(pod, attempt, self._seen)
        if wanted.create_sandbox or sandbox is None:
            place = await node.containers.make_sandbox(pod, config)
            self._made_sandbox = True
        else:
            place = Place(sandbox.status.id, config)
        await self._start(starts, place)

    async def _start(self, containers: list[Object], place: Place) -> None:
        """Start containers in order; one that cannot be started does not keep the others from it."""
        failures = []
        for container in containers:
            try:
                self._mind_backoff(container)
                await self._node.containers.start(self.pod, container, place)
            except StartFailure as failure:
                self._waiting[container["name"]] = Waiting(failure.reason, str(failure))
                failures.append(f"{failure.reason}: {failure}")
            else:
                self._waiting.pop(container["name"], None)
        runtime = self._node.cache.get(self.uid)
        self._tell(runtime)
        if failures:
            raise NotYet("; ".join(failures))
        running = {status.metadata.name for status in runtime.running()}
        if any(container["name"] not in running or pods.is_sidecar(container) for container in containers):
            self.look()  # it has ended already, or the next one need not wait for its end

    def _tell(self, runtime: PodRuntime) -> Object:
        """Tell the status, and remember from what it was made; what runs is probed from now on."""
        self._known = _signature(runtime)
        self._node.probes.follow(self.pod, runtime, self.look)
        status = self._status(runtime)
        self._node.statuses.set(self.pod, status)
        return status

    def _mind_backoff(self, container: Object) -> None:
        """Raise StartFailure while a container that has ended must wait before it is started again."""
        latest = self._node.cache.get(self.uid).latest(container["name"])
        if latest is None or latest.state != cri.CONTAINER_EXITED:
            return
        now = asyncio.get_running_loop().time()
        ended = now - (self._node.process.now().timestamp() - latest.finished_at / 1e9)
        key = f"{self.uid}/{container['name']}/{actions.container_hash(container)}"
        restarts = self._node.restarts
        if not restarts.in_backoff_since(key, ended, now):
            restarts.next(key, ended, now)
            return
        name, formatted = container["name"], pods.format_pod(self.pod)
        text = f"Back-off restarting failed container {name} in pod {formatted}"
        self._node.recorder.event(
            self.pod, "Warning", "BackOff", text, field_path=pods.container_field(self.pod, container)
        )
        wait = go_duration(restarts.seconds(key))
        raise StartFailure("CrashLoopBackOff", f"back-off {wait} restarting failed container={name} pod={formatted}")

    # -- terminating and terminated ------------------------------------------------------------------------------------

    async def _terminate(self) -> None:
        node = self._node
        node.probes.stop(self.uid)
        await node.containers.kill_all(self.pod, EVICTION_GRACE if self._evicted else pods.grace_seconds(self.pod))
        self.stage = Stage.TERMINATED
        node.volumes.unmount(self.uid)
        node.images.forget(self.uid)
        node.restarts.forget(f"{self.uid}/")
        self._finish()

    def _finish(self) -> None:
        if not self.removed:
            status = self._status(self._node.cache.get(self.uid), is_terminating=True)
            self._node.statuses.finish(self.pod, status)

    async def _wait_until_removed(self) -> None:
        told_deleted = pods.is_deleted(self.pod)
        while not self.removed:
            await self._news.wait()
            self._news.clear()
            if pods.is_deleted(self.pod) and not told_deleted:
                told_deleted = True
                self._finish()
        self._node.statuses.forget(self.uid)

    async def _clean_up(self) -> None:
        await self._node.containers.remove_all(self.uid)
        self._node.volumes.remove(self.uid)

    def _status(self, runtime: PodRuntime, *, is_terminating: bool = False) -> Object:
        node = self._node
        ready, started = node.probes.results(self.uid)
        knowledge = Knowledge(
            now=node.process.now(),
            host_ip=node.host_ip,
            waiting=self._current_waiting(runtime),
            last_words=termination.messages(runtime, node.process.files),
            probed_ready=ready,
            probed_started=started,
            is_terminating=is_terminating,
            failure=self._evicted or (DEADLINE_EXCEEDED if self._seconds_left() == 0 else None),
        )
        return pod_status.generate(self.pod, runtime, node.statuses.status(self.pod), knowledge)

    def _current_waiting(self, runtime: PodRuntime) -> Mapping[str, Waiting]:
        """Leave out what is no longer so: a container that runs does not wait."""
        running = {status.metadata.name for status in runtime.running()}
        return {name: waiting for name, waiting in self._waiting.items() if name not in running}


def _signature(runtime: PodRuntime) -> object:
    """Return what decisions depend on: which sandboxes and containers there are, in which state."""
    return tuple(
        (id_, sandbox.status.state, tuple((status.id, status.state) for status in sandbox.containers))
        for id_, sandbox in runtime.sandboxes.items()
    )
