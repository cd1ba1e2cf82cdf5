"""Clusters as the web tier sees them: placed on a worker, asked through whoever holds their lease."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import msgspec

from visualizer.hosting import messages
from visualizer.hosting.batches import Batch
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.hosted_cluster import NoAnswer, Refused
from visualizer.hosting.mailbox import Answer, Mailbox
from visualizer.hosting.messages import Create, Entries, Question

PLACE_SECONDS = 60.0  # a server that has just started loads its engines, and may have thirty clusters to bring back
CREATE_SECONDS = 5.0
LOOK_SECONDS = 0.05


class _Numbered(msgspec.Struct):
    seq: int


_numbers = msgspec.json.Decoder(list[_Numbered]).decode


class NoRoom(Exception):  # noqa: N818
    """No worker takes another cluster; `reason` is `no-room` or `no-worker`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotRunning(Refused):
    """No worker holds the cluster's lease."""


class Clusters:
    """Asks the worker that runs a cluster."""

    def __init__(self, bus: Bus, mailbox: Mailbox) -> None:
        self._bus = bus
        self._mailbox = mailbox
        self._placing: Counter[str] = Counter()  # on their way to a worker

    async def place(self, cluster: str, create: Create) -> str:
        """Start a cluster on the worker that runs the fewest; return the worker. Raise `NoRoom`.

        A worker that says nothing is busy, not full: it may have taken the cluster, or will.
        """
        refused: set[str] = set()
        silent: Counter[str] = Counter()
        workers: list[str] = []
        deadline = asyncio.get_running_loop().time() + PLACE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            try:
                workers = await self._workers_by_load()
            except BusLost:
                workers = []
            if workers and refused.issuperset(workers):
                raise NoRoom("no-room")
            for worker in sorted((one for one in workers if one not in refused), key=silent.__getitem__)[:1]:
                try:
                    if await self._offer(worker, cluster, create):
                        return worker
                    silent[worker] += 1
                except Refused:
                    refused.add(worker)
            if not workers:
                await asyncio.sleep(LOOK_SECONDS)
        raise NoRoom("no-worker")

    async def _offer(self, worker: str, cluster: str, create: Create) -> bool:
        """Offer a cluster to a worker; whether it has taken it, as far as is known. Raise `Refused`."""
        self._placing[worker] += 1
        try:
            await self._mailbox.ask(worker, cluster, create, seconds=CREATE_SECONDS)
        except NoAnswer:
            return await self._holder(cluster) == worker
        finally:
            self._placing[worker] -= 1
        return True

    async def _workers_by_load(self) -> list[str]:
        load = Counter((await self._bus.leases(messages.cluster_name(""))).values()) + self._placing
        workers = (await self._bus.leases(messages.worker_name(""))).values()
        return sorted(workers, key=lambda worker: (load[worker], worker))

    async def _holder(self, cluster: str) -> str | None:
        with contextlib.suppress(BusLost):
            return await self._bus.holder(messages.cluster_name(cluster))
        return None

    async def put(self, cluster: str, question: Question) -> Answer:
        """Put a question to the worker that runs a cluster (see `Mailbox.put`). Raise `NotRunning` or `Refused`."""
        try:
            worker = await self._bus.holder(messages.cluster_name(cluster))
        except BusLost as problem:
            raise Refused("The engine cannot be reached just now; please try again.") from problem
        if worker is None or worker == messages.ENDED:
            raise NotRunning("This cluster does not run any more.")
        return await self._mailbox.put(worker, cluster, question)

    async def ask(self, cluster: str, question: Question) -> bytes:
        """Put a question and wait for the answer, which is JSON."""
        return await (await self.put(cluster, question))

    async def answer(self, cluster: str, question: Question) -> Any:
        """Ask, and read the answer."""
        return msgspec.json.decode(await self.ask(cluster, question))

    async def entries(self, cluster: str, since: int, limit: int) -> list[Batch]:
        """List entries after `since` from the cluster itself; [] when it does not run, or has them no more.

        A journal that is full forgets its oldest: what would begin later than asked for cannot be joined to what is
        known, and is not given.
        """
        try:
            answer = await self.ask(cluster, Entries(since, limit))
        except NotRunning:
            return []
        numbers = [one.seq for one in _numbers(answer)]
        if not numbers or numbers[0] != since + 1:
            return []
        return [Batch(numbers[0], numbers[-1], answer[1:-1])]
