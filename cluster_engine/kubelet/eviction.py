"""Eviction: when memory, disk or process numbers of the node run short, pods are ended, one every ten seconds.

    memory.available < 100Mi       the node's memory, less RESERVED and what the pods' programs hold
    nodefs.available < 10%         what is left of the node's disk; first go dead containers and unused images, and
                                   where that was enough, no pod
    pid.available < 10%            what is left of the machine's process numbers (`Host.pids_max`)

While it is so, and for five minutes after, the node says MemoryPressure, DiskPressure or PIDPressure: no new pod is
sent to it, and what comes anyway is not admitted (`admission`). Who holds more than it requested goes first, then
whoever has the lower priority, then who is furthest beyond its request; nobody can request process numbers. Critical
pods stay. An evicted pod is Failed, with the reason Evicted; its controller makes another.

Modelled on pkg/kubelet/eviction. By default a real kubelet has no threshold for process numbers. Left out: soft
thresholds, inodes, image filesystems, minimum reclaims.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import parse
from cluster_engine.client.events import EventRecorder
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.cri_config import pod_directory
from cluster_engine.kubelet.node import about_node
from cluster_engine.kubelet.node_status import CAPACITY
from cluster_engine.world.hardware import DISK_BYTES, disk_bytes, disk_left_bytes

if TYPE_CHECKING:
    from cluster_engine.kubelet.worker import PodWorker
    from cluster_engine.world.process import Process

LOOK_SECONDS = 10.0
TRANSITION_SECONDS = 300.0
"""evictionPressureTransitionPeriod: how long pressure is told of after it has gone."""
RESERVED_BYTES = 1024 * 1024 * 1024
"""What the system and the components of the node take."""
MEMORY_THRESHOLD_BYTES = 100 * 1024 * 1024
DISK_THRESHOLD = PID_THRESHOLD = 0.1
PIDS = "pids"
KIBIBYTE = 1024


class Signal(msgspec.Struct, frozen=True):
    """One resource: what is left of it and what must be, in bytes (or numbers); what a pod uses of it."""

    condition: str
    resource: str
    available: int
    threshold: int
    threshold_text: str
    usage: Callable[[Object], int]

    @property
    def is_met(self) -> bool:
        """Whether too little is left."""
        return self.available < self.threshold


class Evictions:
    """Looks after the node's memory and disk. `pressure` are the conditions that hold; `on_change` is told of news."""

    def __init__(
        self,
        process: "Process",
        recorder: EventRecorder,
        workers: Callable[[], Iterable["PodWorker"]],
        on_change: Callable[[frozenset[str]], None],
        free_disk: Callable[[], Awaitable[None]],
    ) -> None:
        self._process = process
        self._recorder = recorder
        self._workers = workers
        self._on_change = on_change
        self._free_disk = free_disk
        self._met_at: dict[str, float] = {}

    @property
    def pressure(self) -> frozenset[str]:
        """The conditions that hold, by the last look."""
        return frozenset(self._met_at)

    async def run(self) -> None:
        """Look every LOOK_SECONDS, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once: tell of pressure, and evict one pod where a threshold is met."""
        now = asyncio.get_running_loop().time()
        before = self.pressure
        met = [signal for signal in self._signals() if signal.is_met]
        self._met_at |= dict.fromkeys((signal.condition for signal in met), now)
        self._met_at = {name: at for name, at in self._met_at.items() if now - at < TRANSITION_SECONDS}
        if self.pressure != before:
            self._on_change(self.pressure)
        for signal in met[:1]:
            await self._reclaim(signal)

    def _signals(self) -> list[Signal]:
        held = sum(process.memory_bytes for process in self._process.host.machine.processes.values())
        memory = int(parse(CAPACITY["memory"])) - RESERVED_BYTES - held
        left, limit = disk_left_bytes(self._process.files), int(DISK_BYTES * DISK_THRESHOLD)
        machine = self._process.host.machine
        pids, pids_limit = machine.pids_max - len(machine.processes), int(machine.pids_max * PID_THRESHOLD)
        return [
            Signal("MemoryPressure", "memory", memory, MEMORY_THRESHOLD_BYTES, "100Mi", self._memory),
            Signal("DiskPressure", "ephemeral-storage", left, limit, str(limit), self._disk),
            Signal("PIDPressure", PIDS, pids, pids_limit, str(pids_limit), self._pids),
        ]

    def _memory(self, pod: Object) -> int:
        name = _namespace(pod)
        processes = self._process.host.machine.processes.values()
        return sum(process.memory_bytes for process in processes if process.host.name == name)

    def _pids(self, pod: Object) -> int:
        name = _namespace(pod)
        return sum(process.host.name == name for process in self._process.host.machine.processes.values())

    def _disk(self, pod: Object) -> int:
        """Return what a pod has written: its volumes, and what its containers wrote, in bytes of the real disk."""
        files, name = self._process.files, _namespace(pod)
        processes = self._process.host.machine.processes.values()
        roots = {id(one.files): one.files for one in processes if one.host.name == name}
        volumes = sum(len(files.read(path)) for path in files.below(pod_directory(pods.uid(pod))))
        simulated = volumes + sum(root.size for root in roots.values())
        return disk_bytes(simulated)

    async def _reclaim(self, signal: Signal) -> None:
        node = about_node(self._process.host.hostname)
        self._recorder.event(node, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {signal.resource}")
        if signal.condition == "DiskPressure":
            await self._free_disk()
            if not any(one.condition == signal.condition and one.is_met for one in self._signals()):
                return
        self._evict(signal)

    def _evict(self, signal: Signal) -> None:
        running = [one for one in self._workers() if one.can_be_evicted and not pods.is_critical(one.pod)]
        if not running:
            return
        worker = max(running, key=lambda worker: _rank(worker.pod, signal))
        used, requested = signal.usage(worker.pod), _requested(worker.pod, signal.resource)
        containers = pods.containers(worker.pod)
        left = max(signal.available, 0)
        message = (
            f"The node was low on resource: {signal.resource}. Threshold quantity: {signal.threshold_text}, "
            f"available: {left if signal.resource == PIDS else f'{left // KIBIBYTE}Ki'}. "
        )
        if used > requested and signal.resource != PIDS:
            message += (
                f"Container {containers[0]['name']} was using {used // KIBIBYTE}Ki, request is {_shown(requested)}, "
                f"has larger consumption of {signal.resource}. "
            )
        self._recorder.event(worker.pod, "Warning", "Evicted", message)
        worker.evict(message)


def _namespace(pod: Object) -> str:
    """Return what the network of a pod is called."""
    return f"{pod['metadata']['name']}.{pod['metadata']['namespace']}"


def _rank(pod: Object, signal: Signal) -> tuple[bool, int, int]:
    beyond = signal.usage(pod) - _requested(pod, signal.resource)
    return beyond > 0, -int(pod["spec"].get("priority") or 0), beyond


def _requested(pod: Object, resource: str) -> int:
    requests = ((one.get("resources") or {}).get("requests") or {} for one in pods.containers(pod))
    return sum(int(parse(str(one.get(resource, "0")))) for one in requests)


def _shown(size: int) -> str:
    return f"{size // KIBIBYTE}Ki" if size else "0"
