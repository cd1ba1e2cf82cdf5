"""The life of one watch: what is there already, what comes, bookmarks, the end.

Theory of operation. The watch cache calls `tell` for each event, at once and from its own stack; the event's line,
which all watchers of the same form share, goes straight into the connection's buffer. So an event costs a watcher one
lookup and one write, and no task is woken. The watch's own task only sleeps until the next bookmark or the end.

    resourceVersion unset or 0    ADDED … for all there is, then what comes
    resourceVersion=N             what came after N, or one ERROR event with a 410 Status
    sendInitialEvents=true        ADDED …, then a BOOKMARK that says so, then what comes

A client that does not read is let go: once its windows are shut and more than WAITING_EVENTS_MAX wait for it, it has
what is left of the cache's budget for waiting (`dispatch_budget`), a tenth of a second at most. Its response ends as
any watch does, behind what was on its way, and it comes again with its last version. Clients from outside the world,
whose time is another, are let go when BACKLOG_BYTES_MAX wait for them, which bounds what waits for anybody.

Modelled on apiserver/pkg/endpoints/handlers/watch.go and storage/cacher/cache_watcher.go.
"""

import asyncio
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import NotAcceptable, Refusal, Timeout
from cluster_engine.apiserver.dispatch_budget import WAITING_EVENTS_MAX
from cluster_engine.apiserver.handlers.negotiation import Form
from cluster_engine.apiserver.handlers.options import ListOptions
from cluster_engine.apiserver.handlers.responses import JSON_TYPE, View, as_table, partial
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.serving.exchange import Response, Writer
from cluster_engine.apiserver.storage import CachedObject, version_number
from cluster_engine.apiserver.watch_cache import Event, WatchCache
from cluster_engine.apiserver.watchers import ADDED, Selection, Watcher
from cluster_engine.world.patience import LOOK_AGAIN_SECONDS_MIN, PeerTime

MIN_TIMEOUT_SECONDS = 1800
PREPARE_SECONDS_MAX = 60.0
BOOKMARK_SECONDS = 60.0
LAST_BOOKMARK_SECONDS = 2.0
BACKLOG_BYTES_MAX = 1024 * 1024
EARLY_EVENTS_MAX = 1000
INITIAL_BATCH = 64
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Rendering:
    """How a watch writes its events: the object itself, a Table row, or metadata alone."""

    def __init__(self, kind: Kind, form: Form, include: str, clock: Callable[[], datetime]) -> None:
        if form.media != "json":
            raise NotAcceptable()
        self.name = f"{form.name}/{include}" if form.transform else ""
        self._kind = kind
        self._form = form
        self._include = include
        self._clock = clock
        self._headers_are_out = False

    def line(self, event: Event, event_type: str) -> bytes:
        """Return the line of an event of the cache."""
        if self._form.transform == "Table" and not self._headers_are_out:
            return self.write(event_type, event.object_for(event_type))
        return event.line(event_type, self.name, self.write)

    def write(self, event_type: str, found: CachedObject) -> bytes:
        """Write the line of an event."""
        return self._wrap(event_type, self._body(found))

    def _wrap(self, event_type: str, body: bytes) -> bytes:
        return b'{"type":"' + event_type.encode() + b'","object":' + body + b"}\n"

    def _body(self, found: CachedObject) -> bytes:
        if not self._form.transform:
            return found.json
        if self._form.transform == "Table":
            metadata = {"resourceVersion": found.object["metadata"]["resourceVersion"]}
            headers, self._headers_are_out = not self._headers_are_out, True
            objects = [found.object] if found.key else []
            made = as_table(self._kind, objects, self._view(), metadata, headers=headers)
            return msgspec.json.encode(made)
        return msgspec.json.encode(partial(found.object, self._form))

    def _view(self) -> View:
        return View(self._form, self._include, self._clock())

    def bookmark(self, revision: int, annotations: Object | None = None) -> bytes:
        """Write a bookmark: an object of the kind with nothing but a version."""
        metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        obj: Object = {"kind": self._kind.name, "apiVersion": self._kind.api_version, "metadata": metadata}
        if self._form.transform:
            return self._wrap("BOOKMARK", self._body(CachedObject("", obj, revision)))
        return self._wrap("BOOKMARK", msgspec.json.encode(obj))

    def error(self, refusal: Refusal) -> bytes:
        """Write an ERROR event."""
        return self._wrap("ERROR", msgspec.json.encode(refusal.status()))


