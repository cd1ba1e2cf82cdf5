"""Clusters as the web tier sees them: placed on a worker, asked through whoever holds their lease."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import msgspec

from visualizer.hosting import messages
from visualizer.hosting.batches import Batch
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.loads import is_crowded
from visualizer.hosting.mailbox import Answer, Mailbox
from visualizer.hosting.messages import Create, Entries, Question, Recap, Told
from visualizer.hosting.refused import GONE, NoAnswer, Refused

PLACE_SECONDS = 60.0  # a server that has just started loads its engines, and may have thirty clusters to bring back
CREATE_SECONDS = 5.0
LOOK_SECONDS = 0.05
WORKERS_MAX = 1000  # remembered


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
        self._crowded: dict[str, bool] = {}  # as workers say of their machines

    async def hear_loads(self) -> None:
        """Hear from workers how crowded their machines are, for ever."""
        async with contextlib.aclosing(self._bus.follow(messages.LOADS)) as loads:
            async for frames in loads:
                for load in messages.loads(frames):
                    self._crowded.pop(load.worker, None)
                    self._crowded[load.worker] = is_crowded(load)
                    while len(self._crowded) > WORKERS_MAX:
                        del self._crowded[next(iter(self._crowded))]

    async def place(self, cluster: str, create: Create) -> str:
        """Start a cluster on the worker that runs the fewest; return the worker. Raise `NoRoom`.

        Those whose machines are crowded come last. A worker that says nothing is busy, not full: it may have taken the
        cluster, or will.
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
            await self._mailbox.ask(worker, cluster, create, life=create.life, seconds=CREATE_SECONDS)
        except NoAnswer:
            with contextlib.suppress(BusLost):
                return await self._runs(cluster) == (worker, create.life)
            return False
        finally:
            self._placing[worker] -= 1
        return True

    async def _workers_by_load(self) -> list[str]:
        workers = (await self._bus.leases(messages.worker_name(""))).values()
        held = (await self._bus.leases(messages.cluster_name(""))).values()
        # Counted only now, since others may have been offered meanwhile.
        load = Counter(messages.worker_and_life(holder)[0] for holder in held) + self._placing
        return sorted(workers, key=lambda worker: (self._crowded.get(worker, False), load[worker], worker))

    async def _runs(self, cluster: str) -> tuple[str, int] | None:
        """Find the worker that runs a cluster, and which life of it; None when nobody does. Raise `BusLost`."""
        holder = await self._bus.holder(messages.cluster_name(cluster))
        return None if holder is None or holder == messages.ENDED else messages.worker_and_life(holder)

    async def put(self, cluster: str, question: Question) -> Answer:
        """Put a question to the worker that runs a cluster (see `Mailbox.put`). Raise `NotRunning` or `Refused`."""
        try:
            runs = await self._runs(cluster)
        except BusLost as problem:
            raise Refused("The engine cannot be reached just now; please try again.") from problem
        if runs is None:
            raise NotRunning(GONE)
        worker, life = runs
        return await self._mailbox.put(worker, cluster, question, life=life)

    async def ask(self, cluster: str, question: Question) -> bytes:
        """Put a question and wait for the answer, which is JSON."""
        return await (await self.put(cluster, question))

    async def answer(self, cluster: str, question: Question) -> Any:
        """Ask, and read the answer."""
        return msgspec.json.decode(await self.ask(cluster, question))

    async def recap(self, cluster: str) -> list[Told]:
        """Have a cluster say again what stands; see `messages.Recap`."""
        return messages.recap(await self.ask(cluster, Recap()))

    async def entries(self, cluster: str, since: int, limit: int) -> list[Batch]:
        """List entries after `since` from the cluster itself; [] when it does not run, or there are none.

        A journal that is full forgets its oldest: then they begin later than was asked for.
        """
        try:
            answer = await self.ask(cluster, Entries(since, limit))
        except NotRunning:
            return []
        numbers = [one.seq for one in _numbers(answer)]
        if not numbers:
            return []
        return [Batch(numbers[0], numbers[-1], answer[1:-1])]
