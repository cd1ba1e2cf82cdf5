"""The recorder: writes journals to the database, and notices clusters that ended, idle or lost their worker.

One web process does this for all: the one that holds the lease `recorder`. Like every reader it lists, then watches:
for each active cluster it knows the last entry recorded, follows the stream from the oldest message kept, passes over
what is recorded, and asks the cluster itself for what is missing. So writing twice is writing once, another process
may take over at any moment, and nothing needs to be acknowledged. Where a cluster outran the recorder for so long that
its journal has forgotten entries that were never written, notes that say so are written in their place.

Inputs are written as they come: whatever they led to is made again by a replay, if all processes are killed at once.
The rest is written as it has gathered, every `WRITE_SECONDS`, each journal by itself, so that a cluster which gives no
answer holds up its own alone: entries after the inputs that led to them, and never
without (each batch says how many there were: with Redis both may be lost, and entries be asked for again), and what
became of the cluster last, so that a row which says "suspended" has all that is needed to bring the cluster back. A
cluster whose lease nobody holds for the length of a lease is given up: its lease goes to `ENDED` for a while, so that
its worker, should it wake, stops it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from django.db import Error as DatabaseError

from cluster_engine.deeds import Frame, Input, NotKept
from visualizer import selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, lost
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.clusters import Clusters
from visualizer.hosting.messages import Clock, Inputs, Left, Lesson, Outside, State, Stop
from visualizer.hosting.refused import Refused
from visualizer.models import Cluster

logger = logging.getLogger(__name__)

LEASE = "recorder"
WRITE_SECONDS = 1.0
SWEEP_SECONDS = 2.0
FORGET_SECONDS = 60 * 60
GIVEN_UP_SECONDS = 10 * 60.0
LINGER_SECONDS = 30.0  # the stream of an ended cluster stays for who reads it still
LIST_ENTRIES = 1000
PENDING_BYTES_MAX = 8 * 1024 * 1024
RETRY_SECONDS = 1.0

# What others want of whoever records: to hear, at once, what streams tell beside entries, clocks and output (it may be
# told twice); and to forget what is old when the recorder does.
listeners: list[Callable[[str, messages.Told], None]] = []
forgetters: list[Callable[[], Awaitable[None]]] = []


class Recorder:
    """Records while it holds the lease."""

    def __init__(self, name: str, bus: Bus, clusters: Clusters) -> None:
        self.name = name
        self._bus = bus
        self._clusters = clusters
        self._journals: dict[str, _Journal] = {}
        self._group: asyncio.TaskGroup
        self._missing: dict[str, float] = {}  # cluster → when its lease was first not there
        self._dropping: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Wait for the lease, record while it is renewed, for ever."""
        while True:
            try:
                if await self._bus.hold(LEASE, self.name, messages.LEASE_SECONDS):
                    await self._record_while_held()
            except BusLost as problem:
                logger.warning("the recorder has lost the bus: %s", problem)
            await asyncio.sleep(messages.RENEW_SECONDS)

    async def _record_while_held(self) -> None:
        work = asyncio.create_task(self._record(), name="record")
        try:
            while await self._bus.hold(LEASE, self.name, messages.LEASE_SECONDS):
                done, _ = await asyncio.wait([work], timeout=messages.RENEW_SECONDS)
                if done:
                    work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _record(self) -> None:
        self._journals, self._missing = {}, {}
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(_again(self._find_journals, 0), name="find journals")
                group.create_task(_again(self._sweep, SWEEP_SECONDS), name="sweep clusters")
                group.create_task(_again(_forget, FORGET_SECONDS), name="forget recordings")
        finally:
            for journal in self._journals.values():
                journal.following.cancel()
            await asyncio.gather(*(one.following for one in self._journals.values()), return_exceptions=True)

    async def _find_journals(self) -> None:
        for cluster in await in_database(selectors.active_clusters)():
            self._follow(cluster)
        async with contextlib.aclosing(self._bus.follow(messages.CLUSTERS)) as announced:
            async for frames in announced:
                for one in messages.announced(frames):
                    row = await in_database(selectors.cluster)(one.cluster)
                    if row is not None and row.state in selectors.ACTIVE:
                        self._follow(row)

    def _follow(self, row: Cluster) -> None:
        if row.pk not in self._journals:
            journal = self._journals[row.pk] = _Journal(row.pk, row.life, self._bus, self._clusters)
            self._group.create_task(self._write(journal), name=f"write {row.pk}")

    async def _write(self, journal: "_Journal") -> None:
        await _again(journal.write, WRITE_SECONDS, lambda: journal.ended)
        journal.following.cancel()
        del self._journals[journal.cluster]
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._drop, journal.cluster)

    async def flush(self) -> None:
        """Write what has gathered, once more, before the process ends."""
        await asyncio.sleep(0.05)  # the followers have taken in what is on the bus
        for journal in list(self._journals.values()):
            await journal.write()

    def _drop(self, cluster: str) -> None:
        async def drop() -> None:
            with contextlib.suppress(BusLost):
                if cluster not in self._journals:  # else it has come back
                    await self._bus.drop(messages.cluster_name(cluster))

        task = asyncio.create_task(drop())
        self._dropping.add(task)
        task.add_done_callback(self._dropping.discard)

    # Clusters that should not run, or do not run, any more ------------------------------------------------------------

    async def _sweep(self) -> None:
        await self._give_up_lost()
        for find, reason in ((selectors.idle_clusters, "idle"), (selectors.full_journals, "full")):
            for cluster in await in_database(find)():
                with contextlib.suppress(Refused):
                    await self._clusters.ask(cluster, Stop(reason))

    async def _give_up_lost(self) -> None:
        active = await in_database(selectors.active_clusters)()
        for cluster in active:
            self._follow(cluster)
        leases = await self._bus.leases(messages.cluster_name(""))
        now = asyncio.get_running_loop().time()
        missing = [one for one in active if leases.get(messages.cluster_name(one.pk), messages.ENDED) == messages.ENDED]
        self._missing = {one.pk: self._missing.get(one.pk, now) for one in missing}
        for cluster in missing:
            # one that is starting may wait for a worker; whoever places it ends it in the end, unless they are gone
            grace = messages.LEASE_SECONDS if cluster.state == cluster.State.RUNNING else 5 * messages.LEASE_SECONDS
            if now - self._missing[cluster.pk] >= grace:
                await self.give_up(cluster.pk, "worker-lost")

    async def give_up(self, cluster: str, reason: str) -> None:
        """Suspend a cluster whose worker is gone, unless another has it by now.

        It is said on the cluster's stream, so that whoever records writes first all that came before it: pages have
        seen that, and what the next life does must not lead another way.
        """
        if not await self._bus.hold(messages.cluster_name(cluster), messages.ENDED, GIVEN_UP_SECONDS):
            return
        row = await in_database(selectors.cluster)(cluster)
        if row is not None and row.state in selectors.ACTIVE:
            state = State("suspended", reason, row.life)
            await self._bus.append(messages.cluster_name(cluster), messages.say(state, state.life))


