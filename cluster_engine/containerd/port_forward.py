"""Port forwarding at its far end: connections to ports of a pod, made in the pod's network, each for a pair of streams.

    data stream, port 80      connects to 127.0.0.1:80 there, and carries bytes both ways
    error stream              closed empty when all went well, else with the reason

Modelled on k8s.io/kubelet/pkg/cri/streaming/portforward and containerd's internal/cri/server/sandbox_portforward.go.
"""

import asyncio

import msgspec

from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.streaming import port_forward, spdy
from cluster_engine.streaming.duplex import Duplex
from cluster_engine.streaming.port_forward import DATA, ERROR, PORT, REQUEST, TYPE
from cluster_engine.world.process import Host, Process
from cluster_engine.world.world import World

PORT_MAX = 65535
WAITING_MAX = 64


class PortForwarding(msgspec.Struct):
    """Serves one client. `host` is the pod's network; `_waiting` are error streams whose data stream is to come."""

    process: Process
    host: Host
    asked: cri.PortForwardRequest
    _waiting: dict[str, spdy.Stream] = msgspec.field(default_factory=dict)

    async def serve(self, client: Duplex) -> None:
        """Serve until the client has gone."""
        connection = spdy.Connection(client, is_client=False)
        forwards: set[Process] = set()
        try:
            async for stream in connection.streams():
                forwards = {process for process in forwards if process.is_alive}
                process = await self._take(stream)
                if process is not None:
                    forwards.add(process)
        except spdy.SpdyError:
            return  # it has hung up on whoever speaks something else
        finally:
            for process in forwards:
                process.kill()

    async def _take(self, stream: spdy.Stream) -> Process | None:
        kind, request = stream.headers.get(TYPE), stream.headers.get(REQUEST, "")
        if kind == ERROR and len(self._waiting) < WAITING_MAX:
            self._waiting[request] = stream
            return None
        errors = self._waiting.pop(request, None)
        if kind != DATA or errors is None:
            await stream.close()
            return None
        return self._forward(stream, errors)

    def _forward(self, data: spdy.Stream, errors: spdy.Stream) -> Process:
        """Connect in the pod's network; what does so there is a process there."""
        text = data.headers.get(PORT, "")

        async def main(_: Process) -> None:
            try:
                if not (text.isascii() and text.isdigit() and 0 < int(text) <= PORT_MAX):
                    raise ConnectionRefusedError("invalid port")
                reader, writer = await asyncio.open_connection("127.0.0.1", int(text))
            except OSError as error:
                await errors.write(self._failed(text, error).encode())
                await errors.end()
                await data.close()
                return
            await port_forward.join(data, reader, writer)
            await errors.end()

        world = self.process.world
        assert isinstance(world, World)
        return world.spawn(self.host, "containerd", main, told=False)

    def _failed(self, port: str, error: OSError) -> str:
        why = "connect: connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
        id_ = self.asked.pod_sandbox_id
        return (
            f"error forwarding port {port} to pod {id_}, uid : failed to execute portforward in network namespace "
            f'"/var/run/netns/cni-{id_[:12]}": failed to connect to localhost:{port} inside namespace "{id_}", '
            f"IPv4: dial tcp4 127.0.0.1:{port}: {why} IPv6 dial tcp6: address localhost: no suitable address found "
        )
