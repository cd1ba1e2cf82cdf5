"""Faults at work: begun at their time, noted in the journal, healed.

Each injected fault is a task: it waits for the start, notes `fault.started`, lets it happen, waits for the end or for
somebody who heals it, puts things right and notes `fault.ended`. A fault healed before its start leaves no trace; one
whose target is gone by then is over at once, and says why.

A *sealed* fault is a riddle: its `fault.started` says that something was broken and not what (`sealed` among its
fields); its `fault.ended` says everything.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Iterable
from typing import Any

import msgspec

from cluster_engine import faults
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, FaultError, Passing

ACTIVE_MAX = 100


class Active(msgspec.Struct):
    """A fault that was injected and is not over. `at`: when it began, None before that."""

    id: str
    record: Fault
    sealed: bool = False
    at: float | None = None
    parts: list[str] = msgspec.field(default_factory=list)
    """The faults that it is made of, by their ids."""
    healed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def pass_with(self, over: asyncio.Event) -> None:
        """Be healed too once `over` is set."""
        if self.healed.is_set():
            over.set()
        self.healed = over


class Faults:
    """The faults of one cluster, by id, in order of injection."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._active: dict[str, Active] = {}
        self._count = 0

    @property
    def active(self) -> list[Active]:
        """What has been injected and is not over."""
        return list(self._active.values())

    def inject(self, record: Fault, group: asyncio.TaskGroup, *, sealed: bool = False) -> str:
        """Let a fault happen at its time; give its id. FaultError when it does not fit this cluster."""
        record.check(self._ground)
        if len(self._active) >= ACTIVE_MAX:
            raise FaultError(f"{ACTIVE_MAX} faults are active already; heal some first")
        parts = record.parts()
        for one in (record, *parts):
            self._check_claims(one.claims())
        self._count += 1
        active = self._active[f"fault-{self._count}"] = Active(f"fault-{self._count}", record, sealed)
        # Not a part of whichever process this was called from.
        active.task = group.create_task(self._happen(active), name=active.id, context=contextvars.Context())
        active.parts = [self.inject(part, group, sealed=sealed) for part in parts]
        return active.id

    def _check_claims(self, claims: str) -> None:
        for other in self._active.values():
            if claims and other.record.claims() == claims:
                raise FaultError(f"{claims} is the subject of {other.id} already; heal that first")

    async def heal(self, id_: str) -> None:
        """Put right what a fault did; returns when that is done. FaultError when there is no such fault."""
        active = self._active.get(id_)
        if active is None:
            known = ", ".join(self._active) or "none"
            raise FaultError(f"there is no active fault {id_}; active are {known}")
        await self._heal([active])

    async def heal_all(self) -> None:
        """Heal everything, side by side: a binding can be restored only once the API server is back."""
        await self._heal(self.active)

    async def _heal(self, these: Iterable[Active]) -> None:
        tasks = []
        for active in these:
            active.healed.set()
            assert active.task is not None
            tasks.append(active.task)
        if tasks:
            await asyncio.wait(tasks)

    def abandon(self) -> None:
        """Leave everything as broken as it is: the world ends."""
        for active in self.active:
            if active.task is not None:
                active.task.cancel()

    async def _happen(self, active: Active) -> None:
        record, loop = active.record, self._ground.world.loop
        injected = loop.time()
        try:
            if await self._healed_within(active, injected + record.start):
                await self._heal_parts(active)
                return
            active.at = loop.time()
            self._note_start(active)
            try:
                heal = await record.begin(self._ground, active.id)
            except FaultError as problem:  # it fitted when it was injected; somebody has taken its target away since
                self._note(
                    "fault.ended",
                    f"{record.name} cannot happen: {problem}",
                    active,
                    {**faults.write(record), "problem": str(problem)},
                )
                return
            if isinstance(heal, Passing):
                active.pass_with(heal.over)
                heal = heal.heal
            if heal is not None:
                await self._healed_within(active, None if record.end is None else injected + record.end)
                await self._heal_parts(active)
                await heal()
            self._note("fault.ended", f"{record.name} is over: {record.target}", active, faults.write(record))
        finally:
            del self._active[active.id]
            for whole in self._active.values():
                if whole.parts and self._active.keys().isdisjoint(whole.parts):
                    whole.healed.set()  # nothing of it is left

    async def _heal_parts(self, active: Active) -> None:
        await self._heal([self._active[one] for one in active.parts if one in self._active])

    async def _healed_within(self, active: Active, deadline: float | None) -> bool:
        """Wait for somebody who heals, until the deadline; tell whether there was one."""
        if deadline is not None and deadline <= self._ground.world.loop.time():
            return active.healed.is_set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await active.healed.wait()
        return active.healed.is_set()

    def _note_start(self, active: Active) -> None:
        record = active.record
        if active.sealed:
            self._note("fault.started", "something is broken on purpose", active, {"sealed": True})
        else:
            self._note("fault.started", f"{record.name} begins: {record.target}", active, faults.write(record))

    def _note(self, kind: str, text: str, active: Active, fields: dict[str, Any]) -> None:
        self._ground.world.note(kind, text, {"id": active.id, **fields})