async def end(bus: Bus, cluster: str, reason: str, life: int | None = None, successor: str | None = None) -> None:
    """Say that a cluster has ended, in the database and to who watches."""
    if await in_database(services.mark_ended)(cluster, reason, life):
        row = await in_database(selectors.cluster)(cluster)
        state = State("ended", reason, row.life if row is not None else 1, successor)
        await bus.append(messages.cluster_name(cluster), messages.say(state, state.life))


async def suspend(bus: Bus, cluster: str, reason: str, life: int) -> None:
    """Say that a cluster is suspended, in the database and to who watches."""
    state = State("suspended", reason, life)
    if await in_database(services.mark_suspended)(cluster, state):
        await bus.append(messages.cluster_name(cluster), messages.say(state, state.life))


class _Journal:
    """One cluster's journal on its way into the database, and what else its stream says."""

    def __init__(self, cluster: str, life: int, bus: Bus, clusters: Clusters) -> None:
        self.cluster = cluster
        self.ended = False
        self._life = life
        self._bus = bus
        self._clusters = clusters
        self._recorded: int | None = None
        self._waits_after: int | None = None  # what follows this entry is missing, which was said
        self._inputs_written: int | None = None
        self._pending: list[Batch] = []
        self._pending_bytes = 0
        self._states: list[State] = []
        self._inputs: list[Input] = []
        self._clock: Clock | None = None
        self._kept: Clock | None = None  # a clock that stands is written once
        self._lesson: Lesson | None = None
        self._outside = False
        self._not_kept: NotKept | None = None
        self._left: Left | None = None
        self._has_missed = False  # something of the stream that nobody has said again
        self._writing = asyncio.Lock()
        self.following = asyncio.create_task(_again(self._follow, RETRY_SECONDS), name=f"record {cluster}")

    async def _follow(self) -> None:
        reader = messages.Reader(self._life)
        async with contextlib.aclosing(self._bus.follow(messages.cluster_name(self.cluster))) as stream:
            async for frames in stream:
                for message in reader.read(frames):
                    self._take(message)
                self._has_missed = self._has_missed or reader.has_missed
                if self._inputs:  # what people did is not made again by itself, as entries are
                    await self._write_inputs_at_once()

    def _take(self, message: messages.Told) -> None:
        if not isinstance(message, Batch | Clock | Frame):
            for listener in listeners:
                listener(self.cluster, message)
        match message:
            case Batch():
                self._pending.append(message)
                self._bound_pending(len(message.entries))
            case State():
                if message.life > self._life:  # the database takes nothing of the life before
                    self._life, self._pending, self._pending_bytes, self._inputs = message.life, [], 0, []
                self._states.append(message)
            case Input():
                self._inputs.append(message)
            case Clock() if message != self._kept:
                self._clock = self._kept = message
            case Lesson():
                self._lesson = message
            case Outside():
                self._outside = True
            case NotKept():
                self._not_kept = message
            case Left():
                self._left = message

    def _keep(self, pending: list[Batch], life: int) -> None:
        """Have entries of a life written later, if it is not over."""
        if life == self._life:
            self._pending = pending + self._pending
            self._bound_pending(sum(len(one.entries) for one in pending))

    def _bound_pending(self, more_bytes: int) -> None:
        self._pending_bytes += more_bytes
        while self._pending_bytes > PENDING_BYTES_MAX:  # the database stands still; they are asked for again
            self._pending_bytes -= len(self._pending.pop(0).entries)

    async def write(self) -> None:
        """Write what has gathered; what is missing in between is asked for."""
        if self._has_missed:
            await self._ask_for_recap()
        async with self._writing:
            life = self._life
            states, self._states = self._states, []
            inputs, self._inputs = self._inputs, []
            pending, self._pending, self._pending_bytes = self._pending, [], 0
            try:
                if inputs:
                    await self._write_inputs(inputs)
                if pending and not await self._write(pending):
                    self._keep(pending, life)
                await self._write_place()
                for state in states:
                    await self._write_state(state)
            except DatabaseError:
                self._inputs = inputs + self._inputs
                self._keep(pending, life)
                self._states = states + self._states
                raise

    async def _write_inputs_at_once(self) -> None:
        async with self._writing:
            inputs, self._inputs = self._inputs, []
            try:
                if inputs:
                    await self._write_inputs(inputs)
            except DatabaseError as problem:
                self._inputs = inputs + self._inputs
                logger.warning("cluster %s: what was done to it is written a little later: %s", self.cluster, problem)

    async def _write_inputs(self, inputs: list[Input]) -> None:
        self._inputs_written = await in_database(services.record_inputs)(self.cluster, inputs, self._life)
        if self._inputs_written < inputs[-1].n and not await self._ask_for_inputs(inputs[-1].n):
            logger.error("cluster %s: some of what was done to it is lost", self.cluster)
            self._outside, self._not_kept = True, NotKept(0)  # where in the journal that was done is lost too

    async def _ask_for_inputs(self, least: int) -> bool:
        """Ask the cluster itself for its inputs and write them; return whether so many are written now."""
        try:
            missing = messages.inputs(await self._clusters.ask(self.cluster, Inputs()))
        except Refused:
            return False
        self._inputs_written = await in_database(services.record_inputs)(self.cluster, missing, self._life)
        return self._inputs_written >= least

    async def _write_place(self) -> None:
        clock, lesson = self._clock, self._lesson
        if clock is not None or lesson is not None:
            await in_database(services.keep_place)(self.cluster, clock, lesson, self._life)
            self._clock = None if self._clock is clock else self._clock
            self._lesson = None if self._lesson is lesson else self._lesson
        if self._outside:
            await in_database(services.mark_outside)(self.cluster, self._life)
            self._outside = False
        if self._not_kept is not None:
            await in_database(services.mark_not_kept)(self.cluster, self._not_kept.seq, self._life)
            self._not_kept = None
        if self._left is not None:
            await in_database(services.note_left)(self.cluster, self._left, self._life)
            self._left = None

    async def _write(self, pending: list[Batch]) -> bool:
        """Write entries, and what is missing before them; False where that cannot be had just now."""
        record = in_database(services.record)
        if self._recorded is None:
            self._recorded = await in_database(selectors.recorded)(self.cluster)
        while fresh := [batch for batch in pending if batch.last > (self._recorded or 0)]:
            if fresh[0].first > self._recorded + 1:
                fresh = await self._missing(self._recorded)
            if not fresh or not await self._has_inputs(fresh[-1].inputs):
                self._wait_for_what_follows(self._recorded)
                return False
            recorded = await record(self.cluster, fresh, self._life)
            if recorded <= self._recorded:  # the row is gone, or somebody else records: look again next time
                self._recorded = None
                return True
            self._recorded = recorded
        return True

    async def _has_inputs(self, least: int) -> bool:
        """Return whether so many inputs are written, after asking for them if they are not."""
        if self._inputs_written is None:
            self._inputs_written = await in_database(selectors.inputs_recorded)(self.cluster)
        return self._inputs_written >= least or await self._ask_for_inputs(least)

    async def _missing(self, since: int) -> list[Batch]:
        """Ask the cluster itself for what follows; what it has forgotten meanwhile is written here, as lost.

        [] when it gives no answer, and when it does not give what led to them: that may be lost as they were.
        """
        try:
            missing = await self._clusters.entries(self.cluster, since, LIST_ENTRIES)
        except Refused:
            return []
        if not missing or not await self._ask_for_inputs(0):
            return []
        if missing[0].first > since + 1:
            logger.error("cluster %s: entries %d to %d are lost", self.cluster, since + 1, missing[0].first - 1)
            for batch in lost(since + 1, missing[0]):
                await in_database(services.record)(self.cluster, [batch], self._life)
        return missing

    async def _ask_for_recap(self) -> None:
        """Have the cluster say again what is told once; if it gives no answer, ask again next time."""
        with contextlib.suppress(Refused):
            recap = await self._clusters.recap(self.cluster)
            self._has_missed = False
            meanwhile, self._states = self._states, []
            for message in recap:
                self._take(message)
            self._states += meanwhile  # what the stream said meanwhile is newer

    def _wait_for_what_follows(self, since: int) -> None:
        """Say, once, that something is missing that the cluster does not give: it is busy, or does not run."""
        if self._waits_after != since:
            logger.warning("cluster %s: what follows entry %d cannot be had just now", self.cluster, since)
            self._waits_after = since

    async def _write_state(self, state: State) -> None:
        match state.state:
            case "running":
                await in_database(services.mark_running)(self.cluster, state.life)
            case "suspended":
                await in_database(services.mark_suspended)(self.cluster, state)
            case "ended":
                await in_database(services.mark_ended)(self.cluster, state.reason, state.life)
        self.ended = state.state in {"suspended", "ended"}


async def _forget() -> None:
    await in_database(services.forget_what_is_old)()
    for forget in forgetters:
        await forget()


async def _again(
    work: Callable[[], Awaitable[None]], seconds: float, is_over: Callable[[], bool] = lambda: False
) -> None:
    """Do some work again and again until it is over; the database and the bus may fail now and then."""
    while not is_over():
        try:
            await work()
        except (DatabaseError, BusLost) as problem:
            logger.warning("%s failed, trying again: %s", getattr(work, "__name__", work), problem)
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(seconds)
