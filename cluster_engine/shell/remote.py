"""ssh: being on another host of the cluster, for one line or until `exit`.

    ssh worker-1                    the prompt then says worker-1:~$
    ssh worker-1 hostname           worker-1
    ssh control-plane < script      what is piped in is run there

Modelled on OpenSSH's words. No connection is opened for it: nothing of it crosses the wire, and it needs no password.
It fails where a real one would: at names that nobody has, at hosts without power and behind a partition.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cluster_engine.cast import OUTSIDE
from cluster_engine.programs.keyboard import is_terminal
from cluster_engine.programs.streams import Input, Streams
from cluster_engine.shell.budget import OutOfMemoryError
from cluster_engine.shell.shell import Shell

if TYPE_CHECKING:
    from cluster_engine.world.process import Host
    from cluster_engine.world.world import World

FAILED = 255
NO_ROUTE_SECONDS = 3.0
"""Until the kernel gives up asking who has the address (ARP, three tries)."""
TIMED_OUT_SECONDS = 127.0
"""Until Linux has sent its last SYN in vain (tcp_syn_retries = 6)."""
OPTIONS_WITH_VALUE = frozenset({"-p", "-i", "-l", "-o", "-F", "-J"})
USAGE = "usage: ssh [user@]host [command]"


async def ssh(shell: Shell, words: Sequence[str], streams: Streams) -> int:
    """Run a line on another host; without a line, go there."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in OPTIONS_WITH_VALUE and rest:
            rest.pop(0)
    if not rest:
        shell.say(f"{USAGE}\n", streams.stderr)
        return FAILED
    host = await gone_to(shell, rest.pop(0), streams)
    if host is None:
        return FAILED
    if not rest and shell.interactive and is_terminal(streams.stdin):
        return shell.terminal.enter(host, streams)
    line = " ".join(rest) if rest else await all_of(shell, streams.stdin)
    return await shell.terminal.run_at(host, line, streams, shell)


async def gone_to(shell: Shell, destination: str, streams: Streams) -> "Host | None":
    """Return the host of [USER@]HOST; None where one cannot go there, which is said as ssh says it."""
    user, at, name = destination.rpartition("@")
    host, problem = _host(shell.terminal.world, shell.place.host, name), ""
    if host is None:
        problem = f"ssh: Could not resolve hostname {name}: Name or service not known"
    elif at and user != "root":
        problem = f"{user}@{name}: Permission denied (publickey)."
    elif why := await _reached(shell.terminal.world, shell.place.host, host):
        problem = f"ssh: connect to host {name} port 22: {why}"
    if problem:
        shell.say(f"{problem}\n", streams.stderr)
        return None
    return host


def is_reachable(world: "World", here: "Host", there: "Host") -> bool:
    """Return whether a connection from one host to another would live."""
    passes = world.network.can_pass
    return here is there or (there.powered and passes(here, there) and passes(there, here))


async def _reached(world: "World", here: "Host", there: "Host") -> str:
    """Wait as a connection would; return why there is none, "" where there is one."""
    if is_reachable(world, here, there):
        return ""
    await asyncio.sleep(TIMED_OUT_SECONDS if there.powered else NO_ROUTE_SECONDS)
    return "Connection timed out" if there.powered else "No route to host"


def machines(world: "World") -> list["Host"]:
    """Return the hosts that a person can be on."""
    return [host for host in world.network.hosts.values() if host.name != OUTSIDE]


def _host(world: "World", here: "Host", name: str) -> "Host | None":
    if name in ("localhost", "127.0.0.1"):
        return here
    return next((host for host in machines(world) if name in (host.name, host.address)), None)


async def all_of(shell: Shell, stdin: Input) -> str:
    """Read a whole script. OutOfMemoryError where it is larger than a variable may be."""
    pieces, room = [], shell.budget.limits.memory_bytes
    while piece := await stdin.read():
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            raise OutOfMemoryError
    return b"".join(pieces).decode("utf-8", "replace")
