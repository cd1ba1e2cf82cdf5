"""Everything a web process runs beside its requests, put together: bus, mailbox, hub, recorder, workers.

`current()` is the one of this event loop, started by the first who needs it. `manage.py serve` starts it with the
server and stops it with it; a foreign ASGI server starts it at the first request or by the lifespan protocol.
"""

import asyncio
import contextlib
import logging
import weakref
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from visualizer import ending, selectors, services
from visualizer.database import in_database
from visualizer.health import Health
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch
from visualizer.hosting.bus import Bus, BusLost, EmbeddedBus
from visualizer.hosting.clusters import Clusters
from visualizer.hosting.hub import Hub, Snapshot
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Lesson, State
from visualizer.hosting.placement import Placement
from visualizer.hosting.recorder import WRITE_SECONDS, Recorder, suspend
from visualizer.hosting.refused import Refused
from visualizer.hosting.revival import Revival
from visualizer.hosting.supervisor import Supervisor

logger = logging.getLogger(__name__)

SEEN_SECONDS = 15.0
UNHEARD_SECONDS = messages.RENEW_SECONDS + 2 * WRITE_SECONDS  # how old what is written of a clock may be


class WebProcess:
    """The hosting side of one web process."""

    def __init__(
        self, bus: Bus, *, workers: int = 0, engine: str = "", redis_url: str = "", alone: bool = False
    ) -> None:
        self.bus = bus
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone = alone  # this process and its children are all there is
        self.mailbox = Mailbox(bus)
        self.clusters = Clusters(bus, self.mailbox)
        self.placement = Placement(bus, self.clusters, workers, self.spawn)
        self.revival = Revival(bus, self.placement, self.spawn)
        self.hub = Hub(bus, self.entries, _snapshot, self.revival.watched, self.clusters.recap)
        self.recorder = Recorder(self.mailbox.name, bus, self.clusters)
        self.supervisor = Supervisor(bus, workers, gone=self._gone, engine=engine, redis_url=redis_url)
        self.health = Health(self.ready)

    @classmethod
    def from_settings(cls) -> "WebProcess":
        """As the settings say: embedded, or on Redis."""
        if not settings.REDIS_URL:
            return cls(EmbeddedBus(), workers=settings.WORKERS, engine=settings.ENGINE, alone=True)
        from visualizer.hosting.redis_bus import RedisBus

        url = settings.REDIS_URL
        return cls(RedisBus(url), workers=settings.WORKERS, engine=settings.ENGINE, redis_url=url)

    def start(self) -> None:
        """Start what runs beside the requests; needs a running loop."""
        self.spawn(self.mailbox.run(), "mailbox")
        self.spawn(self.recorder.run(), "recorder")
        self.spawn(self.clusters.hear_loads(), "loads")
        self.spawn(self._mark_seen(), "mark seen")
        if self._alone:
            self.spawn(self._suspend_leftovers(timezone.now()), "suspend leftovers")
        self.supervisor.start()

    async def stop(self) -> None:
        """Stop all of it; workers of our own end their clusters first."""
        self.revival.stop()
        await self.supervisor.stop()
        with contextlib.suppress(Exception):  # the last words are recorded if they still can be
            async with asyncio.timeout(ending.SECONDS):
                await self.recorder.flush()
        await ending.end(self._tasks)
        await self.hub.aclose()
        await self.bus.aclose()

    def spawn(self, work: "asyncio._CoroutineLike[None]", name: str) -> None:
        """Do some work beside the requests, until this process stops."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("%s broke", task.get_name(), exc_info=problem)

    # Clusters -------------------------------------------------------------------------------------------------------

    async def entries(self, cluster: str, since: int, limit: int) -> list[Batch]:
        """List a journal after `since`, without a gap: what is recorded, else what the cluster itself has.

        Raise `Refused` where that begins later: the recorder is about to write what stands for what is lost.
        """
        recorded = await in_database(selectors.batches)(cluster, since, limit)
        if recorded:
            return recorded
        known = await self.clusters.entries(cluster, since, limit)
        if known and known[0].first > since + 1:
            raise Refused("The cluster is busy and gave no answer in time.")
        return known

    async def _suspend_leftovers(self, started: datetime) -> None:
        """What the database calls running since before we started ran in a server that is gone.

        Its pages have heard more than was written. All that is made again by itself, if the cluster comes back at an
        instant that they have not seen yet; else what somebody does there would lead another way than they know.
        """
        for cluster in await in_database(selectors.active_clusters)():
            if cluster.created_at < started:
                await in_database(services.let_time_pass)(cluster.pk, UNHEARD_SECONDS)
                await suspend(self.bus, cluster.pk, "server-stopped", cluster.life)

    async def _gone(self, cluster: str) -> None:
        await self.recorder.give_up(cluster, "worker-lost")

    async def _mark_seen(self) -> None:
        while True:
            try:
                if watched := self.hub.watched():
                    await in_database(services.mark_seen)(watched)
            except Exception:
                logger.exception("cannot note who is watched")
            await asyncio.sleep(SEEN_SECONDS)

    async def ready(self) -> bool:
        """Whether a worker is there to take clusters."""
        try:
            return bool(await self.bus.leases("worker:"))
        except BusLost:
            return False


async def _snapshot(cluster: str) -> Snapshot:
    row = await in_database(selectors.cluster)(cluster)
    if row is None:
        return 0, None, None, None
    state = State(cast("Any", row.state), row.reason, row.life, row.successor_id)
    return row.recorded, state, Lesson(row.progress) if row.progress is not None else None, row.mishap


_running: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, WebProcess]" = weakref.WeakKeyDictionary()


def current() -> WebProcess:
    """The web process of this event loop, started when it is needed first."""
    loop = asyncio.get_running_loop()
    if loop not in _running:
        _running[loop] = WebProcess.from_settings()
        _running[loop].start()
    return _running[loop]


def use(web_process: WebProcess | None) -> None:
    """Make this one the current one (tests and servers that start it themselves); None forgets it."""
    loop = asyncio.get_running_loop()
    if web_process is None:
        _running.pop(loop, None)
    else:
        _running[loop] = web_process
