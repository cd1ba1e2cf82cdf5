"""netstat: a host's connections, its routes (-r) and its interfaces (-i), as net-tools prints them.

    netstat -tunp | grep kube
    tcp        0      0 10.0.0.11:32770         10.0.0.1:6443           ESTABLISHED 104/kubelet

Without -a what is connected, with -l what listens, -n numbers instead of names, -p processes, -e users and inodes, -o
timers. Modelled on net-tools 2.10. Left out: -s, -g, -M, -c, IPv6.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.interfaces import interfaces_of, routes_of
from cluster_engine.programs.network.services import port_name
from cluster_engine.programs.network.sockets import Socket, names_of, sockets_of
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.world.tap import Endpoint
from cluster_engine.world.tcp_states import State

if TYPE_CHECKING:
    from cluster_engine.world.process import Host

USAGE = """usage: netstat [-vWnNaeol] [<Socket> ...]
       netstat { [-n] -r | [-n] -i | -V | -h }

        -r, --route              display routing table
        -i, --interfaces         display interface table

        -W, --wide               don't truncate IP addresses
        -n, --numeric            don't resolve names
        -e, --extend             display other/more information
        -p, --programs           display PID/Program name for sockets
        -o, --timers             display timers
        -l, --listening          display listening server sockets
        -a, --all                display all sockets (default: connected)

  <Socket>={-t|--tcp} {-u|--udp} {-x|--unix}
