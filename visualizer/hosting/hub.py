"""The hub of a web process: many browsers, fed from one shared memory of each cluster.

A `Feed` follows one cluster's stream while somebody watches it and keeps the newest entries in a ring, as bytes.
A `Viewer` is one browser: a *cursor* (the last entry it was sent) and a few frames that are its own. Its one writer
asks for the next frame whenever the last one is on its way, and gets everything between the cursor and the ring's head
in one piece: nothing is queued for a slow viewer, it only falls behind. Frames are built once for all viewers that
stand at the same place.

List, then watch: a viewer whose cursor is older than the ring is listed from `history` (the database, then the cluster
itself) until it reaches the ring. Since the cursor alone says what comes next, the hand-over can neither skip nor
repeat an entry, whatever arrives meanwhile. A viewer that had reached the ring and fell out of it again is too slow: it
is told to list again (`relist`) and gets no entries until it does. So does one whose own frames overflow.

A feed that sees a gap in the stream (`messages.Reader`) has the cluster say again what is not listed: what was printed,
its state, how far its lesson is. If it does not, the pages are told, in a sentence, that output is missing.

Worked example: ring 4–9, head 9. A viewer watches since 2: `history` lists 3 (perhaps 3–7), the ring the rest to 9 in
one frame; the cursor is 9. Entries 10 and 11 arrive as two batches: its writer, once free, sends them as one frame.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from cluster_engine.deeds import Background, Done, Editing, Frame, Output, Reads, Typed
from visualizer import mishaps
from visualizer.hosting import messages
from visualizer.hosting.batches import Batch, array
from visualizer.hosting.bus import Bus, BusLost
from visualizer.hosting.messages import Clock, Lesson, Rights, State, Told
from visualizer.hosting.refused import Refused
from visualizer.hosting.terminals import Terminals

logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

RING_BYTES_MAX = 4 * 1024 * 1024
FRAME_BYTES_MAX = 512 * 1024
FRAMES_MAX = 512  # of a viewer's own: output, errors
VIEWERS_MAX = 1500  # of one cluster: a lecture
READERS_MAX = 500  # of them by links, so that they keep nobody out who has more to do with it
LIST_ENTRIES = 1000
CATCH_UP_SECONDS = 0.1
RETRY_SECONDS = 0.5
RECAP_SECONDS = 3.0  # meanwhile the bus keeps what comes

# what the database says of a cluster: the last entry recorded, its state, how far its lesson has come, its last mishap
Snapshot = tuple[int, State | None, Lesson | None, dict[str, Any] | None]
# cluster, since, limit → what is known after since; [] when that is nothing, `Refused` when it should be asked again
History = Callable[[str, int, int], Awaitable[list[Batch]]]
# cluster → what it says again of what stands (`messages.Recap`); may raise `Refused`
Recap = Callable[[str], Awaitable[list[Told]]]


async def _nothing(_: str) -> list[Told]:
    return []


class Lost(Exception):  # noqa: N818
    """Entries that were told once cannot be listed any more."""


class OutputLost(Exception):  # noqa: N818
    """Some of what commands printed was not heard, and could not be asked for."""


class Reconsider(Exception):  # noqa: N818
    """Who may do what with the cluster has changed."""


class Feed:
    """What a web process knows of one cluster that is being watched."""

    def __init__(
        self,
        cluster: str,
        head: int,
        state: State | None,
        lesson: Lesson | None = None,
        mishap: dict[str, Any] | None = None,
    ) -> None:
        self.id = cluster
        self.head = head
        self.lesson = lesson
        self.mishap = mishap  # `visualizer.mishaps`
        self.clock: Clock | None = None
        self.clock_frame: str | None = None
        self.state = state  # None while it is starting
        self.viewers: set[Viewer] = set()
        self.caught_up = asyncio.Event()
        self.ring: deque[Batch] = deque()
        self._ring_bytes = 0
        self.terminals = Terminals()
        self._frames: dict[int, tuple[str, int]] = {}  # by cursor; emptied when the head moves

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches for whom the cluster is to be up."""
        return any(not viewer.reads_only for viewer in self.viewers)

    @property
    def life(self) -> int:
        """The newest life that has been heard of."""
        return self.state.life if self.state is not None else 1

    @property
    def tail(self) -> int:
        """The entry before the ring's first: a cursor that old or newer can be fed from the ring."""
        return self.ring[0].first - 1 if self.ring else self.head

    def take(self, told: Iterable[Told]) -> None:
        """Take in what the cluster's stream says, and wake the viewers."""
        for message in told:
            match message:
                case Batch():
                    self._take_batch(message)
                case Clock():
                    self.clock, self.clock_frame = message, frame_of(message)
                    for viewer in self.viewers:
                        viewer.clock_is_new = True
                case Typed() | Output() | Reads() | Editing() | Background() | Done():
                    self._take_terminal(message)
                case Lesson():
                    self.lesson = message
                    for viewer in self.viewers:
                        viewer.lesson_is_new = True
                case State() if self.state is None or message.life >= self.state.life:
                    self.state, self.mishap = message, mishaps.after(self.mishap, message)
                    for viewer in self.viewers:
                        viewer.state_is_new = True
                case Rights():
                    self._ask_for_rights()
        self._wake()

    def has_missed(self, recap: Iterable[Told] | None) -> None:
        """Take in what the cluster says again after a gap in its stream; None: it says nothing just now."""
        self._ask_for_rights()  # that they have changed may be what was missed
        if recap is not None:
            self.take(recap)
        elif self.state is not None and self.state.state == "running":
            for viewer in self.viewers:
                viewer.output_is_lost = True
            self._wake()

    def _ask_for_rights(self) -> None:
        for viewer in self.viewers:
            viewer.rights_are_new = True

    def _wake(self) -> None:
        for viewer in self.viewers:
            viewer.wake.set()

    def _take_batch(self, batch: Batch) -> None:
        fresh = batch.after(self.head)
        if fresh is None:
            return
        if self.ring and fresh.first != self.head + 1:  # the stream was trimmed under us: viewers will list the gap
            self.ring.clear()
            self._ring_bytes = 0
        self.ring.append(fresh)
        self._ring_bytes += len(fresh.entries)
        self.head = fresh.last
        self._frames.clear()
        while self._ring_bytes > RING_BYTES_MAX and len(self.ring) > 1:
            self._ring_bytes -= len(self.ring.popleft().entries)

    def _take_terminal(self, message: Typed | Frame) -> None:
        if self.terminals.take(message):
            frame = frame_of(message)
            for viewer in self.viewers:
                viewer.print(frame)

    def frame(self, cursor: int) -> tuple[str, int]:
        """The entries after a cursor that stands in the ring, as one frame, and the cursor behind them."""
        if cursor not in self._frames:
            batches: list[Batch] = []
            size = 0
            for batch in self._newest_until(cursor):
                if batches and size + len(batch.entries) > FRAME_BYTES_MAX:
                    break
                batches.append(batch)
                size += len(batch.entries)
            self._frames[cursor] = (entries_frame(batches), batches[-1].last)
        return self._frames[cursor]

    def _newest_until(self, cursor: int) -> list[Batch]:
        wanted: list[Batch] = []
        for batch in reversed(self.ring):  # most viewers stand close to the head
            part = batch.after(cursor)
            if part is None:
                break
            wanted.append(part)
        wanted.reverse()
        return wanted


