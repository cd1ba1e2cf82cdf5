"""The watch cache: one etcd watch per resource, whatever the number of clients.

Theory of operation. For each kind a cache lists the objects once and then follows etcd's watch. It holds the present
state (lists with resourceVersion=0, admission and authorization read it), the recent history (so that a client that
knows version N hears what came after N), and the clients that watch. An event is decoded once and its JSON is written
once, however many watchers it goes to.

    etcd   put pods/default/web-0 @57 ──► cache: state[web-0]@57, history […, 57] ──► watcher 1, watcher 2, watcher 3

The window. A watch may begin at any version from `oldest` on. At first that is the version of the list; later events
leave the history when they are older than 75 s and more than 100 have come since, or when all are larger than
HISTORY_BYTES_MAX, and `oldest` moves with them. Asking for less is 410 Expired: list again. What is told now is told to
all who watch at once, so history is kept small: of an event that another has followed there is only the JSON of its
objects.

How fresh. Another resource's write moves etcd's revision but not this cache. Who needs "at least revision N" asks
etcd for progress on this cache's own stream and waits for the answer, which arrives in its turn among the events.

Modelled on apiserver/pkg/storage/cacher. Left out: snapshots for older lists. Who watches is in `watchers`.
"""

import asyncio
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Cause, Expired, Refusal, Timeout, TooManyRequests
from cluster_engine.apiserver.dispatch_budget import DispatchBudget
from cluster_engine.apiserver.storage import CachedObject, Storage, cached, prefix_of, unknown, with_version
from cluster_engine.apiserver.watchers import DELETED, Selection, Watcher, Watchers
from cluster_engine.etcd.client import Watch, prefix_end
from cluster_engine.etcd.errors import CompactedError
from cluster_engine.rpc import etcd_pb2, kv_pb2

HISTORY_SECONDS = 75.0
HISTORY_EVENTS_MIN = 100
HISTORY_EVENTS_MAX = 8192
"""Real ones go up to 102,400; here time may stand while somebody works, and each takes as much as its object's JSON."""
HISTORY_BYTES_MAX = 8 * 1024 * 1024
"""Of objects as they lie in etcd, before and after; real caches count events only."""
FRESH_WAIT_SECONDS = 3.0
PROGRESS_PERIOD_SECONDS = 0.1
RETRY_SECONDS = 0.25
RETRY_SECONDS_MAX = 5.0


class Event:
    """One change of one key. `now` is None when it was deleted, `before` when it was created."""

    __slots__ = ("_gone", "_lines", "before", "key", "now", "revision")

    def __init__(self, key: str, revision: int, before: CachedObject | None, now: CachedObject | None) -> None:
        self.key = key
        self.revision = revision
        self.before = before
        self.now = now
        self._gone: CachedObject | None = None
        self._lines: dict[tuple[str, str], bytes] = {}

    @property
    def size(self) -> int:
        """What its objects take in etcd, in bytes."""
        return sum(found.size for found in (self.before, self.now) if found is not None)

    def object_for(self, event_type: str) -> CachedObject:
        """Return the object that an event of this type carries; DELETED: the old state with the new version."""
        if event_type != DELETED:
            assert self.now is not None
            return self.now
        if self._gone is None:
            assert self.before is not None
            self._gone = CachedObject(self.key, with_version(self.before.object, self.revision), self.revision)
        return self._gone

    def settle(self) -> None:
        """Be history: keep the versions' JSON, and what was made of them for watchers no longer."""
        self._gone = None
        self._lines.clear()
        if self.before is not None:
            self.before.settle()

    def line(self, event_type: str, form: str, write: Callable[[str, CachedObject], bytes]) -> bytes:
        """Give the event's line in a form (JSON, Table …), written once and shared by all watchers that want it so."""
        known = self._lines.get((event_type, form))
        if known is None:
            known = self._lines[event_type, form] = write(event_type, self.object_for(event_type))
        return known