class WatchStream:
    """One watch, from its first event to its end."""

    def __init__(self, cache: WatchCache, selection: Selection, options: ListOptions, rendering: Rendering) -> None:
        self._cache = cache
        self._selection = selection
        self._options = options
        self._rendering = rendering
        self._early: list[tuple[Event, str]] | None = []
        self._writer: Writer | None = None
        self._watcher: Watcher | None = None
        self._since = 0
        self._is_late = False
        self.is_timed = True
        """Whether the client is in this world, and late by its time."""
        self.on_late: Callable[[], None] = lambda: None

    async def prepare(self, storage_revision: int | None) -> None:
        """Wait until one may begin, which may be when the cache is as far as etcd was; 410 when one may not."""
        version = version_number(self._options.version) if self._options.version else 0
        if storage_revision is not None:
            await self._cache.wait_until_fresh(storage_revision)
        if self._options.initial_events and version:
            await self._cache.wait_until_fresh(version)
        if not self._options.initial_events and version:
            self._cache.require_history(version)
            self._since = version

    async def run(self, writer: Writer, deadline: float, seconds_left_there: Callable[[], float]) -> None:
        """Write events until the deadline, here and by the client's own clock, the client's end or the cache's."""
        initial = self._begin()
        self._watcher = self._cache.watch(self._selection, self._since, self._tell)
        try:
            await self._send_initial(writer, initial)
            if self._go_live(writer):
                await self._bookmarks(writer, self._watcher, deadline)
                await self._overtime(writer, self._watcher, seconds_left_there)
        finally:
            self._cache.unwatch(self._watcher)

    def _begin(self) -> list[CachedObject]:
        """Return the state to begin with, and note the version that it is of."""
        options = self._options
        wants_state = options.version in ("", "0") if options.initial_events is None else options.initial_events
        if wants_state or not self._since:
            self._since = self._cache.revision
        if not wants_state:
            return []
        return [each for each in self._cache.select(self._selection.prefix) if self._selection.takes(each.object)]

    async def _send_initial(self, writer: Writer, initial: Sequence[CachedObject]) -> None:
        write = self._rendering.write
        for start in range(0, len(initial), INITIAL_BATCH):
            writer.write(b"".join([write(ADDED, found) for found in initial[start : start + INITIAL_BATCH]]))
            if writer.backlog:
                await writer.drain()
        if self._options.initial_events and self._options.bookmarks:
            writer.write(self._rendering.bookmark(self._since, {INITIAL_EVENTS_END: "true"}))

    def _go_live(self, writer: Writer) -> bool:
        """Write what came in the meantime; from now on events go straight to the writer."""
        early, self._early = self._early, None
        self._writer = writer
        if early is None or len(early) > EARLY_EVENTS_MAX:
            return False
        for event, event_type in early:
            writer.write(self._rendering.line(event, event_type))
        return True

    def _tell(self, event: Event, event_type: str) -> None:
        writer = self._writer
        if writer is None:
            if self._early is not None and len(self._early) <= EARLY_EVENTS_MAX:
                self._early.append((event, event_type))
            return
        if writer.backlog > BACKLOG_BYTES_MAX:
            self._let_go()
            return
        writer.write(self._rendering.line(event, event_type))
        if writer.waiting > WAITING_EVENTS_MAX and self.is_timed and not self._is_late:
            self._wait_for(writer)

    def _wait_for(self, writer: Writer) -> None:
        """Give a client that does not take its events what is left of the cache's budget."""
        loop, budget = asyncio.get_running_loop(), self._cache.budget
        seconds = budget.take(loop.time())
        self._is_late = True

        def look_again() -> None:
            self._is_late = False
            if writer.waiting > WAITING_EVENTS_MAX and not writer.closed:
                self._let_go()
            else:
                budget.give_back(seconds)

        loop.call_later(seconds, look_again)

    def _let_go(self) -> None:
        assert self._watcher is not None
        if not self._watcher.ended.done():
            self.on_late()
        self._watcher.end()

    async def _bookmarks(self, writer: Writer, watcher: Watcher, deadline: float) -> None:
        """Sleep from bookmark to bookmark until the watch ends."""
        loop = asyncio.get_running_loop()
        for moment, is_bookmark in self._moments(loop.time(), deadline):
            await asyncio.wait([watcher.ended], timeout=moment - loop.time())
            if watcher.ended.done():
                return
            if is_bookmark:
                writer.write(self._rendering.bookmark(self._cache.revision))

    async def _overtime(self, writer: Writer, watcher: Watcher, seconds_left_there: Callable[[], float]) -> None:
        """Go on while a client whose seconds are longer than ours has not had those that it asked for."""
        while not watcher.ended.done() and (rest := seconds_left_there()) > 0:
            pause = min(max(rest, LOOK_AGAIN_SECONDS_MIN), BOOKMARK_SECONDS)
            await asyncio.wait([watcher.ended], timeout=pause)
            if self._options.bookmarks and not watcher.ended.done():
                writer.write(self._rendering.bookmark(self._cache.revision))

    def _moments(self, now: float, deadline: float) -> Iterator[tuple[float, bool]]:
        """Yield the times at which to wake, and whether a bookmark is due then; the last is the end."""
        if self._options.bookmarks:
            last = deadline - LAST_BOOKMARK_SECONDS
            moment = now + BOOKMARK_SECONDS
            while moment < last:
                yield moment, True
                moment += BOOKMARK_SECONDS
            if last > now:
                yield last, True
        yield deadline, False


