"""Everything a web process runs beside its requests, put together: bus, mailbox, hub, recorder, workers.

`current()` is the one of this event loop, started by the first who needs it. `manage.py serve` starts it with the
server and stops it with it; a foreign ASGI server starts it at the first request or by the lifespan protocol.
"""

import asyncio
import contextlib
import logging
import weakref
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting.batches import Batch
from visualizer.hosting.bus import Bus, BusLost, EmbeddedBus
from visualizer.hosting.clusters import Clusters, NoRoom
from visualizer.hosting.hosted_cluster import Refused
from visualizer.hosting.hub import Hub
from visualizer.hosting.mailbox import Mailbox
from visualizer.hosting.messages import Create, State, Stop
from visualizer.hosting.recorder import Recorder, end
from visualizer.hosting.supervisor import Supervisor
from visualizer.models import Cluster

logger = logging.getLogger(__name__)

SEEN_SECONDS = 15.0
MAKE_ROOM_SECONDS = 20.0  # a cluster unwatched for so long may be ended when there is no room


class WebProcess:
    """The hosting side of one web process."""

    def __init__(
        self, bus: Bus, *, workers: int = 0, engine: str = "", redis_url: str = "", alone: bool = False
    ) -> None:
        self.bus = bus
        self._alone = alone  # this process and its children are all there is
        self.mailbox = Mailbox(bus)
        self.clusters = Clusters(bus, self.mailbox)
        self.hub = Hub(bus, self.entries, _snapshot)
        self.recorder = Recorder(self.mailbox.name, bus, self.clusters)
        self.supervisor = Supervisor(bus, workers, gone=self._gone, engine=engine, redis_url=redis_url)
        self._tasks: set[asyncio.Task[None]] = set()

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
        self._spawn(self.mailbox.run(), "mailbox")
        self._spawn(self.recorder.run(), "recorder")
        self._spawn(self._mark_seen(), "mark seen")
        if self._alone:
            self._spawn(self._give_up_leftovers(timezone.now()), "give up leftovers")
        self.supervisor.start()

    async def stop(self) -> None:
        """Stop all of it; workers of our own end their clusters first."""
        await self.supervisor.stop()
        with contextlib.suppress(Exception):  # the last words are recorded if they still can be
            await self.recorder.flush()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hub.aclose()
        await self.bus.aclose()

    def _spawn(self, work: "asyncio._CoroutineLike[None]", name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("%s broke", task.get_name(), exc_info=problem)

    # Clusters -------------------------------------------------------------------------------------------------------

    def launch(self, cluster: Cluster) -> None:
        """Have a cluster started, in the background; its page hears how it goes."""
        self._spawn(self._launch(cluster.pk, Create(nodes=cluster.nodes, seed=cluster.seed)), f"launch {cluster.pk}")

    async def _launch(self, cluster: str, create: Create) -> None:
        try:
            try:
                await self.clusters.place(cluster, create)
            except NoRoom as problem:
                if problem.reason != "no-room" or not await self._make_room():
                    raise
                await self.clusters.place(cluster, create)
        except NoRoom as problem:
            await end(self.bus, cluster, problem.reason)

    async def _make_room(self) -> bool:
        unwatched = await in_database(selectors.longest_unwatched)(for_seconds=MAKE_ROOM_SECONDS)
        if unwatched is None:
            return False
        try:
            await self.clusters.ask(unwatched, Stop("room"))
        except Refused:
            return False
        return True

    async def entries(self, cluster: str, since: int, limit: int) -> list[Batch]:
        """List a journal after `since`: what is recorded, else what the cluster itself has."""
        recorded = await in_database(selectors.batches)(cluster, since, limit)
        return recorded or await self.clusters.entries(cluster, since, limit)

    async def _give_up_leftovers(self, started: datetime) -> None:
        """What the database calls running since before we started ran in a server that is gone."""
        for cluster in await in_database(selectors.active_clusters)():
            if cluster.created_at < started:
                await self.recorder.give_up(cluster.pk, "worker-lost")

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


async def _snapshot(cluster: str) -> tuple[int, State | None]:
    row = await in_database(selectors.cluster)(cluster)
    if row is None:
        return 0, None
    match row.state:
        case Cluster.State.ENDED:
            return row.recorded, State("ended", row.reason)
        case Cluster.State.RUNNING:
            return row.recorded, State("running")
        case _:
            return row.recorded, None


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
