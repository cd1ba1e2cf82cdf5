"""The kubelet: the agent of one node. It makes true on its machine what the API server says about its pods.

Theory of operation. The kubelet is a client: of the API server (pods bound to this node, its own Node, Services;
statuses, events, a lease), and of containerd (CRI). It is a server too, on 10250, for logs.

    watch pods?fieldSelector=spec.nodeName=worker-1 ─▶ a worker for each pod ─▶ CRI ─▶ containerd
                     ▲                                     │                             │ events
    PATCH pods/<name>/status ◀── status manager ◀──────────┴──── cache ◀─────── pleg ◀───┘

Everything in it is level-triggered: it may be killed at any time, and what comes back lists, looks and goes on. Pods
whose uid the API no longer knows are stopped. Static pods (`static_pods`) begin before anybody is asked.

Modelled on pkg/kubelet/kubelet.go. Left out: cgroups, devices, most volumes. Deviations are listed in docs/fidelity.md.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from cluster_engine.api.kinds import NODE, POD, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.client.events import EventRecorder
from cluster_engine.client.informer import Informer
from cluster_engine.client.rest import Client
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.admission import Admission
from cluster_engine.kubelet.client_certificate import ClientCertificate, make_serving_pair
from cluster_engine.kubelet.configuration import LIMIT
from cluster_engine.kubelet.container_gc import ContainerCollector
from cluster_engine.kubelet.containers import Containers
from cluster_engine.kubelet.eviction import Evictions
from cluster_engine.kubelet.image_gc import ImageCollector
from cluster_engine.kubelet.images import Images
from cluster_engine.kubelet.known_pods import KnownPods
from cluster_engine.kubelet.mirror_pods import MirrorPods
from cluster_engine.kubelet.node import NodeAgent
from cluster_engine.kubelet.node_lease import NodeLease
from cluster_engine.kubelet.node_status import ALLOCATABLE
from cluster_engine.kubelet.objects import Objects
from cluster_engine.kubelet.pleg import LifecycleEvents
from cluster_engine.kubelet.probes import Probes
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.runtime_cache import RuntimeCache
from cluster_engine.kubelet.server import KubeletServer, serving_health
from cluster_engine.kubelet.static_pods import StaticPods
from cluster_engine.kubelet.status_manager import StatusManager
from cluster_engine.kubelet.volumes import Volumes
from cluster_engine.kubelet.worker import Node, PodWorker, Stage
from cluster_engine.version import user_agent

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

USER_AGENT = user_agent("kubelet")
SOCKET = "/run/containerd/containerd.sock"


NOT_REGISTERED = {"metadata": {}, "spec": {}, "status": {"allocatable": ALLOCATABLE}}
"""What the kubelet goes by while the API has no Node for it."""


async def main(process: "Process", *, kubeconfig: str, socket: str = SOCKET) -> None:
    """Run the kubelet of this host until the process ends."""
    with process.starting():
        certificate = ClientCertificate(process, kubeconfig, user_agent=USER_AGENT)
        if not certificate.is_missing:
            kubelet = _made(process, kubeconfig, socket)
    with process.until_stopped():
        if certificate.is_missing:
            async with serving_health(process):
                await certificate.bootstrap()
            with process.starting():
                kubelet = _made(process, kubeconfig, socket)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(certificate.rotate(kubelet.client), name="client certificate")
            await kubelet.run(tasks)


def _made(process: "Process", kubeconfig: str, socket: str) -> "Kubelet":
    client = Client.from_kubeconfig(process, kubeconfig, user_agent=USER_AGENT, limit=LIMIT)
    make_serving_pair(process)
    return Kubelet(process, client, Runtime(socket, process.metrics), process.host.address)


class Kubelet:
    """All parts of one kubelet, wired together."""

    def __init__(self, process: "Process", client: Client, runtime: Runtime, address: str) -> None:
        self.client = client
        self._process = process
        self._runtime = runtime
        heartbeats = client.with_limit(None)  # so that a busy kubelet's node stays ready (app/server.go)
        self._recorder = EventRecorder(client.with_limit(LIMIT), process, "kubelet", host=process.host.hostname)
        self._agent = NodeAgent(heartbeats, process, runtime, self._recorder, address)
        self._lease = NodeLease(heartbeats, process, lambda: self._agent.uid)
        self._cache = RuntimeCache(self._containers_changed)
        self._pleg = LifecycleEvents(process, runtime, self._cache, self._health)
        self._statuses = StatusManager(client, process)
        self._admission = Admission(self._statuses, self._recorder, lambda: self._evictions.pressure)
        self._objects = Objects(client, process)
        self._probes = Probes(process, runtime, self._cache, self._recorder)
        name = process.host.hostname
        self._pods = Informer(client, POD, process, field_selector=f"spec.nodeName={name}")
        self._static = StaticPods(process)
        self._mirrors = MirrorPods(
            client, process, self._static, self._pods, node_uid=lambda: self._agent.uid, ending=self._static_ending
        )
        self._services = Informer(client, SERVICE, process)
        self._node = Informer(client, NODE, process, field_selector=f"metadata.name={name}")
        images = Images(runtime, self._pulled)
        containers = Containers(
            runtime=runtime,
            cache=self._cache,
            images=images,
            objects=self._objects,
            recorder=self._recorder,
            services=self._known_services,
            host=process.host,
        )
        self._shared = Node(
            process=process,
            cache=self._cache,
            containers=containers,
            images=images,
            statuses=self._statuses,
            recorder=self._recorder,
            volumes=Volumes(client, process, self._objects, self._recorder),
            probes=self._probes,
            host_ip=address,
            network_problem=self._agent.network_problem,
        )
        known = KnownPods(self._pods, self._static)
        self._server = KubeletServer(process, client, known, self._cache, runtime)
        self._workers: dict[str, PodWorker] = {}
        self._collector = ImageCollector(
            process,
            runtime,
            self._cache,
            self._recorder,
            images=lambda: self._agent.images,
            learn=self._agent.learn_images,
        )
        self._containers = ContainerCollector(process, runtime, self._cache, self._has_ended)
        self._evictions = Evictions(process, self._recorder, self._workers.values, self._agent.pressed, self._free_disk)
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start everything in this group, in the order in which one part needs another."""
        self._tasks = tasks
        self._objects.serve(tasks)
        self._probes.serve(tasks)
        tasks.create_task(self._recorder.run(), name="events")
        tasks.create_task(self._pleg.run(), name="pleg")
        tasks.create_task(self._pleg.relist_now_and_then(), name="pleg relist")
        await self._pleg.listed()
        await self._agent.learn_runtime()
        tasks.create_task(self._static.follow(self._static_changed), name="static pods")
        await self._agent.register()
        self._node.on(add=self._node_changed, update=lambda _, node: self._node_changed(node))
        for informer in (self._node, self._services, self._pods):
            tasks.create_task(informer.run(), name=f"informer {informer.kind.plural}")
        tasks.create_task(self._agent.report(), name="node status")
        tasks.create_task(self._lease.run(), name="node lease")
        tasks.create_task(self._statuses.run(), name="status manager")
        tasks.create_task(self._server.run(), name="server")
        tasks.create_task(self._evictions.run(), name="eviction manager")
        tasks.create_task(self._collector.run(), name="image garbage collection")
        tasks.create_task(self._containers.run(), name="container garbage collection")
        for informer in (self._node, self._services, self._pods):
            await informer.synced()
        self._pods.on(add=self._pod_added, update=self._pod_updated, delete=self._pod_deleted)
        self._stop_orphans()
        tasks.create_task(self._mirrors.run(), name="mirror pods")
        self._mirrors.look()
        self._process.ready()

    # -- pods ----------------------------------------------------------------------------------------------------------

    def _pod_added(self, pod: Object) -> None:
        if pods.is_mirror(pod):
            self._mirror_changed(pod)
            return
        uid = pods.uid(pod)
        if uid in self._workers:
            self._workers[uid].update(pod)
            return
        others = [worker.pod for worker in self._workers.values() if worker.stage is not Stage.TERMINATED]
        node = next(iter(self._node.items()), NOT_REGISTERED)
        if self._admission.rejects(pod, others, node, self._process.now()):
            return
        self._begin(pod)

    def _begin(self, pod: Object) -> PodWorker:
        worker = self._workers[pods.uid(pod)] = PodWorker(self._shared, pod)
        assert self._tasks is not None
        self._tasks.create_task(self._work(worker), name=f"pod {pods.full_name(pod)}")
        return worker

    def _pod_updated(self, _: Object, pod: Object) -> None:
        self._pod_added(pod)
        if not pods.is_mirror(pod):
            self._statuses.reconcile(pod, pods.uid(pod))

    def _pod_deleted(self, pod: Object) -> None:
        if pods.is_mirror(pod):
            self._mirrors.look()
            return
        self._admission.forget(pods.uid(pod))
        worker = self._workers.get(pods.uid(pod))
        if worker is not None:
            worker.remove()

    async def _work(self, worker: PodWorker) -> None:
        await worker.run()
        del self._workers[worker.uid]
        self._begin_static()
        if pods.is_static(worker.pod):
            self._mirrors.look()

    def _has_ended(self, uid: str) -> bool:
        worker = self._workers.get(uid)
        return worker is None or worker.stage is Stage.TERMINATED

    async def _free_disk(self) -> None:
        await self._containers.delete_unused()
        await self._collector.delete_unused()

    # -- static pods -------------------------------------------------------------------------------------------------

    def _static_changed(self, gone: list[Object]) -> None:
        """Begin what stands in a new file; end what stands in none any more."""
        for pod in gone:
            self._admission.forget(pods.uid(pod))
            if (worker := self._workers.get(pods.uid(pod))) is not None:
                worker.remove()
        self._begin_static()
        self._mirrors.look()

    def _begin_static(self) -> None:
        """Begin the static pods that have no worker; one of the same name has to end before."""
        at_work = {pods.full_name(worker.pod) for worker in self._workers.values()}
        for pod in self._static.items():
            if pods.full_name(pod) not in at_work:
                self._pod_added(pod)

    def _static_ending(self) -> set[str]:
        """Name the static pods that are to be no more, and still are."""
        return {pods.full_name(one.pod) for one in self._workers.values() if one.removed and pods.is_static(one.pod)}

    def _mirror_changed(self, mirror: Object) -> None:
        static = self._static.get(pods.full_name(mirror))
        if static is not None and pods.is_mirror_of(mirror, static):
            self._statuses.reconcile(mirror, pods.uid(static))
        self._mirrors.look()

    def _stop_orphans(self) -> None:
        """Stop what runs here although the API knows nothing of it (any more)."""
        for runtime in self._cache.pods():
            sandbox = runtime.sandbox
            if runtime.uid not in self._workers and sandbox is not None:
                metadata = sandbox.status.metadata
                about = {"name": metadata.name, "namespace": metadata.namespace, "uid": runtime.uid}
                pod = {"kind": "Pod", "apiVersion": "v1", "metadata": about, "spec": {"containers": []}, "status": {}}
                self._begin(pod).remove()

    # -- what the parts tell -------------------------------------------------------------------------------------------

    def _containers_changed(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.containers_changed()

    def _health(self, problem: str) -> None:
        if problem:
            self._agent.runtime_failed(problem)
        elif self._server.is_running:
            self._start(self._recover(), "runtime is back")

    async def _recover(self) -> None:
        """containerd is back: learn about it anew, and let every worker look."""
        await self._agent.learn_runtime()
        self._all_look()

    def _node_changed(self, node: Object) -> None:
        self._start(self._take_node(node), "node changed")

    async def _take_node(self, node: Object) -> None:
        had_problem = bool(self._agent.network_problem())
        await self._agent.node_changed(node)
        if had_problem and not self._agent.network_problem():
            self._all_look()

    def _pulled(self) -> None:
        self._start(self._agent.learn_images(), "images")

    def _all_look(self) -> None:
        for worker in self._workers.values():
            worker.look()

    def _known_services(self) -> Iterable[Object]:
        return self._services.items()

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        assert self._tasks is not None
        self._tasks.create_task(work, name=name)