class WatchCache:
    """The cache of one kind. `run` must be running; `ready` tells whether it holds a state."""

    def __init__(self, kind: Kind, storage: Storage) -> None:
        self.kind = kind
        self.prefix = prefix_of(kind)
        self.revision = 0
        self.oldest = 0
        self.ready = asyncio.Event()
        self._storage = storage
        self._objects: dict[str, CachedObject] = {}
        self._keys: list[str] = []
        self._history: deque[tuple[float, Event]] = deque()
        self._history_bytes = 0
        self._watchers = Watchers(self.prefix)
        self.budget = DispatchBudget()
        self._listeners: list[Callable[[Event], None]] = []
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._watch: Watch | None = None
        self._progress_is_due = False
        self._delay = RETRY_SECONDS

    # -- following etcd --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """List, then follow, for ever: trouble on the way is waited out, lost history is listed anew."""
        while True:
            try:
                if not self.ready.is_set():
                    await self._list()
                await self._follow()
            except CompactedError:
                self.end_watches()
            except (OSError, Refusal, TimeoutError):
                await asyncio.sleep(self._delay)
                self._delay = min(self._delay * 2, RETRY_SECONDS_MAX)

    async def _list(self) -> None:
        response = await self._storage.etcd.get(self.prefix.encode(), range_end=prefix_end(self.prefix.encode()))
        self.replace([cached(self.kind, kv, self.get) for kv in response.kvs], response.header.revision)

    async def _follow(self) -> None:
        raw = self.prefix.encode()
        async with self._storage.etcd.watch(raw, prefix_end(raw), self.revision + 1, progress_notify=True) as watch:
            self._watch = watch
            self._delay = RETRY_SECONDS
            try:
                if self._waiting:
                    await self._ask_for_progress()
                async for response in watch:
                    if self._storage.trouble.lagging:
                        await self._storage.trouble.wait_for(self.kind.plural)
                    self.take(response)
            finally:
                self._watch = None
                self._progress_is_due = False

    def end_watches(self) -> None:
        """Hold no state any more, and let all who watch go."""
        self.ready.clear()
        self.drop_watches()

    def drop_watches(self) -> None:
        """Let all who watch go; they come again with their last version."""
        for watcher in self._watchers:
            watcher.end()
        self._watchers.clear()

    def replace(self, objects: list[CachedObject], revision: int) -> None:
        """Begin anew from a list read at `revision`; listeners hear of the differences, history begins here."""
        before, self._objects = self._objects, {found.key: found for found in objects}
        self._keys = sorted(self._objects)
        self._history.clear()
        self._history_bytes = 0
        self.oldest = revision
        for key, old in before.items():
            if key not in self._objects:
                self._tell_listeners(Event(key, revision, old, None))
        for found in objects:
            old_one = before.get(found.key)
            if old_one is None or old_one.revision != found.revision:
                self._tell_listeners(Event(found.key, found.revision, old_one, found))
        self.ready.set()
        self._advance(revision)

    def take(self, response: "etcd_pb2.WatchResponse") -> None:
        """Take what etcd tells: events, or only how far it has come."""
        for change in response.events:
            kv = change.kv
            key = kv.key.decode()
            before = self._objects.get(key)
            if change.type == kv_pb2.Event.DELETE:
                now = None
                if self._objects.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                now = self._objects[key] = cached(self.kind, kv, unknown)
                if before is None:
                    insort(self._keys, key)
            if now is not None or before is not None:
                self._publish(Event(key, kv.mod_revision, before, now))
            self.revision = kv.mod_revision
        if not response.events and not response.created:
            self._progress_is_due = False
            self._advance(response.header.revision)
        else:
            self._advance(self.revision)

    def _publish(self, event: Event) -> None:
        now = asyncio.get_running_loop().time()
        history = self._history
        if history:
            history[-1][1].settle()
        history.append((now, event))
        self._history_bytes += event.size
        while self._history_bytes > HISTORY_BYTES_MAX or (
            len(history) > HISTORY_EVENTS_MIN
            and (history[0][0] < now - HISTORY_SECONDS or len(history) > HISTORY_EVENTS_MAX)
        ):
            gone = history.popleft()[1]
            self.oldest = gone.revision
            self._history_bytes -= gone.size
        self._tell_listeners(event)
        self._watchers.tell(event)

    def _tell_listeners(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        for waiting, wanted in list(self._waiting.items()):
            if self.revision >= wanted and not waiting.done():
                waiting.set_result(None)

    # -- what the rest of the server asks --------------------------------------------------------------------------

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` for every change from now on, objects of the first list included."""
        self._listeners.append(listener)

    def get(self, key: str) -> CachedObject | None:
        """Return an object as the cache knows it, which may be a little old."""
        return self._objects.get(key)

    @property
    def count(self) -> int:
        """How many objects there are."""
        return len(self._objects)

    def objects(self) -> Iterator[Object]:
        """Return all objects in key order."""
        return (found.object for found in self.select(""))

    def select(self, prefix: str) -> Iterator[CachedObject]:
        """Yield all objects below a key prefix, in key order."""
        keys = self._keys
        end = bisect_left(keys, prefix_end(prefix.encode()).decode()) if prefix else len(keys)
        for key in keys[bisect_left(keys, prefix) : end]:
            yield self._objects[key]

    def require_ready(self) -> None:
        """Refuse while there is nothing to answer from."""
        if not self.ready.is_set():
            raise TooManyRequests("storage is (re)initializing", retry_after_seconds=1)

    async def wait_until_fresh(self, revision: int) -> None:
        """Wait until the cache has seen `revision`; 504 after three seconds."""
        if self.revision >= revision:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = revision
        try:
            async with asyncio.timeout(FRESH_WAIT_SECONDS):
                while not waiting.done():
                    await self._ask_for_progress()
                    await asyncio.wait([waiting], timeout=PROGRESS_PERIOD_SECONDS)
        except TimeoutError:
            text = f"Too large resource version: {revision}, current: {self.revision}"
            cause = Cause("", "ResourceVersionTooLarge", "Too large resource version")
            raise Timeout(text, retry_after_seconds=1, causes=[cause]) from None
        finally:
            self._waiting.pop(waiting, None)

    async def _ask_for_progress(self) -> None:
        if self._watch is not None and not self._progress_is_due:
            self._progress_is_due = True
            with suppress(OSError):
                await self._watch.request_progress()

    def watch(self, selection: Selection, since: int, tell: Callable[[Event, str], None]) -> Watcher:
        """Begin to watch: events after version `since` are told at once, later ones when they come. 410 if too old."""
        self.require_history(since)
        watcher = Watcher(selection, since, tell)
        for _, event in self._history:
            if event.revision > since:
                event_type = selection.type_of(event)
                if event_type is not None:
                    tell(event, event_type)
        self._watchers.add(watcher)
        return watcher

    def require_history(self, since: int) -> None:
        """Refuse (410) a version from before the window."""
        if since < self.oldest:
            raise Expired(f"too old resource version: {since} ({self.oldest})")

    def unwatch(self, watcher: Watcher) -> None:
        """Stop telling."""
        self._watchers.remove(watcher)


def item_json(found: CachedObject, kind: Kind) -> bytes:
    """Return an object as an item of a list, where kind and apiVersion stand once for all."""
    head = head_of(kind)
    body = found.json
    assert body.startswith(head), "objects are stored with kind and apiVersion first"
    return b"{" + body[len(head) :]


def head_of(kind: Kind) -> bytes:
    """Return the bytes that every object's JSON of this kind begins with."""
    return b'{"kind":"' + kind.name.encode() + b'","apiVersion":"' + kind.api_version.encode() + b'",'