def timeout_of(options: ListOptions, rng: random.Random) -> float:
    """Tell how long a watch lasts: as asked, else half an hour to an hour."""
    return float(options.timeout_seconds) or MIN_TIMEOUT_SECONDS * (1 + rng.random())


def _note_late(backend: Backend, call: Call) -> None:
    name = call.kind.resource_name
    backend.process.note(
        "apiserver.watcher_forgotten",
        f"Forcing {name} watcher close due to unresponsiveness: {call.user.name}",
        resource=call.kind.plural,
        user=call.user.name,
    )


async def serve_watch(
    backend: Backend, cache: WatchCache, call: Call, options: ListOptions, rendering: Rendering, *, peer_time: PeerTime
) -> Response:
    """Answer a watch. `peer_time`: the client's own clock, if it has one."""
    stream = WatchStream(cache, options.selection(call.kind, call.namespace), options, rendering)
    stream.is_timed = peer_time is None
    stream.on_late = functools.partial(_note_late, backend, call)
    seconds = timeout_of(options, backend.process.rng)
    deadline = asyncio.get_running_loop().time() + seconds
    deadline_there = 0.0 if peer_time is None else peer_time() + seconds
    try:
        async with asyncio.timeout(PREPARE_SECONDS_MAX):
            await stream.prepare(None if options.version else await backend.storage.revision(cache.prefix))
    except TimeoutError:
        raise Timeout("the watch could not begin within the time that requests have") from None
    except Refusal as refusal:
        if refusal.code != 410:
            raise
        line = rendering.error(refusal)

        async def only_error(writer: Writer) -> None:
            writer.write(line)

        return Response(200, JSON_TYPE, stream=only_error)

    async def events(writer: Writer) -> None:
        await stream.run(writer, deadline, lambda: 0.0 if peer_time is None else deadline_there - peer_time())

    return Response(200, JSON_TYPE, stream=events)
