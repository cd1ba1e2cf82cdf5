"""`kubectl port-forward`: ports of this host's loopback that lead to ports of a pod, until Ctrl-C.

    kubectl port-forward svc/web 8080:80 &         Forwarding from 127.0.0.1:8080 -> 80
    curl http://127.0.0.1:8080/                    Handling connection for 8080

One WebSocket to the API server carries all of it, as SPDY frames, two streams for each connection. Modelled on
kubectl/pkg/cmd/portforward and client-go/tools/portforward. Left out: IPv6, the second attempt by SPDY without a
WebSocket.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.programs.kubectl import pods, remote
from cluster_engine.programs.kubectl.arguments import targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session
from cluster_engine.streaming import port_forward, spdy
from cluster_engine.streaming.websocket import Tunnel, WebSocket
from cluster_engine.world.process import Process

FLAGS = (
    Flag("address", default="localhost"),
    Flag("pod-running-timeout", kind="duration", default=60.0),
)
USAGE = """TYPE/NAME and list of ports are required for port-forward
See 'kubectl port-forward -h' for help and examples"""
LOST = "lost connection to pod"
PORT_MAX = 65535


class Forward(msgspec.Struct, frozen=True):
    """One pair of ports; `local` 0 is any that is free."""

    local: int
    remote: int


async def run(session: Session, arguments: list[str]) -> int:
    """Forward until Ctrl-C."""
    if len(arguments) < 2:
        raise CommandError(USAGE)
    what, *ports = arguments
    service = await _service(session, what)
    pod, _ = await pods.selected(session, what, doing="attach to")
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise CommandError(f"unable to forward port because pod is not running. Current status={phase}")
    forwards = [read_forward(_translated(text, service, pod)) for text in ports]
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/portforward"
    duplex = await remote.upgraded(session, path, "", (port_forward.TUNNELLED,))
    connection = spdy.Connection(Tunnel(WebSocket(duplex, is_client=True)), is_client=True)
    await Forwarder(session, connection, session.flags["address"].split(",")).run(forwards)
    raise CommandError(LOST)


class Terminal(Protocol):
    """What a forwarder needs of the program that it is in; see `Invocation`."""

    @property
    def process(self) -> Process:
        """See Invocation."""
        ...

    def out(self, data: str | bytes) -> None:
        """See Invocation."""
        ...

    def err(self, data: str | bytes) -> None:
        """See Invocation."""
        ...

    async def drain(self) -> None:
        """See Invocation."""
        ...


class Forwarder:
    """Listens on addresses of this host and opens a pair of streams for each connection."""

    def __init__(self, session: Terminal, connection: spdy.Connection, addresses: Sequence[str]) -> None:
        self._session = session
        self._addresses = ["127.0.0.1" if one == "localhost" else one for one in addresses]
        self._connection = connection
        self._requests = 0
        self._lost = asyncio.Event()

    async def run(self, forwards: list[Forward]) -> None:
        """Forward until the connection to the pod is lost. CommandError where no port can be listened on."""
        session = self._session
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self._hear())
            servers = []
            try:
                for forward in forwards:
                    for address in self._addresses:
                        servers += await self._listen(address, forward)
                await session.drain()
                if not servers:
                    shown = " ".join(f"{{{forward.local} {forward.remote}}}" for forward in forwards)
                    raise CommandError(f"unable to listen on any of the requested ports: [{shown}]")
                await self._lost.wait()
            finally:
                for server in servers:
                    server.close()
                await self._connection.close()
                hearing.cancel()

    async def _hear(self) -> None:
        try:
            async for stream in self._connection.streams():
                await stream.close()  # the other side opens none
        except spdy.SpdyError as error:
            self._session.err(f"error: {error}\n")
        self._lost.set()

    async def _listen(self, address: str, forward: Forward) -> list[asyncio.Server]:
        session = self._session
        port = forward.local or session.process.host.next_port()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connected(port, forward.remote, reader, writer)

        try:
            server = await asyncio.start_server(accept, address, port)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            text = f"unable to create listener: Error listen tcp4 {address}:{port}: bind: {why}"
            session.err(
                f"Unable to listen on port {port}: Listeners failed to create with the following errors: [{text}]\n"
            )
            return []
        session.out(f"Forwarding from {address}:{port} -> {forward.remote}\n")
        return [server]

    async def _connected(
        self, local: int, remote_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        session = self._session
        session.out(f"Handling connection for {local}\n")
        await session.drain()
        about = {port_forward.PORT: str(remote_port), port_forward.REQUEST: str(self._requests)}
        self._requests += 1
        try:
            errors = await self._connection.open({port_forward.TYPE: port_forward.ERROR, **about}, ends=True)
            data = await self._connection.open({port_forward.TYPE: port_forward.DATA, **about})
            await port_forward.join(data, reader, writer)
        except OSError:
            writer.close()
            return
        said = b""
        while piece := await errors.read():
            said += piece
        if said:
            why = said.decode("utf-8", "replace")
            session.err(_unhandled(session, f"an error occurred forwarding {local} -> {remote_port}: {why}"))
            self._lost.set()


def _unhandled(session: Terminal, text: str) -> str:
    """Say something as klog does."""
    now, pid = session.process.now(), session.process.pid
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'E{now:%m%d %H:%M:%S.%f} {pid:7d} portforward.go:424] "Unhandled Error" err="{quoted}"\n'


async def _service(session: Session, what: str) -> Object | None:
    if "/" not in what:
        return None
    target = (await targets(session, [what]))[0]
    if target.resource.kind != "Service":
        return None
    service: Object = await session.get(target.resource.path(session.namespace, target.name))
    return service


def _translated(text: str, service: Object | None, pod: Object) -> str:
    """Turn a port as it was given into numbers: a Service's into its target's, a name into the pod's. CommandError."""
    local, colon, remote_port = text.rpartition(":")
    named = {
        port["name"]: port["containerPort"]
        for each in pod["spec"]["containers"]
        for port in each.get("ports") or ()
        if port.get("name")
    }
    found = named.get(remote_port, remote_port) if service is None else _target(service, remote_port, named)
    if str(found) == remote_port:
        return text
    return f"{local if colon else remote_port if int_of(remote_port) is not None else found}:{found}"