class Viewer:
    """One browser at one cluster. Its consumer awaits `next_frames` again and again, and sends what it gets.

    Who `reads_only` is told neither what is typed and printed nor how a lesson goes, and keeps no cluster awake.
    """

    def __init__(self, feed: Feed, history: History, *, reads_only: bool = False) -> None:
        self.reads_only = reads_only
        self.wake = asyncio.Event()
        self.clock_is_new = False
        self.state_is_new = False
        self.lesson_is_new = False
        self.rights_are_new = False
        self.output_is_lost = False
        self._feed = feed
        self._history = history
        self._cursor: int | None = None  # None: it does not watch
        self._live = False  # it has reached the ring since it watches
        self._prints = False
        self._own: deque[str] = deque()

    def watch(self, since: int, commands: dict[str, int]) -> None:
        """Send the entries after `since` from now on, and what was typed and printed beyond these commands' frames."""
        self._cursor, self._live = since, False
        self._prints = not self.reads_only
        if self._prints and (said := self._feed.terminals.after(commands)):
            self.notify(terminals_frame(said))
        self.wake.set()

    def print(self, frame: str) -> None:
        """Send what was typed or printed, once it watches: what came before is sent when it says what it knows."""
        if self._prints:
            self.notify(frame)

    def notify(self, frame: str) -> None:
        """Send a frame of this viewer's own."""
        if len(self._own) >= FRAMES_MAX:
            self._own.clear()
            self._overflow()
        else:
            self._own.append(frame)
        self.wake.set()

    def _overflow(self) -> None:
        self._cursor, self._prints = None, False
        self._own.append('{"type":"relist"}')

    async def next_frames(self, cluster_frame: Callable[[Feed], str]) -> tuple[str, ...]:
        """Wait for something to send; `cluster_frame` says the state in the viewer's language. Raise `Reconsider`."""
        while True:
            self.wake.clear()
            if self.rights_are_new:
                self.rights_are_new = False
                raise Reconsider
            if self.output_is_lost:
                self.output_is_lost = False
                raise OutputLost
            if self._own:
                return (self._own.popleft(),)
            if self.state_is_new:
                self.state_is_new = False
                return (cluster_frame(self._feed),)
            entries = await self._next_entries()
            if frames := tuple(frame for frame in (self._next_clock(), entries) if frame is not None):
                return frames
            lesson = None if self.reads_only else self._feed.lesson
            if self.lesson_is_new and lesson is not None:  # after the entries that it speaks of
                self.lesson_is_new = False
                return (json.dumps({"type": "lesson", "lesson": lesson.state}),)
            if not self._own:
                await self.wake.wait()

    def _next_clock(self) -> str | None:
        if not self.clock_is_new:
            return None
        self.clock_is_new = False
        return self._feed.clock_frame

    async def _next_entries(self) -> str | None:
        cursor, feed = self._cursor, self._feed
        if cursor is None or cursor >= feed.head:
            return None
        if cursor >= feed.tail:
            self._live = True
            frame, self._cursor = feed.frame(cursor)
            return frame
        if self._live:
            self._overflow()
            return None
        return await self._list(cursor)

    async def _list(self, cursor: int) -> str | None:
        try:
            batches = await self._history(self._feed.id, cursor, LIST_ENTRIES)
        except Refused:  # it runs but gives no answer just now
            await asyncio.sleep(RETRY_SECONDS)
            self.wake.set()
            return None
        if self._cursor != cursor:  # it was told to watch from elsewhere meanwhile
            return None
        if not batches:
            self._cursor = None
            raise Lost
        self._cursor = batches[-1].last
        return entries_frame(batches)


