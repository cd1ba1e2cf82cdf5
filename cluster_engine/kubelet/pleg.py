"""The pod lifecycle event generator: how the kubelet learns what happened to its containers.

Theory of operation. A stream of containerd's events (`GetContainerEvents`) fills the cache; after each (re)connection,
and every RELIST_SECONDS, everything is listed, so that nothing missed stays missed. That is the kubelet's "evented
PLEG" (feature gate EventedPLEG, off by default), chosen because the default, listing everything every second, would
fill an idle hour with 3,600 lists a node that say nothing (docs/fidelity.md).

    connect ─▶ GetContainerEvents ─▶ ListPodSandbox, PodSandboxStatus each ─▶ events, events, … ─▶ broken: wait, connect

Whether the stream is up is also how the kubelet knows that the runtime is (the real one asks `Status` every 5 s).
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.kubelet.runtime import Runtime, RuntimeRefusal
from cluster_engine.kubelet.runtime_cache import RuntimeCache, Sandbox

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

RELIST_SECONDS = 300.0
RECONNECT_SECONDS = 1.0


class LifecycleEvents:
    """Keeps the cache true. `on_health` is told "" when the runtime answers, else why it does not."""

    def __init__(
        self, process: "Process", runtime: Runtime, cache: RuntimeCache, on_health: Callable[[str], None]
    ) -> None:
        self._process = process
        self._runtime = runtime
        self._cache = cache
        self._on_health = on_health
        self._listed = asyncio.Event()

    async def listed(self) -> None:
        """Wait until everything was listed once."""
        await self._listed.wait()

    async def run(self) -> None:
        """Follow the events until cancelled."""
        while True:
            try:
                await self._follow()
            except RuntimeRefusal as refusal:
                if self._listed.is_set():
                    self._process.note("kubelet.pleg", f"lost the container runtime: {refusal}")
                self._on_health(f"container runtime is down: {refusal}")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def relist_now_and_then(self) -> None:
        """List everything every RELIST_SECONDS, in case an event was missed."""
        while True:
            await asyncio.sleep(RELIST_SECONDS)
            with contextlib.suppress(RuntimeRefusal):
                await self._relist()

    async def _follow(self) -> None:
        async with self._runtime.events() as events:
            await self._relist()
            self._listed.set()
            self._on_health("")
            async for event in events:
                self._cache.apply(event)
        raise RuntimeRefusal("Unavailable", "the event stream has ended")

    async def _relist(self) -> None:
        sandboxes = []
        for listed in await self._runtime.list_sandboxes():
            answer = await self._runtime.sandbox_status(listed.id)
            sandboxes.append(Sandbox(answer.status, tuple(answer.containers_statuses)))
        self._cache.replace(sandboxes)
