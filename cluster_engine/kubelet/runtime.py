"""The kubelet's side of CRI: calls to containerd over its unix socket, errors in gRPC-Go's words.

One HTTP/2 connection carries all calls and the event stream; when containerd was away it is dialled again by the next
call. What cannot be done raises `RuntimeRefusal`, whose text learners meet in events:

    rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nonsense": …

Modelled on `cri-client/pkg/remote_runtime.go`. (A real kubelet has a second connection for images.)
"""

import asyncio
import contextlib
import functools
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from google.protobuf.message import Message
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from cluster_engine.metrics.registry import Registry
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.rpc.grpc import call

REQUEST_TIMEOUT_SECONDS = 120.0
OPERATION_BUCKETS = tuple(0.005 * 2.5**power for power in range(14))


class RuntimeRefusal(Exception):  # noqa: N818
    """A CRI call that failed. `code` is gRPC's, in Go's spelling; Unavailable when there is no containerd to ask."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {description}")
        self.code = code
        self.description = description


class Runtime:
    """All CRI calls the kubelet makes."""

    def __init__(self, socket: str, metrics: Registry) -> None:
        self._socket = socket
        labels = ("operation_type",)
        self._asked = metrics.counter(
            "kubelet_runtime_operations_total",
            "[ALPHA] Cumulative number of runtime operations by operation type.",
            labels,
        )
        self._failed = metrics.counter(
            "kubelet_runtime_operations_errors_total",
            "[ALPHA] Cumulative number of runtime operation errors by operation type.",
            labels,
        )
        self._seconds = metrics.histogram(
            "kubelet_runtime_operations_duration_seconds",
            "[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.",
            OPERATION_BUCKETS,
            labels,
        )
        self._channel = Channel(path=socket)
        services = cri.DESCRIPTOR.services_by_name.values()
        self._calls = {
            method.name: (call(self._channel, method), method.input_type.name)
            for service in services
            for method in service.methods
        }

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    # -- the runtime ---------------------------------------------------------------------------------------------------

    async def version(self) -> cri.VersionResponse:
        """Ask who it is."""
        answer: cri.VersionResponse = await self._call("Version", version="0.1.0")
        return answer

    async def conditions(self) -> dict[str, cri.RuntimeCondition]:
        """Ask whether it and its network are ready; by type."""
        answer = await self._call("Status")
        return {condition.type: condition for condition in answer.status.conditions}

    async def update_pod_cidr(self, cidr: str) -> None:
        """Tell the node's pod range."""
        await self._call(
            "UpdateRuntimeConfig", runtime_config=cri.RuntimeConfig(network_config=cri.NetworkConfig(pod_cidr=cidr))
        )

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[cri.ContainerEventResponse]]:
        """Follow what happens to containers. The stream is open when the block is entered."""
        open_call, _ = self._calls["GetContainerEvents"]
        with self._translated():
            async with open_call.open() as stream:
                await stream.send_message(cri.GetEventsRequest(), end=True)
                await stream.recv_initial_metadata()

                async def messages() -> AsyncIterator[cri.ContainerEventResponse]:
                    while (event := await stream.recv_message()) is not None:
                        yield event

                yield messages()

    # -- sandboxes and containers --------------------------------------------------------------------------------------

    async def run_sandbox(self, config: cri.PodSandboxConfig) -> str:
        """Make a sandbox; give its id."""
        return str((await self._call("RunPodSandbox", config=config)).pod_sandbox_id)

    async def stop_sandbox(self, id_: str) -> None:
        """Stop a sandbox and all in it."""
        await self._call("StopPodSandbox", pod_sandbox_id=id_)

    async def remove_sandbox(self, id_: str) -> None:
        """Remove a sandbox and all in it."""
        await self._call("RemovePodSandbox", pod_sandbox_id=id_)

    async def list_sandboxes(self) -> list[cri.PodSandbox]:
        """List all sandboxes."""
        return list((await self._call("ListPodSandbox")).items)

    async def sandbox_status(self, id_: str) -> cri.PodSandboxStatusResponse:
        """Ask for a sandbox's state and its containers'."""
        answer: cri.PodSandboxStatusResponse = await self._call("PodSandboxStatus", pod_sandbox_id=id_)
        return answer

    async def create_container(
        self, sandbox_id: str, config: cri.ContainerConfig, sandbox_config: cri.PodSandboxConfig
    ) -> str:
        """Create a container; give its id."""
        answer = await self._call(
            "CreateContainer", pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox_config
        )
        return str(answer.container_id)

    async def exec_url(self, id_: str, command: list[str], streams: Mapping[str, bool]) -> str:
        """Prepare a command in a container; give the URL where its streams (stdin, stdout, stderr, tty) are."""
        return str((await self._call("Exec", container_id=id_, cmd=command, **streams)).url)

    async def attach_url(self, id_: str, streams: Mapping[str, bool]) -> str:
        """Prepare the streams of a running container; give their URL."""
        return str((await self._call("Attach", container_id=id_, **streams)).url)

    async def stats(self) -> list[cri.ContainerStats]:
        """Ask what running containers use."""
        return list((await self._call("ListContainerStats")).stats)

    async def port_forward_url(self, sandbox_id: str) -> str:
        """Prepare connections into a sandbox's network; give the URL for them."""
        return str((await self._call("PortForward", pod_sandbox_id=sandbox_id)).url)

    async def start_container(self, id_: str) -> None:
        """Start it."""
        await self._call("StartContainer", container_id=id_)

    async def stop_container(self, id_: str, grace_seconds: int) -> None:
        """Stop it: returns once it has ended."""
        timeout = REQUEST_TIMEOUT_SECONDS + grace_seconds
        await self._call("StopContainer", timeout_seconds=timeout, container_id=id_, timeout=grace_seconds)

    async def remove_container(self, id_: str) -> None:
        """Remove it."""
        await self._call("RemoveContainer", container_id=id_)

    async def execute(self, id_: str, command: list[str], timeout_seconds: int) -> cri.ExecSyncResponse:
        """Run a command in it to the end."""
        answer: cri.ExecSyncResponse = await self._call(
            "ExecSync", container_id=id_, cmd=command, timeout=timeout_seconds
        )
        return answer

    # -- images --------------------------------------------------------------------------------------------------------

    async def image(self, name: str) -> cri.Image | None:
        """Ask whether an image is on the node."""
        answer = await self._call("ImageStatus", image=cri.ImageSpec(image=name))
        return answer.image if answer.HasField("image") else None

    async def images(self) -> list[cri.Image]:
        """List the images on the node."""
        return list((await self._call("ListImages")).images)

    async def pull(self, name: str, sandbox_config: cri.PodSandboxConfig) -> str:
        """Pull an image, however long it takes; give its id."""
        answer = await self._call(
            "PullImage", timeout_seconds=None, image=cri.ImageSpec(image=name), sandbox_config=sandbox_config
        )
        return str(answer.image_ref)

    async def remove_image(self, name: str) -> None:
        """Delete an image."""
        await self._call("RemoveImage", image=cri.ImageSpec(image=name))

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _call(self, name: str, timeout_seconds: float | None = REQUEST_TIMEOUT_SECONDS, **fields: Any) -> Any:
        unary, request_type = self._calls[name]
        request: Message = getattr(cri, request_type)(**fields)
        time, operation = asyncio.get_running_loop().time, _operation(name)
        began = time()
        self._asked.values[operation,] += 1
        try:
            with self._translated():
                async with asyncio.timeout(timeout_seconds):
                    return await unary(request)
        except RuntimeRefusal:
            self._failed.values[operation,] += 1
            raise
        finally:
            self._seconds.observe(time() - began, operation)

    @contextlib.contextmanager
    def _translated(self) -> Any:
        try:
            yield
        except GRPCError as error:
            raise RuntimeRefusal(_go_code(error.status), error.message or "") from error
        except TimeoutError as error:
            raise RuntimeRefusal("DeadlineExceeded", "context deadline exceeded") from error
        except ConnectionRefusedError as error:
            raise RuntimeRefusal(
                "Unavailable",
                f'connection error: desc = "transport: Error while dialing: dial unix {self._socket}: '
                'connect: connection refused"',
            ) from error
        except (OSError, StreamTerminatedError, ProtocolError) as error:
            raise RuntimeRefusal("Unavailable", "error reading from server: EOF") from error


@functools.cache
def _operation(method: str) -> str:
    """Call a method as the kubelet's metrics do: run_podsandbox, pull_image (pkg/kubelet/kuberuntime/instrumented)."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.replace("PodSandbox", "Podsandbox")).lower()


def _go_code(status: Status) -> str:
    """Spell a gRPC code as Go does."""
    if status is Status.CANCELLED:
        return "Canceled"
    return "".join(word.capitalize() for word in status.name.split("_"))
