"""CRI's RuntimeService: sandboxes and containers, made, started, stopped and removed on request.

Each call takes about the time it takes a real containerd, so that a pod's start has its well-known shape: a tenth of a
second for the sandbox, most of the wait for the image, a few hundredths for create and start. Calls are idempotent
where CRI asks for it (stopping and removing). What changed is told to every event stream before the answer is sent.

Containers live on without it (`tasks`): what ended while it was away it tells when it is back.

Modelled on `internal/cri/server/*.go` of containerd 1.7, error texts included. The streams of exec, attach and port
forwarding are in `streaming`. Left out: statistics, checkpoints, runtime handlers.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from cluster_engine.containerd import network, workloads
from cluster_engine.containerd.events import Events
from cluster_engine.containerd.references import normalise
from cluster_engine.containerd.store import Container, Sandbox, Store
from cluster_engine.containerd.tasks import Tasks, nanoseconds
from cluster_engine.containerd.trouble import CRASH_EXIT_CODE, trouble_of
from cluster_engine.containerd.workloads import NotExecutableError
from cluster_engine.programs.streams import Bytes, Captured, Streams
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.process import Host, Namespace, Process
from cluster_engine.world.world import World

Record = TypeVar("Record", Sandbox, Container)

RUNTIME_NAME = "containerd"
RUNTIME_VERSION = "1.7.24"
RUNTIME_API_VERSION = "v1"

SANDBOX_SECONDS = 0.09
CREATE_SECONDS = 0.015
START_SECONDS = 0.03
CLEAN_UP_SECONDS = 0.01
START_ERROR_CODE = 128
UNKNOWN_EXIT_CODE = 255
EXEC_SYNC_BYTES_MAX = 16 * 1024 * 1024
"""What ExecSync keeps of what a program writes."""
PORT_START = "net.ipv4.ip_unprivileged_port_start"
NETWORK_NOT_READY = "Network plugin returns error: cni plugin not initialized"


class RuntimeService:
    """The calls, named as in CRI. One for each run of containerd; the state is in `store`."""

    def __init__(self, process: Process, store: Store) -> None:
        self._process = process
        self._store = store
        self._events = Events()
        assert isinstance(process.world, World)
        self._network = process.world.network
        self.tasks = Tasks(process.world, process.host, store)

    def resume(self) -> None:
        """Tell who has ended while there was no containerd; after a boot nobody runs."""
        if self._store.boots != self._process.host.boots:
            self._store.boots = self._process.host.boots
            self._bury()
        trouble = trouble_of(self._process.disk)
        trouble.on_crash, trouble.on_leak, trouble.on_hang = self._crash, self._leak, self._hang
        self._store.on_exit = self._exited
        untold, self._store.untold = self._store.untold, []
        for id_ in untold:
            if id_ in self._store.containers:
                self._exited(self._store.containers[id_])

    # -- the runtime ---------------------------------------------------------------------------------------------------

    async def Version(self, request: cri.VersionRequest) -> cri.VersionResponse:  # noqa: N802
        """Say who this is."""
        return cri.VersionResponse(
            version="0.1.0",
            runtime_name=RUNTIME_NAME,
            runtime_version=f"v{RUNTIME_VERSION}",
            runtime_api_version=RUNTIME_API_VERSION,
        )

    async def Status(self, request: cri.StatusRequest) -> cri.StatusResponse:  # noqa: N802
        """Say whether containers can be run, and whether they would have a network."""
        network_ready = bool(self._store.pod_cidr)
        conditions = [
            cri.RuntimeCondition(type="RuntimeReady", status=True),
            cri.RuntimeCondition(
                type="NetworkReady",
                status=network_ready,
                reason="" if network_ready else "NetworkPluginNotReady",
                message="" if network_ready else NETWORK_NOT_READY,
            ),
        ]
        return cri.StatusResponse(status=cri.RuntimeStatus(conditions=conditions))

    async def UpdateRuntimeConfig(  # noqa: N802
        self, request: cri.UpdateRuntimeConfigRequest
    ) -> cri.UpdateRuntimeConfigResponse:
        """Learn the node's pod CIDR, from which CNI is configured."""
        cidr = request.runtime_config.network_config.pod_cidr
        if cidr and cidr != self._store.pod_cidr:
            self._store.pod_cidr = cidr
            self._process.note("containerd.network", f"writes the CNI configuration for pod range {cidr}", podCIDR=cidr)
        return cri.UpdateRuntimeConfigResponse()

    async def GetContainerEvents(  # noqa: N802
        self, stream: "Stream[cri.GetEventsRequest, cri.ContainerEventResponse]"
    ) -> None:
        """Stream what happens from now on."""
        await stream.recv_message()
        number, subscriber = self._events.subscribe()
        try:
            await stream.send_initial_metadata()
            while not subscriber.overflowed:
                await stream.send_message(await subscriber.queue.get())
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "container event subscriber is too slow")
        finally:
            self._events.unsubscribe(number)

    # -- sandboxes -----------------------------------------------------------------------------------------------------

    async def RunPodSandbox(self, request: cri.RunPodSandboxRequest) -> cri.RunPodSandboxResponse:  # noqa: N802
        """Make a network namespace with an address, and the pause container that holds it."""
        id_ = self._new_id()
        metadata = request.config.metadata
        namespaces = request.config.linux.security_context.namespace_options
        await self._take(SANDBOX_SECONDS)
        ip = "" if namespaces.network == cri.NODE else self._next_address(id_)
        network = self._namespace(request.config, ip) if ip else None
        sandbox = Sandbox(id=id_, config=request.config, created_at=self._now(), ip=ip, network=network)
        self._store.sandboxes[id_] = sandbox
        self._process.note(
            "containerd.sandbox",
            f"sandbox for pod {metadata.namespace}/{metadata.name}: "
            + (f"network namespace with address {ip}" if ip else "in the host's network"),
            pod=f"{metadata.namespace}/{metadata.name}",
            ip=ip,
        )
        self._tell(sandbox, id_, cri.CONTAINER_CREATED_EVENT)
        self._tell(sandbox, id_, cri.CONTAINER_STARTED_EVENT)
        return cri.RunPodSandboxResponse(pod_sandbox_id=id_)

    def _namespace(self, config: cri.PodSandboxConfig, ip: str) -> Namespace:
        metadata, port_start = config.metadata, _port_start(config.linux.sysctls)
        namespace = self._network.add_namespace(self._process.host, f"{metadata.name}.{metadata.namespace}", ip)
        namespace.names[config.hostname] = ip
        namespace.unprivileged_port_start = port_start
        return namespace

    def _next_address(self, sandbox_id: str) -> str:
        prefix = f'failed to setup network for sandbox "{sandbox_id}"'
        if not self._store.pod_cidr:
            raise GRPCError(Status.UNKNOWN, f"{prefix}: cni plugin not initialized")
        ready = [s.ip for s in self._store.sandboxes.values() if s.state == cri.SANDBOX_READY]
        try:
            ip, self._store.last_address = network.next_address(
                self._store.pod_cidr, taken=ready, last=self._store.last_address
            )
        except network.NoAddressLeftError as error:
            raise GRPCError(Status.UNKNOWN, f'{prefix}: plugin type="host-local" failed (add): {error}') from error
        return ip

    async def StopPodSandbox(self, request: cri.StopPodSandboxRequest) -> cri.StopPodSandboxResponse:  # noqa: N802
        """Kill what still runs in the sandbox and give its address back."""
        sandbox = self._store.sandboxes.get(request.pod_sandbox_id)
        if sandbox is not None and sandbox.state == cri.SANDBOX_READY:
            await self._take(CLEAN_UP_SECONDS)
            for container in self._store.containers_of(sandbox.id):
                self.tasks.kill(container)
            self._close(sandbox)
            self._tell(sandbox, sandbox.id, cri.CONTAINER_STOPPED_EVENT)
        return cri.StopPodSandboxResponse()

    def _close(self, sandbox: Sandbox) -> None:
        sandbox.state = cri.SANDBOX_NOTREADY
        if sandbox.network is not None:
            self._network.remove_namespace(sandbox.network)
            sandbox.network = None

    async def RemovePodSandbox(self, request: cri.RemovePodSandboxRequest) -> cri.RemovePodSandboxResponse:  # noqa: N802
        """Forget the sandbox and all in it."""
        sandbox = self._store.sandboxes.get(request.pod_sandbox_id)
        if sandbox is not None:
            await self.StopPodSandbox(cri.StopPodSandboxRequest(pod_sandbox_id=sandbox.id))
            for container in self._store.containers_of(sandbox.id):
                self._remove(container)
            self._store.sandboxes.pop(sandbox.id, None)
            self._tell(sandbox, sandbox.id, cri.CONTAINER_DELETED_EVENT)
        return cri.RemovePodSandboxResponse()

    async def PodSandboxStatus(self, request: cri.PodSandboxStatusRequest) -> cri.PodSandboxStatusResponse:  # noqa: N802
        """Tell a sandbox's state and that of its containers."""
        sandbox = self._sandbox(request.pod_sandbox_id)
        return cri.PodSandboxStatusResponse(
            status=sandbox.status(),
            containers_statuses=[container.status() for container in self._store.containers_of(sandbox.id)],
            timestamp=self._now(),
        )

    async def ListPodSandbox(self, request: cri.ListPodSandboxRequest) -> cri.ListPodSandboxResponse:  # noqa: N802
        """List sandboxes."""
        wanted = request.filter
        return cri.ListPodSandboxResponse(
            items=[
                sandbox.summary()
                for sandbox in self._store.sandboxes.values()
                if (not wanted.id or sandbox.id == wanted.id)
                and (not wanted.HasField("state") or sandbox.state == wanted.state.state)
                and _selected(sandbox.config.labels, wanted.label_selector)
            ]
        )

    # -- containers ----------------------------------------------------------------------------------------------------

    async def CreateContainer(self, request: cri.CreateContainerRequest) -> cri.CreateContainerResponse:  # noqa: N802
        """Prepare a container: image, log file, identity. Nothing runs yet."""
        sandbox = self._sandbox(request.pod_sandbox_id)
        reference = normalise(request.config.image.user_specified_image or request.config.image.image)
        image = self._store.images.get(reference)
        if image is None:
            raise GRPCError(Status.NOT_FOUND, f'failed to resolve image "{reference}": {reference}: not found')
        await self._take(CREATE_SECONDS)
        log_path = f"{sandbox.config.log_directory.rstrip('/')}/{request.config.log_path}"
        container = Container(
            id=self._new_id(),
            sandbox_id=sandbox.id,
            config=request.config,
            image=image,
            log_path=log_path if request.config.log_path else "",
            created_at=self._now(),
        )
        self._store.containers[container.id] = container
        self._tell(sandbox, container.id, cri.CONTAINER_CREATED_EVENT)
        return cri.CreateContainerResponse(container_id=container.id)

    async def StartContainer(self, request: cri.StartContainerRequest) -> cri.StartContainerResponse:  # noqa: N802
        """Let a created container run."""
        container = self._container(request.container_id)
        sandbox = self._sandbox(container.sandbox_id)
        if container.state != cri.CONTAINER_CREATED:
            name = cri.ContainerState.Name(container.state)
            raise GRPCError(
                Status.UNKNOWN, f'failed to set starting state for container "{container.id}": is in {name} state'
            )
        await self._take(START_SECONDS)
        reference, trouble = container.image.reference, trouble_of(self._process.disk)
        broken = workloads.CRASH if reference in trouble.crashing else None
        if reference in trouble.leaking:
            broken = workloads.LEAK
        try:
            self.tasks.start(container, sandbox, broken=broken, hangs=reference in trouble.hanging)
        except NotExecutableError as error:
            raise self._start_failed(container, sandbox, str(error)) from error
        self._note(container, sandbox, "containerd.started", f"runs, pid {container.pid}", pid=container.pid)
        self._tell(sandbox, container.id, cri.CONTAINER_STARTED_EVENT)
        return cri.StartContainerResponse()

    def _start_failed(self, container: Container, sandbox: Sandbox, why: str) -> GRPCError:
        container.state = cri.CONTAINER_EXITED
        container.finished_at = self._now()
        container.exit_code = START_ERROR_CODE
        container.reason = "StartError"
        container.message = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
            f"runc create failed: unable to start container process: {why}: unknown"
        )
        self._note(container, sandbox, "containerd.exited", "could not be started", exitCode=START_ERROR_CODE)
        self._tell(sandbox, container.id, cri.CONTAINER_STOPPED_EVENT)
        return GRPCError(Status.UNKNOWN, container.message)

    async def StopContainer(self, request: cri.StopContainerRequest) -> cri.StopContainerResponse:  # noqa: N802
        """Stop a container: SIGTERM, and SIGKILL once `timeout` seconds have gone by."""
        container = self._store.containers.get(request.container_id)
        if container is not None:
            await self.tasks.stop(container, request.timeout)
        return cri.StopContainerResponse()

    async def RemoveContainer(self, request: cri.RemoveContainerRequest) -> cri.RemoveContainerResponse:  # noqa: N802
        """Forget a container, killing it when it still runs."""
        container = self._store.containers.get(request.container_id)
        if container is not None:
            await self._take(CLEAN_UP_SECONDS)
            self.tasks.kill(container)
            self._remove(container)
        return cri.RemoveContainerResponse()

    def _remove(self, container: Container) -> None:
        if self._store.containers.pop(container.id, None) is None:
            return
        if container.log_path and self._process.files.exists(container.log_path):
            self._process.files.remove(container.log_path)
        self.tasks.clean(container)
        sandbox = self._store.sandboxes.get(container.sandbox_id)
        if sandbox is not None:
            self._tell(sandbox, container.id, cri.CONTAINER_DELETED_EVENT)

    async def ListContainers(self, request: cri.ListContainersRequest) -> cri.ListContainersResponse:  # noqa: N802
        """List containers."""
        wanted = request.filter
        return cri.ListContainersResponse(
            containers=[
                container.summary()
                for container in self._store.containers.values()
                if (not wanted.id or container.id == wanted.id)
                and (not wanted.pod_sandbox_id or container.sandbox_id == wanted.pod_sandbox_id)
                and (not wanted.HasField("state") or container.state == wanted.state.state)
                and _selected(container.config.labels, wanted.label_selector)
            ]
        )

    async def ContainerStatus(self, request: cri.ContainerStatusRequest) -> cri.ContainerStatusResponse:  # noqa: N802
        """Tell a container's state."""
        return cri.ContainerStatusResponse(status=self._container(request.container_id).status())

    async def ExecSync(self, request: cri.ExecSyncRequest) -> cri.ExecSyncResponse:  # noqa: N802
        """Run a further program in a container to its end."""
        stdout, stderr = Captured(EXEC_SYNC_BYTES_MAX), Captured(EXEC_SYNC_BYTES_MAX)
        try:
            async with asyncio.timeout(request.timeout or None):
                code = await self.execute(request.container_id, list(request.cmd), Streams(Bytes(), stdout, stderr))
        except NotExecutableError as error:
            raise GRPCError(Status.UNKNOWN, not_started(error)) from error
        except TimeoutError:
            raise GRPCError(
                Status.DEADLINE_EXCEEDED,
                f"failed to exec in container: timeout {request.timeout}s exceeded: context deadline exceeded",
            ) from None
        return cri.ExecSyncResponse(stdout=stdout.text.encode(), stderr=stderr.text.encode(), exit_code=code)

    async def execute(self, container_id: str, argv: Sequence[str], streams: Streams, *, tty: bool = False) -> int:
        """Run a further program in a running container to its end; return its exit code. Cancelling kills it.

        NotExecutableError where there is no such program; GRPCError where the container does not run.
        """
        container = self._container(container_id)
        if container.state != cri.CONTAINER_RUNNING:
            name = cri.ContainerState.Name(container.state)
            raise GRPCError(Status.UNKNOWN, f"failed to exec in container: container is in {name} state")
        return await self.tasks.execute(container, argv, streams, tty=tty)

    def host_of(self, sandbox_id: str) -> Host:
        """Return the network of a sandbox: its own, or its machine's. GRPCError."""
        return self._sandbox(sandbox_id).network or self._process.host

    def running(self, id_: str) -> Container:
        """Return a container that runs. GRPCError."""
        container = self._container(id_)
        if container.state != cri.CONTAINER_RUNNING:
            raise GRPCError(Status.UNKNOWN, f"container is in {cri.ContainerState.Name(container.state)} state")
        return container

    # -- inside --------------------------------------------------------------------------------------------------------

    def _bury(self) -> None:
        """Write down that nothing has survived a power cut, as containerd does of a task that it cannot find."""
        for container in self._store.containers.values():
            if container.state == cri.CONTAINER_RUNNING:
                container.state, container.reason = cri.CONTAINER_EXITED, "Unknown"
                container.exit_code, container.finished_at = UNKNOWN_EXIT_CODE, self._now()
                container.process = container.files = None
        for sandbox in self._store.sandboxes.values():
            self._close(sandbox)

    def _crash(self, reference: str) -> None:
        """End the containers that run an image which is broken from now on."""
        for container in self._of_image(reference):
            self.tasks.crash(container, CRASH_EXIT_CODE)

    def _leak(self, reference: str) -> None:
        """Have the kernel kill the containers that run an image which takes ever more memory from now on."""
        for container in self._of_image(reference):
            self.tasks.run_out_of_memory(container)

    def _hang(self, reference: str, hangs: bool) -> None:
        """Let the containers that run an image hang, or go on."""
        for container in self._of_image(reference):
            self.tasks.hang(container, hangs=hangs)

    def _of_image(self, reference: str) -> list[Container]:
        return [one for one in self._store.containers.values() if one.image.reference == reference]

    def _exited(self, container: Container) -> bool:
        """Tell that a container has ended; False where this containerd itself has."""
        if not self._process.is_alive:
            return False
        sandbox = self._store.sandboxes.get(container.sandbox_id)
        if sandbox is not None:
            code = container.exit_code
            self._note(container, sandbox, "containerd.exited", f"ended with code {code}", exitCode=code)
            self._tell(sandbox, container.id, cri.CONTAINER_STOPPED_EVENT)
        return True

    def _note(self, container: Container, sandbox: Sandbox, kind: str, what: str, **fields: object) -> None:
        metadata = sandbox.config.metadata
        pod = f"{metadata.namespace}/{metadata.name}"
        name = container.config.metadata.name
        self._process.note(kind, f"container {name} of pod {pod} {what}", container=name, pod=pod, **fields)

    def _tell(self, sandbox: Sandbox, id_: str, type_: cri.ContainerEventType) -> None:
        self._events.publish(
            cri.ContainerEventResponse(
                container_id=id_,
                container_event_type=type_,
                created_at=self._now(),
                pod_sandbox_status=sandbox.status(),
                containers_statuses=[container.status() for container in self._store.containers_of(sandbox.id)],
            )
        )

    def _sandbox(self, id_: str) -> Sandbox:
        return _found(self._store.sandboxes.get(id_), "sandbox", id_)

    def _container(self, id_: str) -> Container:
        return _found(self._store.containers.get(id_), "container", id_)

    def _new_id(self) -> str:
        return f"{self._process.rng.getrandbits(256):064x}"

    def _now(self) -> int:
        return nanoseconds(self._process.now())

    async def _take(self, seconds: float) -> None:
        """Be as slow as the real thing, give or take a fifth."""
        await asyncio.sleep(seconds * (0.8 + 0.4 * self._process.rng.random()))


def _port_start(sysctls: Mapping[str, str]) -> int:
    """Return the first port on which everybody in a sandbox may listen. GRPCError where that is no port."""
    value = sysctls.get(PORT_START, "1024")
    if value.isdecimal() and len(value) < 6 and int(value) <= 65536:
        return int(value)
    raise GRPCError(
        Status.UNKNOWN,
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        f"unable to start container process: error during container init: write sysctl key {PORT_START}: "
        f"write /proc/sys/{PORT_START.replace('.', '/')}: invalid argument: unknown",
    )


def _found(record: Record | None, what: str, id_: str) -> Record:
    if record is None:
        raise GRPCError(Status.NOT_FOUND, f'an error occurred when try to find {what} "{id_}": not found')
    return record


def _selected(labels: object, selector: object) -> bool:
    return all(dict(labels).get(key) == value for key, value in dict(selector).items())  # type: ignore[call-overload]


def not_started(error: NotExecutableError) -> str:
    """Say that a further program could not be started in a container."""
    return (
        "failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: "
        f"unable to start container process: {error}: unknown"
    )