def _target(service: Object, wanted: str, named: dict[str, int]) -> Any:
    for port in service["spec"].get("ports") or ():
        if wanted in (str(port["port"]), port.get("name")):
            if service["spec"].get("clusterIP") == "None":
                return port["port"]
            target = port.get("targetPort") or port["port"]
            return named.get(target, target) if isinstance(target, str) else target
    name = service["metadata"]["name"]
    if int_of(wanted) is None:
        raise CommandError(f"Service '{name}' does not have a named port '{wanted}'")
    raise CommandError(f"Service {name} does not have a service port {wanted}")


def read_forward(text: str) -> Forward:
    """Read a pair of ports: LOCAL:REMOTE, REMOTE, or :REMOTE. CommandError."""
    parts = text.split(":")
    if len(parts) > 2:
        raise CommandError(f"invalid port format '{text}'")
    local, remote_port = (parts[0] or "0", parts[1]) if len(parts) == 2 else (parts[0], parts[0])
    found = Forward(_port(local, "local"), _port(remote_port, "remote"))
    if found.remote == 0:
        raise CommandError("remote port must be > 0")
    return found


def _port(text: str, which: str) -> int:
    number = int_of(text) if text.isdigit() else None
    if number is None:
        raise CommandError(
            f"error parsing {which} port '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax"
        )
    if number > PORT_MAX:
        why = f'strconv.ParseUint: parsing "{text}": value out of range'
        raise CommandError(f"error parsing {which} port '{text}': {why}")
    return number
