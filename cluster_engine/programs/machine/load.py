"""uptime, free and top: how long a machine runs, and what its processes use.

    free -h                 total        used        free ...
    top -b -n1              the processes, the busiest first

Memory is what `world/hardware.py` counts; processor time what programs have worked. Modelled on procps 4.0.2. Left out:
load averages, buffers and caches, swap (all 0); top's keys: without -b it prints once, too.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from cluster_engine.programs import ps
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.text.reading import Complaint, complain, read
from cluster_engine.world.hardware import CPUS, MEMORY_KIB, held_bytes, memory_used_bytes
from cluster_engine.world.process import Process

LOADS = "load average: 0.00, 0.00, 0.00"
TIMES_MAX = 10_000
SHOWN_MAX = 1000
_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "bytes": 1, "kibi": 1024, "mebi": 1024**2,
          "gibi": 1024**3, "kilo": 1000, "mega": 1000**2, "giga": 1000**3}  # fmt: skip


async def uptime(invocation: Invocation) -> int:
    """Run uptime: -p in words, -s since when."""
    try:
        options = read(invocation, "psV", ["pretty", "since"])
    except Complaint as complaint:
        return complain(invocation, complaint)
    since = ps.booted(invocation.process)
    if "-s|--since" in options:
        invocation.out(f"{since:%Y-%m-%d %H:%M:%S}\n")
    elif "-p|--pretty" in options:
        invocation.out(f"up {_pretty(_seconds(invocation))}\n")
    else:
        invocation.out(f"{_up(invocation)}\n")
    return 0


def _seconds(invocation: Invocation) -> int:
    return max(0, int((invocation.process.now() - ps.booted(invocation.process)).total_seconds()))


def _pretty(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    told = [(days // 7, "week"), (days % 7, "day"), (rest // 3600, "hour"), (rest % 3600 // 60, "minute")]
    words = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in told if count]
    return ", ".join(words) or "0 minutes"


def _up(invocation: Invocation) -> str:
    days, rest = divmod(_seconds(invocation), 86_400)
    hours, minutes = divmod(rest // 60, 60)
    told = f"{days} day{'' if days == 1 else 's'}, " if days else ""
    told += f"{hours:2}:{minutes:02}" if hours else f"{minutes} min"
    return f" {invocation.process.now():%H:%M:%S} up {told},  1 user,  {LOADS}"


async def free(invocation: Invocation) -> int:
    """Run free: -b, -k, -m, -g the unit, -h for people, -t with a line of sums, -w wide."""
    try:
        long = [*_UNITS, "human", "total", "wide", "lohi", "si", "seconds=", "count="]
        options = read(invocation, "bkmghtwls:c:", long)
        times = _count(options.value("-c|--count", "1"))
    except Complaint as complaint:
        return complain(invocation, complaint)
    unit = next((size for name, size in _UNITS.items() if f"-{name}|--{name}" in options), 1024)
    wide = "-w|--wide" in options
    titles = ["total", "used", "free", "shared", *(["buffers", "cache"] if wide else ["buff/cache"]), "available"]
    for turn in range(times):
        used = memory_used_bytes(invocation.process.host.machine)
        left = MEMORY_KIB * 1024 - used
        memory = [MEMORY_KIB * 1024, used, left, 0, *([0, 0] if wide else [0]), left]
        rows: list[tuple[str, Sequence[int]]] = [("Mem:", memory), ("Swap:", [0, 0, 0])]
        if "-t|--total" in options:
            rows.append(("Total:", memory[:3]))
        human = "-h|--human" in options
        invocation.out(" " * 8 + "".join(f"{title:>12}" for title in titles) + "\n")
        for name, values in rows:
            cells = "".join(f"{_human(value) if human else value // unit:>12}" for value in values)
            invocation.out(f"{name:<8}{cells}\n")
        if turn + 1 < times:
            invocation.out("\n")
            await invocation.drain()
            await asyncio.sleep(1)
    return 0


def _human(value: int) -> str:
    """Write a size as free -h does: "7.8Gi"."""
    if not value:
        return "0B"
    size, unit = float(value), 0
    while size >= 1024 and unit < 4:
        size, unit = size / 1024, unit + 1
    name = ("B", "Ki", "Mi", "Gi", "Ti")[unit]
    return f"{size:.1f}{name}" if size < 10 and unit else f"{int(size)}{name}"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) <= TIMES_MAX and len(text) < 10):
        raise Complaint(f"failed to parse count argument: '{text}'")
    return int(text)


async def top(invocation: Invocation) -> int:
    """Run top: -b -n TIMES, -d SECONDS between them, -p PIDS, -o FIELD."""
    try:
        options = read(invocation, "bcn:d:p:o:w::HiSs1", ["version"])
        times = _count(options.value("-n", "1"))
        pause = _pause(options.value("-d", "3"))
        order = options.value("-o", "%CPU").lstrip("+-").upper()
        if order not in ("%CPU", "%MEM", "RES", "PID", "TIME+", "COMMAND"):
            raise Complaint(f"unrecognized field name '{order}'")
        pids = {word for word in options.value("-p").split(",") if word}
    except Complaint as complaint:
        return complain(invocation, complaint)
    worked: dict[int, float] = {}
    since = float(_seconds(invocation))
    for turn in range(times):
        processes = [one for one in invocation.process.host.processes.values() if not pids or str(one.pid) in pids]
        invocation.out(("" if turn == 0 else "\n") + _screen(invocation, processes, worked, since, order))
        await invocation.drain()
        worked, since = {one.pid: one.effort.spent for one in invocation.process.host.processes.values()}, pause
        if turn + 1 < times:
            await asyncio.sleep(pause)
    return 0


def _pause(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86_400:
        raise Complaint(f"bad delay interval '{text[:100]}'")
    return seconds


def _screen(
    invocation: Invocation, processes: Sequence[Process], worked: dict[int, float], since: float, order: str
) -> str:
    """Return one turn's text: shares are of the seconds since the turn before, or since the machine was booted."""
    machine = invocation.process.host.machine
    spent = sum(one.effort.spent - worked.get(one.pid, 0.0) for one in machine.processes.values())
    busy = min(100.0, spent / (max(since, 1.0) * CPUS) * 100)
    used = memory_used_bytes(machine) / 1024**2
    total = MEMORY_KIB / 1024
    head = (
        f"top -{_up(invocation)}\n"
        f"Tasks: {len(processes):3} total,   1 running, {max(0, len(processes) - 1):3} sleeping,   0 stopped,   "
        f"0 zombie\n%Cpu(s):{busy:5.1f} us,  0.0 sy,  0.0 ni,{100 - busy:5.1f} id,  0.0 wa,  0.0 hi,  0.0 si,  "
        f"0.0 st \nMiB Mem :{total:9.1f} total,{total - used:9.1f} free,{used:9.1f} used,      0.0 buff/cache     \n"
        f"MiB Swap:      0.0 total,      0.0 free,      0.0 used.{total - used:9.1f} avail Mem \n\n"
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n"
    )

    def share(one: Process) -> float:
        return min(100.0 * CPUS, (one.effort.spent - worked.get(one.pid, 0.0)) / max(since, 1.0) * 100)

    keys: Mapping[str, Callable[[Process], float]] = {
        "%CPU": share,
        "TIME+": lambda one: one.effort.spent,
        "PID": lambda one: float(one.pid),
    }
    by: Callable[[Process], float] = keys.get(order, held_bytes)
    shown = sorted(processes, key=lambda one: (-by(one), one.pid))[:SHOWN_MAX]
    names = {row.pid: row for row in ps.rows(invocation.process)}
    return head + "".join(_line(one, names[one.pid], share(one)) for one in shown if one.pid in names)


def _line(one: Process, row: ps.Row, share: float) -> str:
    held = held_bytes(one) // 1024
    minutes, seconds = divmod(one.effort.spent, 60)
    return (
        f"{one.pid:7d} {row.user:<8}  20   0 {held:7d} {held:6d}      0 {row.state[0]} {share:5.1f} "
        f"{held / MEMORY_KIB * 100:5.1f} {int(minutes):3d}:{seconds:05.2f} {row.name}\n"
    )
