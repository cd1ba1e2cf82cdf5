"""crictl's way to the container runtime: CRI over gRPC on a unix socket of the machine, errors as crictl says them.

    FATA[0000] getting status for container "x": rpc error: code = NotFound desc = …

Modelled on cri-tools 1.32 (cmd/crictl). IDs may be shortened: what begins with what was typed is found by listing,
which real containerd does itself.
"""

from collections.abc import Iterable
from typing import Any

from grpclib.exceptions import GRPCError, StreamTerminatedError

from cluster_engine.programs.invocation import Invocation
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.rpc.endpoints import Channel
from cluster_engine.rpc.grpc import call

SOCKET = "/run/containerd/containerd.sock"


class CrictlError(Exception):
    """What could not be done; the text follows "FATA[0000] "."""


class Runtime:
    """The runtime of the machine. Must be closed."""

    def __init__(self, invocation: Invocation, endpoint: str) -> None:
        self._invocation = invocation
        self._path = endpoint.removeprefix("unix://")
        self._channel = Channel(path=self._path)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    async def call(self, method: str, doing: str, **fields: Any) -> Any:
        """Call a method of CRI. CrictlError begins with what was being done."""
        services = cri.DESCRIPTOR.services_by_name.values()
        described = next(service.methods_by_name[method] for service in services if method in service.methods_by_name)
        request = getattr(cri, described.input_type.name)(**fields)
        try:
            return await call(self._channel, described)(request)
        except GRPCError as error:
            code = "".join(word.title() for word in error.status.name.split("_"))
            raise CrictlError(f"{doing}: rpc error: code = {code} desc = {error.message}") from error
        except (OSError, StreamTerminatedError) as error:
            raise CrictlError(self._unreachable()) from error

    def _unreachable(self) -> str:
        machine = self._invocation.process.host.machine
        is_there = self._path == SOCKET and "containerd" in machine.units
        why = "connection refused" if is_there else "no such file or directory"
        return (
            f'validate service connection: validate CRI v1 runtime API for endpoint "unix://{self._path}": rpc error: '
            f'code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix '
            f'{self._path}: connect: {why}"'
        )

    async def containers(self, **wanted: Any) -> list[cri.Container]:
        """List containers, the newest first."""
        answer = await self.call("ListContainers", "listing containers", filter=cri.ContainerFilter(**wanted))
        return sorted(answer.containers, key=lambda one: -one.created_at)

    async def pods(self, **wanted: Any) -> list[cri.PodSandbox]:
        """List pod sandboxes, the newest first."""
        answer = await self.call("ListPodSandbox", "listing pod sandboxes", filter=cri.PodSandboxFilter(**wanted))
        return sorted(answer.items, key=lambda one: -one.created_at)

    async def container_id(self, typed: str) -> str:
        """Complete a container's id; what cannot be completed is left to the runtime to refuse."""
        return _completed(typed, (one.id for one in await self.containers()))

    async def pod_id(self, typed: str) -> str:
        """Complete a pod sandbox's id."""
        return _completed(typed, (one.id for one in await self.pods()))


def _completed(typed: str, ids: Iterable[str]) -> str:
    found = [one for one in ids if one.startswith(typed)]
    return found[0] if len(found) == 1 else typed
