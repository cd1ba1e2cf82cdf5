"""getent hosts, and lsof -i: what a host knows of names, and which programs have sockets open.

    getent hosts control-plane      10.0.0.1        control-plane
    lsof -i :6443                   kubelet 102 root 4u IPv4 104452 0t0 TCP worker-1:32769->control-plane:6443 (…)

Modelled on glibc 2.36 and lsof 4.95.0. Left out: getent's other tables; lsof of files, IPv6.
"""

import re
import socket
from collections.abc import Callable, Sequence

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.services import port_name, port_number
from cluster_engine.programs.network.sockets import Socket, names_of, network, resolve, sockets_of
from cluster_engine.programs.options import OptionError, read_options
from cluster_engine.world.tap import Endpoint
from cluster_engine.world.tcp_states import State

_SELECTION = re.compile(r"(?:4|6)?(tcp|udp)?(?:@([A-Za-z0-9.-]+))?(?::([A-Za-z0-9,-]+))?", re.IGNORECASE)
_ADDRESSED = re.compile(r"-([nPtUlwa]*)i(.*)")
_STATES = {State.CLOSED: "CLOSED", State.FIN_WAIT_1: "FIN_WAIT1", State.FIN_WAIT_2: "FIN_WAIT2"}


async def getent(invocation: Invocation) -> int:
    """Run getent: hosts and ahosts."""
    words = invocation.argv[1:]
    if not words:
        invocation.err(
            "getent: wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.\n"
        )
        return 1
    host = invocation.process.host
    table, names = words[0], words[1:]
    if table not in ("hosts", "ahosts", "ahostsv4"):
        invocation.err(f"Unknown database: {table}\nTry `getent --help' or `getent --usage' for more information.\n")
        return 1
    code = 0
    for name in names or host.names:
        try:
            address = await resolve(name)
        except socket.gaierror:
            code = 2
            continue
        if table == "hosts":
            known = names_of(host).get(address, name) if name == address else name
            invocation.out(f"{address:<15} {known}\n")
        else:
            invocation.out(f"{address:<15} STREAM {name}\n{address:<15} DGRAM  \n{address:<15} RAW    \n")
    return code


class LsofError(Exception):
    """What lsof says after its name."""


async def lsof(invocation: Invocation) -> int:
    """Run lsof."""
    try:
        options, _ = read_options("lsof", _with_values(invocation.argv[1:]), "i:nPtp:s:c:aUlw", {})
    except OptionError as problem:
        invocation.err(f"{problem}\n")
        return 1
    values = dict(options)
    try:
        if "i" not in values:
            raise LsofError("only -i is known here")
        wanted = _selection(invocation, values["i"], values.get("s", ""))
    except LsofError as problem:
        invocation.err(f"lsof: {problem}\n")
        return 1
    found = [one for one in sockets_of(invocation.process.host) if one.process is not None and wanted(one)]
    if (pids := values.get("p")) is not None:
        found = [one for one in found if one.process is not None and str(one.process.pid) in pids.split(",")]
    if (command := values.get("c")) is not None:
        found = [one for one in found if one.process is not None and one.process.name.startswith(command)]
    if "t" in values:
        pids_found = sorted({one.process.pid for one in found if one.process is not None})
        invocation.out("".join(f"{pid}\n" for pid in pids_found))
    elif found:
        _print(invocation, sorted(found, key=_place), values)
    return 0 if found else 1


def _with_values(words: Sequence[str]) -> list[str]:
    """Give -i, whose value may be left out, one in any case."""
    given: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        found = _ADDRESSED.fullmatch(word)
        if found is None:
            given.append(word)
            continue
        value = found[2] or (rest.pop(0) if rest and not rest[0].startswith("-") else "")
        given += [*([f"-{found[1]}"] if found[1] else []), "-i", value]
    return given


def _place(one: Socket) -> tuple[int, int]:
    return (one.process.pid if one.process is not None else 0), one.fd


def _selection(invocation: Invocation, text: str, states: str) -> Callable[[Socket], bool]:
    found = _SELECTION.fullmatch(text)
    if found is None:
        raise LsofError(f"unknown protocol name ({text}) in: -i {text}")
    protocol, name, ports = found.groups()
    try:
        address = network().resolve(invocation.process.host, name) if name else None
    except socket.gaierror:
        raise LsofError(f"unknown host name ({name}) in: -i {text}") from None
    ranges = [_range(part, text) for part in ports.split(",")] if ports else []
    listed = {state.upper() for state in states.partition(":")[2].split(",") if state}

    def holds(one: Socket) -> bool:
        ends = (one.local, one.remote)
        return (
            one.kind != "unix"
            and (not protocol or one.kind == protocol.lower())
            and (address is None or any(end.address == address for end in ends))
            and (not ranges or any(low <= end.port <= high for end in ends for low, high in ranges))
            and (not listed or _state(one) in listed)
        )

    return holds


def _range(part: str, text: str) -> tuple[int, int]:
    first, dash, last = part.partition("-")
    try:
        low = port_number(first)
        return low, port_number(last) if dash else low
    except ValueError:
        raise LsofError(f"unknown service {part} in: -i {text}") from None


def _state(one: Socket) -> str:
    return _STATES.get(one.state, one.state.value.replace("-", "_"))


def _print(invocation: Invocation, found: list[Socket], values: dict[str, str]) -> None:
    names = {} if "n" in values else names_of(invocation.process.host)

    def end(one: Socket, endpoint: Endpoint) -> str:
        address = "*" if endpoint.address == "0.0.0.0" else names.get(endpoint.address, endpoint.address)
        port = None if "P" in values else port_name(endpoint.port, one.kind)
        return f"{address}:{port or endpoint.port}"

    rows = []
    for one in found:
        assert one.process is not None
        where = end(one, one.local)
        if one.remote.port:
            where += f"->{end(one, one.remote)}"
        where += f" ({_state(one)})" if one.kind == "tcp" else " "
        row = (one.process.name[:9], str(one.process.pid), f"{one.fd}u", str(one.inode), one.kind.upper(), where)
        rows.append(row)
    command, pid, fd = (max(width, *(len(row[at]) for row in rows)) for at, width in ((0, 7), (1, 4), (2, 4)))
    device = max(6, *(len(row[3]) for row in rows))
    head = f"{'COMMAND':<{command}} {'PID':>{pid}} USER {'FD':>{fd}}   TYPE {'DEVICE':>{device}} SIZE/OFF NODE NAME"
    lines = [
        f"{row[0]:<{command}} {row[1]:>{pid}} root {row[2]:>{fd}}   IPv4 {row[3]:>{device}}      0t0  {row[4]} {row[5]}"
        for row in rows
    ]
    invocation.out("".join(f"{line}\n" for line in [head, *lines]))
