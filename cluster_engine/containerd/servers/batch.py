"""Programs that are no servers: hello-world, perl's pi, interpreters without a script, stress, and one that crashes.

    perl -Mbignum=bpi -wle 'print bpi(2000)'       3.14159…, after five seconds, as the Job of Kubernetes' documentation
    stress --vm 1 --vm-bytes 250M                  OOMKilled where the container's limit is less

Modelled on the programs named. Left out: what they would do beyond that.
"""

import asyncio
import re

from cluster_engine.containerd.servers import http
from cluster_engine.containerd.trouble import CRASH_EXIT_CODE
from cluster_engine.programs.invocation import Invocation

MEMORY_MAX = "/sys/fs/cgroup/memory.max"
"""Where a container reads how much memory it may have, in bytes, or "max"."""
PI_DIGITS_MAX, PI_SECONDS = 4000, 5.0
MEMORY_A_SECOND = 1024 * 1024 * 1024
_PI = re.compile(r"\bbpi\((\d{1,9})\)")
_SIZE = re.compile(r"(\d{1,12})([KMGkmg]?)i?[bB]?")
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


async def hello_world(invocation: Invocation) -> int:
    """Run /hello."""
    invocation.out(
        "\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n"
    )
    await asyncio.sleep(0.02)
    return 0


LEAK_BYTES = 1024 * 1024 * 1024
"""What it would take of a node that sets it no bound."""


async def crash(invocation: Invocation) -> int:
    """Stand for an image that is broken."""
    await asyncio.sleep(0.3)
    invocation.err("fatal: cannot go on, exiting\n")
    await asyncio.sleep(0.2)
    return CRASH_EXIT_CODE


async def leak(invocation: Invocation) -> int:
    """Stand for an image whose program takes ever more memory."""
    await take_memory(invocation, LEAK_BYTES)
    raise MemoryError


async def interpreter(invocation: Invocation) -> int:
    """Stand for python3 or node: without a terminal and a script they read to the end and end; with one they go on."""
    if len(invocation.argv) < 2 or invocation.argv[1].startswith(("--version", "-c", "-e")):
        await asyncio.sleep(0.05)
        return 0
    await asyncio.get_running_loop().create_future()
    return 0


async def perl(invocation: Invocation) -> int:
    """Stand for perl: a one-liner ends well, and prints pi where it is asked for it; a file runs on."""
    digits = next((found for word in invocation.argv if (found := _PI.search(word))), None)
    if digits is not None:
        await asyncio.sleep(PI_SECONDS)
        invocation.out(_pi(min(max(int(digits.group(1)), 1), PI_DIGITS_MAX)) + "\n")
        return 0
    if len(invocation.argv) < 2 or any(word.startswith("-") for word in invocation.argv[1:]):
        await asyncio.sleep(0.05)
        return 0
    await asyncio.get_running_loop().create_future()
    return 0


async def stress(invocation: Invocation) -> int:
    """Run stress (polinux/stress, vish/stress): it takes memory, and time where it is told how long."""
    words = list(invocation.argv[1:])

    def value(*names: str) -> str:
        for number, word in enumerate(words):
            name, equals, rest = word.partition("=")
            if name.lstrip("-") in names:
                return rest if equals else words[number + 1] if number + 1 < len(words) else ""
        return ""

    wanted = _bytes(value("vm-bytes") or "256M") * int(value("vm", "m") or 0) if value("vm", "m").isdigit() else 0
    if value("mem-total"):
        wanted = _bytes(value("mem-total"))
        invocation.err(
            f'I stress allocating "{value("mem-total")}" memory, in "{value("mem-alloc-size") or "4Ki"}" chunks\n'
        )
    else:
        counts = ", ".join(f"{value(name, name[0]) or 0} {name}" for name in ("cpu", "io", "vm", "hdd"))
        invocation.out(f"stress: info: [1] dispatching hogs: {counts}\n")
    await take_memory(invocation, wanted)
    seconds = value("timeout", "t").rstrip("s")
    if seconds.isdigit():
        await asyncio.sleep(int(seconds))
        invocation.out(f"stress: info: [1] successful run completed in {seconds}s\n")
        return 0
    await http.until_sigterm()
    return 143


async def take_memory(invocation: Invocation, wanted: int) -> None:
    """Hold so many bytes; MemoryError where they are more than the container may have. It takes its time."""
    files = invocation.files
    limit = files.read(MEMORY_MAX).strip() if files.exists(MEMORY_MAX) else b"max"
    most = wanted if limit == b"max" else min(wanted, int(limit))
    await asyncio.sleep(most / MEMORY_A_SECOND)
    invocation.process.memory_bytes = most
    if wanted > most:
        raise MemoryError


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _UNITS[found[2].lower()] if found else 0


def _pi(digits: int) -> str:
    """Return pi rounded to so many significant digits, by Machin's formula."""
    unity: int = 10 ** (digits + 10)

    def arctan_inverse(x: int) -> int:
        power = total = unity // x
        n = 1
        while power:
            power //= -x * x
            n += 2
            total += power // n
        return total

    text = str((4 * (4 * arctan_inverse(5) - arctan_inverse(239)) + 5 * 10**10) // 10**11)
    return f"{text[0]}.{text[1:]}"
