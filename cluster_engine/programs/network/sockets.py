"""The sockets of a host, as its kernel would list them: what `ss`, `netstat` and `lsof` print.

Theory of operation. Whatever listens or is connected on a host belongs to a process of it, but for what was closed and
is not over yet: that is the kernel's alone, has no process, and stays until the other side has closed too (FIN-WAIT)
and a minute longer (TIME-WAIT). A pod's sockets are in its own network; on its machine nobody sees them.

    kubelet on worker-1          tcp  ESTABLISHED  10.0.0.11:32770 → 10.0.0.1:6443    descriptor 5
    closed by kubectl just now   tcp  TIME-WAIT    10.0.0.100:32769 → 10.0.0.1:6443   no process

Left out: IPv6, raw and netlink sockets.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import msgspec

from cluster_engine.world.tap import Endpoint
from cluster_engine.world.tcp_states import State

if TYPE_CHECKING:
    from cluster_engine.world.loop import ClusterLoop
    from cluster_engine.world.network import Network
    from cluster_engine.world.process import Host, Process
    from cluster_engine.world.sockets import Listener
    from cluster_engine.world.tcp import End
    from cluster_engine.world.udp import DatagramSocket

BACKLOG = 4096
"""net.core.somaxconn, which Go's servers listen with."""
ANYBODY = Endpoint("0.0.0.0", 0)
_COMM_LENGTH = 15
"""TASK_COMM_LEN without its end."""


class Socket(msgspec.Struct, frozen=True):
    """One socket. `kind`: "tcp", "udp" or "unix". `seconds_left`: of TIME-WAIT. `retry`: seconds to it, how many were.

    `peer_inode`: of a unix socket's other end.
    """

    kind: str
    state: State
    local: Endpoint
    remote: Endpoint
    unread: int = 0
    unsent: int = 0
    process: "Process | None" = None
    fd: int = 0
    number: int = 0
    seconds_left: float | None = None
    retry: tuple[float, int] | None = None
    peer_inode: int = 0

    @property
    def inode(self) -> int:
        """The number of its file; 0 once no process has it."""
        return 0 if self.process is None else _inode(self.process, self.fd)


def network() -> "Network":
    """Return the network of the world in which this runs."""
    return cast("ClusterLoop", asyncio.get_running_loop()).network


async def resolve(name: str) -> str:
    """Look a name up as the process that runs would: in a pod by its name servers. socket.gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(name, 0)
    return str(found[0][4][0])


def command_name(process: "Process") -> str:
    """Return what the kernel calls a process: fifteen letters of its program's name (/proc/PID/comm)."""
    return process.name[:_COMM_LENGTH]


def names_of(host: "Host") -> dict[str, str]:
    """Return the names that a host knows for addresses, as reverse lookups would give them."""
    names = {one.address: one.name for one in network().hosts.values()}
    return {**{address: name for name, address in reversed(host.names.items())}, **names, "127.0.0.1": "localhost"}


def sockets_of(host: "Host") -> list[Socket]:
    """List a host's sockets: unix, udp, tcp; those that listen first, then by process and descriptor."""
    listening = [_listening(listener) for process in _owned(host) for listener in process.listeners]
    listening += [_datagrams(socket) for process in _owned(host) for socket in process.datagram_sockets]
    connected = [_connected(end) for end in ends_of(host)]
    order = {"unix": 0, "udp": 1, "tcp": 2}

    def place(one: Socket) -> tuple[int, bool, bool, int, int]:
        pid = one.process.pid if one.process is not None else 0
        return order[one.kind], one.state is not State.LISTEN, one.process is None, pid, one.fd

    return [*sorted([*listening, *connected], key=place), *_remembered(host)]


def ends_of(host: "Host") -> list["End"]:
    """List a host's ends of connections, also those that no process has any more."""
    ends = {end: None for process in _owned(host) for end in process.ends}
    ends |= {end: None for pair in network().ends.values() for end in pair if end.process.host is host}
    return [end for end in ends if end.state is not State.CLOSED]


def _owned(host: "Host") -> list["Process"]:
    return [process for process in host.processes.values() if process.host is host]


def _listening(listener: "Listener") -> Socket:
    return Socket(
        "tcp" if listener.local.port else "unix",
        State.LISTEN,
        listener.local,
        ANYBODY,
        unsent=BACKLOG,
        process=cast("Process", listener.process),
        fd=listener.fd,
    )


def _datagrams(socket: "DatagramSocket") -> Socket:
    """A connected one counts as established, as in the kernel's table (/proc/net/udp)."""
    state = State.CLOSED if socket.remote is None else State.ESTABLISHED
    local = Endpoint(socket.local.address or ANYBODY.address, socket.local.port)
    process = cast("Process", socket.process)
    return Socket("udp", state, local, socket.remote or ANYBODY, process=process, fd=socket.fd)


def _connected(end: "End") -> Socket:
    is_tcp = bool(end.local.port or end.remote.port)
    unread, unsent = end.queues
    peer = end.peer
    return Socket(
        "tcp" if is_tcp else "unix",
        end.state,
        end.local,
        end.remote,
        unread=unread,
        unsent=unsent,
        process=None if end.is_gone else cast("Process", end.process),
        fd=end.fd,
        number=end.number,
        retry=end.next_retry,
        peer_inode=0 if peer is None or peer.is_gone else _inode(cast("Process", peer.process), peer.fd),
    )


def _remembered(host: "Host") -> Iterator[Socket]:
    now = asyncio.get_running_loop().time()
    for wait in host.time_waits.at(now):
        yield Socket("tcp", State.TIME_WAIT, wait.local, wait.remote, seconds_left=wait.until - now)


def _inode(process: "Process", fd: int) -> int:
    return process.pid * 1024 + fd