"""
VERSION = "net-tools 2.10"
SHORT = "tuxwnpaelorivWVhN46A:"
LONG = {
    "tcp": "t", "udp": "u", "unix": "x", "raw": "w", "numeric": "n", "numeric-hosts": "H", "numeric-ports": "P",
    "numeric-users": "U", "programs": "p", "program": "p", "all": "a", "extend": "e", "listening": "l", "timers": "o",
    "route": "r", "interfaces": "i", "verbose": "v", "wide": "W", "version": "V", "help": "h", "symbolic": "N",
    "inet": "4",
}  # fmt: skip
NAMES = {state: state.value.replace("-", "_") for state in State} | {
    State.SYN_RECEIVED: "SYN_RECV",
    State.FIN_WAIT_1: "FIN_WAIT1",
    State.FIN_WAIT_2: "FIN_WAIT2",
    State.CLOSED: "CLOSE",
}
_ADDRESS_WIDTH = 23
_PROGRAM_WIDTH = 20


async def netstat(invocation: Invocation) -> int:
    """Run netstat."""
    try:
        options, _ = read_options("netstat", invocation.argv[1:], SHORT, LONG)
    except OptionError as problem:
        invocation.err(f"{problem}\n{USAGE}")
        return 3
    flags = {letter for letter, _ in options}
    host = invocation.process.host
    if "V" in flags:
        lines: Iterator[str] = iter([VERSION])
    elif "h" in flags:
        lines = iter(USAGE.splitlines())
    elif "r" in flags:
        lines = route_lines(host, is_numeric="n" in flags)
    elif "i" in flags:
        lines = _interface_lines(host)
    else:
        lines = _Sockets(host, flags).lines()
    for line in lines:
        invocation.out(f"{line}\n")
        await invocation.drain()
    return 0


class _Sockets:
    """One table of sockets."""

    def __init__(self, host: "Host", flags: set[str]) -> None:
        self._host, self._flags = host, flags
        kinds = {{"t": "tcp", "u": "udp", "x": "unix"}[letter] for letter in flags & set("tux")}
        if not kinds and "w" not in flags:
            kinds = {"tcp", "udp"} if "4" in flags else {"tcp", "udp", "unix"}
        self._kinds = kinds
        self._names = names_of(host)

    def lines(self) -> Iterator[str]:
        """Yield the lines of what was asked for."""
        shown = [one for one in sockets_of(self._host) if self._wants(one)]
        scope = "w/o servers"
        if "a" in self._flags:
            scope = "servers and established"
        elif "l" in self._flags:
            scope = "only servers"
        if self._kinds & {"tcp", "udp"} or not self._kinds:
            yield f"Active Internet connections ({scope})"
            yield self._header()
            for kind in ("tcp", "udp"):
                yield from (self._row(one) for one in shown if one.kind == kind)
        if "unix" in self._kinds:
            yield f"Active UNIX domain sockets ({scope})"
            program = f"{'PID/Program name':<{_PROGRAM_WIDTH}} " if "p" in self._flags else ""
            yield f"Proto RefCnt Flags       Type       State         I-Node   {program}Path"
            yield from (self._unix_row(one) for one in shown if one.kind == "unix")

    def _wants(self, one: Socket) -> bool:
        is_listening = one.state in (State.LISTEN, State.CLOSED)
        return one.kind in self._kinds and ("a" in self._flags or is_listening is ("l" in self._flags))

    def _header(self) -> str:
        line = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
        if "e" in self._flags:
            line += " User       Inode     "
        if "p" in self._flags:
            line += f" {'PID/Program name':<{_PROGRAM_WIDTH}}"
        return line + (" Timer" if "o" in self._flags else "")

    def _row(self, one: Socket) -> str:
        state = "" if one.kind == "udp" and one.state is State.CLOSED else NAMES[one.state]
        unsent = 0 if one.state is State.LISTEN else one.unsent
        line = f"{one.kind:<5} {one.unread:>6} {unsent:>6} {self._address(one, one.local)} "
        line += f"{self._address(one, one.remote)} {state:<11}"
        if "e" in self._flags:
            line += f" {'0' if 'n' in self._flags else 'root':<10} {one.inode:<10}"
        if "p" in self._flags:
            line += f" {_program(one):<{_PROGRAM_WIDTH}}"
        return line + (f" {_timer(one)}" if "o" in self._flags else "")

    def _address(self, one: Socket, endpoint: Endpoint) -> str:
        is_numeric = "n" in self._flags
        port = "*" if not endpoint.port else str(endpoint.port)
        if endpoint.port and not is_numeric and "P" not in self._flags:
            port = port_name(endpoint.port, one.kind) or port
        host = endpoint.address
        if not is_numeric and "H" not in self._flags:
            host = self._names.get(host, host)
        if "W" not in self._flags:
            host = host[: _ADDRESS_WIDTH - len(port) - 1]
        return f"{f'{host}:{port}':<{_ADDRESS_WIDTH}}"

    def _unix_row(self, one: Socket) -> str:
        is_listening = one.state is State.LISTEN
        flags, state = ("[ ACC ]", "LISTENING") if is_listening else ("[ ]", "CONNECTED")
        path = one.local.address if one.local.address.startswith("/") else ""
        program = f"{_program(one):<{_PROGRAM_WIDTH}} " if "p" in self._flags else ""
        return f"unix  {2 if is_listening else 3:<6} {flags:<11} STREAM     {state:<13} {one.inode:<8} {program}{path}"


def _program(one: Socket) -> str:
    return "-" if one.process is None else f"{one.process.pid}/{one.process.name}"[: _PROGRAM_WIDTH - 1]


def _timer(one: Socket) -> str:
    if one.seconds_left is not None:
        return f"timewait ({one.seconds_left:.2f}/0/0)"
    return "off (0.00/0/0)" if one.retry is None else f"on ({one.retry[0]:.2f}/{one.retry[1]}/0)"


def route_lines(host: "Host", *, is_numeric: bool) -> Iterator[str]:
    """Yield a host's routes, as `netstat -r` and `route` print them."""
    yield "Kernel IP routing table"
    yield "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface"
    for route in routes_of(host):
        gateway = route.gateway or "0.0.0.0"
        flags = "U" + ("G" if route.gateway else "") + ("H" if route.network.prefixlen == 32 else "")
        destination = str(route.network.network_address)
        if not is_numeric and not route.network.prefixlen:
            destination = "default"
        line = f"{destination:<15} {gateway:<15} {route.network.netmask!s:<15} {flags:<6}    0 0          0 "
        yield line + route.interface


def _interface_lines(host: "Host") -> Iterator[str]:
    yield "Kernel Interface table"
    yield "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg"
    for interface in sorted(interfaces_of(host), key=lambda one: one.name):
        flags = "LRU" if interface.name == "lo" else "BMRU"
        line = (
            f"{interface.name:<15} {interface.mtu:>5} {0:>8} {0:>6} {0:>6} {0:<6} {0:>8} {0:>6} {0:>6} {0:>6} {flags}"
        )
        yield line
