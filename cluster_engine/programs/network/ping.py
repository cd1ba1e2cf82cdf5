"""ping and traceroute: whether a host answers, how long it takes, and over which machines.

    ping -c 3 10.0.0.1          64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.500 ms
    traceroute 10.244.1.3        1  worker-2 (10.0.0.12)  0.540 ms  0.540 ms  0.540 ms

Echoes cross the links, with their latency and faults. Modelled on iputils 20221126 and traceroute 2.1.2; its probes are
echoes (-I), and the machines on the way are told by the network, for which no time to live runs out. Left out: -f, -R,
-s beyond 1,472 bytes, IPv6.
"""

import asyncio
import contextlib
import math
import socket

import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.interfaces import is_pod
from cluster_engine.programs.network.sockets import names_of, network, resolve
from cluster_engine.programs.options import OptionError, read_options

SHORT = "c:i:W:w:qnv4s:I:DOaAt:hV"
USAGE = """
Usage
  ping [options] <destination>

Options:
  <destination>      dns name or ip address
  -c <count>         stop after <count> replies
  -h                 print help and exit
  -i <interval>      seconds between sending each packet
  -n                 no dns name resolution
  -O                 report outstanding replies
  -q                 quiet output
  -s <size>          use <size> as number of data bytes to be sent
  -V                 print version and exit
  -w <deadline>      reply wait <deadline> in seconds
  -W <timeout>       time to wait for response
"""
INTERVAL_SECONDS_MIN = 0.002
TIMEOUT_SECONDS = 10.0
COUNT_MAX = 2**63 - 1
DATA_BYTES, DATA_BYTES_MAX = 56, 1472
TTL = 64


class PingError(Exception):
    """What ping says after its name, and the code that it ends with."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Asked(msgspec.Struct):
    """What was asked for; times in seconds."""

    target: str
    count: int | None = None
    interval: float = 1.0
    timeout: float = TIMEOUT_SECONDS
    deadline: float | None = None
    size: int = DATA_BYTES
    flags: set[str] = msgspec.field(default_factory=set)


def read(words: list[str]) -> Asked:
    """Read the words after `ping`. OptionError; PingError."""
    options, arguments = read_options("ping", words, SHORT, {})
    values = dict(options)
    if not arguments and not set(values) & {"h", "V"}:
        raise PingError("usage error: Destination address required")
    asked = Asked(arguments[-1] if arguments else "", flags=set(values))
    if (count := values.get("c")) is not None:
        asked.count = _whole(count, 1, COUNT_MAX)
    if (size := values.get("s")) is not None:
        asked.size = _whole(size, 0, DATA_BYTES_MAX)
    if (interval := values.get("i")) is not None:
        asked.interval = max(_seconds(interval, "bad timing interval"), INTERVAL_SECONDS_MIN)
    if (timeout := values.get("W")) is not None:
        asked.timeout = _seconds(timeout, "bad linger time")
    if (deadline := values.get("w")) is not None:
        asked.deadline = _seconds(deadline, "invalid argument")
    return asked


def _whole(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise PingError(f"invalid argument: '{text}'")
    if not low <= int(text) <= high:
        raise PingError(f"invalid argument: '{text}': out of range: {low} <= value <= {high}")
    return int(text)


def _seconds(text: str, complaint: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < 2**31:
        raise PingError(f"{complaint}: {text}" if complaint.startswith("bad") else f"{complaint}: '{text}'")
    return number


class Ping:
    """One run, and what came of it."""

    def __init__(self, invocation: Invocation, asked: Asked, address: str) -> None:
        self._invocation, self._asked, self._address = invocation, asked, address
        self._sent = self._errors = 0
        self._times: list[float] = []
        is_named = asked.target != address and "n" not in asked.flags
        name = names_of(invocation.process.host).get(address, asked.target)
        self._from = f"{name} ({address})" if is_named else address
        self._begun = self._last = asyncio.get_running_loop().time()

    def _moved(self) -> None:
        """Called when something was sent or has come."""
        self._last = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Send echoes until there are enough."""
        asked = self._asked
        size = asked.size
        self._invocation.out(f"PING {asked.target} ({self._address}) {size}({size + 28}) bytes of data.\n")
        waiting: set[asyncio.Task[None]] = set()
        try:
            async with asyncio.timeout(asked.deadline):
                while asked.count is None or self._sent < asked.count:
                    if self._sent:
                        await asyncio.sleep(asked.interval)
                    self._sent += 1
                    self._moved()
                    task = asyncio.get_running_loop().create_task(self._echo(self._sent))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                    await self._invocation.drain()
                if waiting:
                    await asyncio.wait(waiting, timeout=asked.timeout)
        except TimeoutError:
            pass
        finally:
            for task in waiting:
                task.cancel()

    async def _echo(self, sequence: int) -> None:
        try:
            seconds = await network().datagrams.echo(
                self._invocation.process, self._address, sequence % 65536, self._asked.size
            )
        except OSError:
            self._errors += 1
            self._moved()
            here = self._invocation.process.host.address
            self._invocation.out(f"From {here} icmp_seq={sequence} Destination Host Unreachable\n")
            return
        if seconds is None:
            await asyncio.sleep(self._asked.timeout)
            return
        self._moved()
        self._times.append(seconds)
        if "q" not in self._asked.flags:
            size = self._asked.size + 8
            self._invocation.out(
                f"{size} bytes from {self._from}: icmp_seq={sequence} ttl={TTL} time={_milliseconds(seconds)} ms\n"
            )

    def report(self) -> int:
        """Print what came of it; return the exit code."""
        received = len(self._times)
        lost = 100 * (self._sent - received) / max(self._sent, 1)
        errors = f", +{self._errors} errors" if self._errors else ""
        self._invocation.out(
            f"\n--- {self._asked.target} ping statistics ---\n{self._sent} packets transmitted, {received} received"
            f"{errors}, {lost:.6g}% packet loss, time {int((self._last - self._begun) * 1000)}ms\n"
        )
        if self._times:
            milliseconds = [seconds * 1000 for seconds in self._times]
            mean = sum(milliseconds) / received
            deviation = math.sqrt(max(sum(one * one for one in milliseconds) / received - mean * mean, 0.0))
            numbers = (min(milliseconds), mean, max(milliseconds), deviation)
            self._invocation.out(f"rtt min/avg/max/mdev = {'/'.join(f'{one:.3f}' for one in numbers)} ms\n")
        return 0 if received else 1