class Hub:
    """All feeds and viewers of this web process."""

    def __init__(
        self,
        bus: Bus,
        history: History,
        snapshot: Callable[[str], Awaitable[Snapshot]],
        on_suspended: Callable[[Feed], None] = lambda _: None,
        recap: Recap = _nothing,
    ) -> None:
        self._bus = bus
        self._history = history
        self._recap = recap
        self._snapshot = snapshot
        self._on_suspended = on_suspended  # called for a cluster that somebody watches here
        self._feeds: dict[str, tuple[Feed, asyncio.Task[None]]] = {}

    def watched(self) -> list[str]:
        """The clusters somebody watches here."""
        return [cluster for cluster, (feed, _) in self._feeds.items() if feed.is_watched]

    def head(self, cluster: str) -> int:
        """The newest entry this hub knows of, 0 when nobody watches."""
        return self._feeds[cluster][0].head if cluster in self._feeds else 0

    async def join(self, cluster: str, *, reads_only: bool = False) -> tuple[Feed, Viewer]:
        """A new viewer of a cluster; `leave` when it goes. Raise `Refused` when there are too many."""
        if cluster not in self._feeds:
            snapshot = await self._snapshot(cluster)
            if cluster not in self._feeds:  # another viewer may have come first
                feed = Feed(cluster, *snapshot)
                self._feeds[cluster] = (feed, asyncio.create_task(self._follow(feed), name=f"feed {cluster}"))
        feed, _ = self._feeds[cluster]
        readers = sum(viewer.reads_only for viewer in feed.viewers)
        if len(feed.viewers) >= VIEWERS_MAX or (reads_only and readers >= READERS_MAX):
            raise Refused("Too many pages watch this cluster.")
        viewer = Viewer(feed, self._history, reads_only=reads_only)
        feed.viewers.add(viewer)
        with contextlib.suppress(TimeoutError):  # nothing is kept of a stream that is quiet or gone
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await feed.caught_up.wait()
        return feed, viewer

    def leave(self, feed: Feed, viewer: Viewer) -> None:
        """Forget a viewer, and the feed with its last one."""
        feed.viewers.discard(viewer)
        if not feed.viewers and self._feeds.get(feed.id, (None,))[0] is feed:
            self._feeds.pop(feed.id)[1].cancel()

    async def _follow(self, feed: Feed) -> None:
        while True:
            try:
                reader = messages.Reader(feed.life)
                async with contextlib.aclosing(self._bus.follow(messages.cluster_name(feed.id))) as stream:
                    async for frames in stream:
                        told = reader.read(frames)
                        if reader.has_missed:
                            await self._fill_gap(feed)
                        feed.take(told)
                        feed.caught_up.set()
                        if feed.state is not None and feed.state.state == "suspended":
                            self._on_suspended(feed)
            except BusLost as problem:
                logger.warning("cluster %s: the feed is interrupted: %s", feed.id, problem)
                await asyncio.sleep(RETRY_SECONDS)

    async def _fill_gap(self, feed: Feed) -> None:
        """Have the cluster say again what was missed, before what came behind it is taken: frames come in order."""
        recap: list[Told] | None = None
        with contextlib.suppress(Refused, TimeoutError):
            async with asyncio.timeout(RECAP_SECONDS):
                recap = await self._recap(feed.id)
        feed.has_missed(recap)

    async def aclose(self) -> None:
        """Stop all feeds."""
        tasks = [task for _, task in self._feeds.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._feeds.clear()


# Frames ---------------------------------------------------------------------------------------------------------------


def entries_frame(batches: list[Batch]) -> str:
    """Write entries for the browser."""
    return f'{{"type":"entries","entries":{array(batches).decode()}}}'


def frame_of(message: Clock | Typed | Frame) -> str:
    """Write for the browser what the cluster's stream says in the same words."""
    return _encode(message).decode()


def terminals_frame(said: list[Typed | Frame]) -> str:
    """Write what several commands said for the browser."""
    return f'{{"type":"terminals","frames":[{",".join(map(frame_of, said))}]}}'
