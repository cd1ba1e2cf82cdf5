"""Memory and processor time of clusters in processes of their own: one, ten, forty, a hundred of them, idle and busy.

Measured beneath the web tier, with the fork server that serves: so many children, two nodes each, at pace 1. Memory is
read where the kernel counts it (`smaps_rollup`): *private* is what one child has written to and has for itself, *share*
(Pss) its part of what it has in common with the others too. A busy cluster has a Deployment scaled up and down every
two seconds.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from cluster_engine.deeds import Command
from visualizer.hosting import process_link
from visualizer.hosting.engines import REAL
from visualizer.hosting.messages import Ask, Create
from visualizer.hosting.process_link import Begin, LinkLost, Question, Up
from visualizer.hosting.processes import ForkedProcess, ForkedProcesses

COUNTS = (1, 10, 40, 100)
BUSY_COUNTS = (1, 10)
MEASURED_SECONDS = 10.0
AT_ONCE = 2
LINES = ("kubectl scale deployment web --replicas=4", "kubectl scale deployment web --replicas=1")
KIBIBYTES_A_MEBIBYTE = 1024


class Child:
    """One cluster; what it says is read and forgotten."""

    def __init__(self, process: ForkedProcess) -> None:
        self.process = process
        self.up = asyncio.Event()
        self.asked = 0
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                if isinstance(await process_link.read(self.process.reader, process_link.up), Up):
                    self.up.set()
        except LinkLost:
            pass

    def type(self, line: str) -> None:
        """Type a line; nobody waits for what it prints."""
        self.asked += 1
        ask = Ask(self.asked, "", "c", Command(f"k{self.asked}", line))
        process_link.write(self.process.writer, Question(self.asked, ask))

    def cpu_seconds(self) -> float:
        """Processor time since it was forked."""
        seen = self.process.look()
        return seen.cpu_seconds if seen is not None else 0.0

    def mebibytes(self, name: str) -> float:
        """Read a row of smaps_rollup."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(text.partition(f"\n{name}:")[2].split()[0]) / KIBIBYTES_A_MEBIBYTE


async def _begin(processes: ForkedProcesses, turns: asyncio.Semaphore, seed: int) -> Child:
    async with turns:
        process = await processes.begin()
        assert isinstance(process, ForkedProcess)
        child = Child(process)
        process_link.write(process.writer, Begin(f"c{seed}", Create(2, seed)))
        await child.up.wait()
        return child


async def _measured(children: list[Child], name: str) -> dict[str, Any]:
    before, began = [one.cpu_seconds() for one in children], time.monotonic()
    await asyncio.sleep(MEASURED_SECONDS)
    used = sum(one.cpu_seconds() for one in children) - sum(before)
    return {
        f"private_mib_{name}": statistics.mean(one.mebibytes("Private_Dirty") for one in children),
        f"share_mib_{name}": statistics.mean(one.mebibytes("Pss") for one in children),
        f"cpu_share_of_a_core_{name}": 100 * used / (time.monotonic() - began),
    }


async def _work(child: Child) -> None:
    child.type("kubectl create deployment web --image=nginx")
    for turn in range(1000):
        await asyncio.sleep(2)
        child.type(LINES[turn % 2])


async def _measure() -> dict[str, Any]:
    processes = ForkedProcesses(REAL)
    await processes.start()
    turns = asyncio.Semaphore(AT_ONCE)
    numbers: dict[str, Any] = {}
    children: list[Child] = []
    try:
        began = time.monotonic()
        children.append(await _begin(processes, turns, 1))
        numbers["first_cluster_up"] = time.monotonic() - began
        numbers["start_cpu"] = children[0].cpu_seconds()
        for count in COUNTS:
            more = range(len(children) + 1, count + 1)
            children += await asyncio.gather(*(_begin(processes, turns, seed) for seed in more))
            await asyncio.sleep(2)
            numbers |= await _measured(children, f"{count}_idle")
            if count in BUSY_COUNTS:
                working = [asyncio.create_task(_work(one)) for one in children]
                await asyncio.sleep(4)
                numbers |= await _measured(children, f"{count}_busy")
                for task in working:
                    task.cancel()
    finally:
        await processes.aclose()
    return numbers


def measure() -> dict[str, Any]:
    """Start them, look at them, end them."""
    return asyncio.run(_measure())