def _milliseconds(seconds: float) -> str:
    """As iputils rounds: three digits that count."""
    microseconds = round(seconds * 1_000_000)
    if microseconds >= 99_950:
        return str((microseconds + 500) // 1000)
    if microseconds >= 9_995:
        return f"{microseconds / 1000:.1f}"
    return f"{microseconds / 1000:.2f}" if microseconds >= 1000 else f"{microseconds / 1000:.3f}"


async def ping(invocation: Invocation) -> int:
    """Run ping."""
    try:
        asked = read(list(invocation.argv[1:]))
        if asked.flags & {"h", "V"}:
            invocation.out("ping from iputils 20221126\n" if "V" in asked.flags else USAGE)
            return 0
        address = await resolve(asked.target)
    except OptionError as problem:
        invocation.err(f"{problem}\n{USAGE}")
        return 2
    except PingError as problem:
        invocation.err(f"ping: {problem}\n")
        return problem.code
    except socket.gaierror as error:
        invocation.err(f"ping: {invocation.argv[-1]}: {error.strerror}\n")
        return 2
    run = Ping(invocation, asked, address)
    with contextlib.suppress(asyncio.CancelledError):
        await run.run()
    return run.report()


async def traceroute(invocation: Invocation) -> int:
    """Run traceroute."""
    try:
        options, arguments = read_options("traceroute", invocation.argv[1:], "nIm:q:w:4TU", {})
    except OptionError as problem:
        invocation.err(f"{problem}\n")
        return 2
    if not arguments:
        invocation.err("Usage:\n  traceroute [ -4nIT ] [ -m max_ttl ] [ -q nqueries ] [ -w wait ] host [ packetlen ]\n")
        return 0
    name, host = arguments[0], invocation.process.host
    try:
        address = await resolve(name)
    except socket.gaierror as error:
        invocation.err(f"{name}: {error.strerror}\n")
        invocation.err(f'Cannot handle "host" cmdline arg `{name}\' on position 1 (argc 1)\n')
        return 2
    invocation.out(f"traceroute to {name} ({address}), 30 hops max, 60 byte packets\n")
    is_numeric = "n" in {letter for letter, _ in options}
    names = names_of(host)
    hops = [one for one in _hops(invocation, address) if one != address]
    for number, hop in enumerate([*hops, address], start=1):
        if not await _tell_hop(invocation, number, hop, hop if is_numeric else f"{names.get(hop, hop)} ({hop})"):
            break
    return 0


def _hops(invocation: Invocation, address: str) -> list[str]:
    """The machines that a packet to an address passes: a pod's own first, then that of the pod which has it."""
    here = invocation.process.host
    target = next((pod.machine for pod in network().namespaces() if pod.address == address), None)
    found = [here.machine.address] if is_pod(here) and address not in here.addresses else []
    return found if target is None or target is here.machine else [*found, target.address]


async def _tell_hop(invocation: Invocation, number: int, hop: str, shown: str) -> bool:
    times: list[float | None] = []
    for _ in range(3):
        try:
            times.append(await network().datagrams.echo(invocation.process, hop))
        except OSError:
            invocation.out(f"{number:2}  {invocation.process.host.address}  {'  '.join(['!H'] * 3)}\n")
            return False
    if any(one is None for one in times):
        await asyncio.sleep(5)
        invocation.out(f"{number:2}  * * *\n")
        return False
    spoken = "  ".join(f"{seconds * 1000:.3f} ms" for seconds in times if seconds is not None)
    invocation.out(f"{number:2}  {shown}  {spoken}\n")
    return True
