"""etcd's Watch service: one gRPC stream, any number of watches on it.

Modelled on etcd's `v3rpc/watch.go`. Two tasks share a stream. One receives requests: create, cancel, progress. The
other sends, and it alone, so a message is never cut in two by another. Between them lies the *outbox*: what is to be
said, as functions that make the message at the moment it is sent. A watch that has something new is in the outbox
once, however much is new; answers to requests are sixteen at most, then the receiving task waits, and with it, by
HTTP/2's flow control, the client. So nothing in here grows with a slow reader.

    > create_request  key=/registry/pods/ range_end=/registry/pods0 start_revision=8
    < created         watch_id=0  header.revision=10
    < events          watch_id=0  header.revision=10   PUT mod 8, DELETE mod 9, PUT mod 10
    > progress_request
    < (no events)     watch_id=-1 header.revision=10   "you have had everything up to 10"
    > cancel_request  watch_id=0
    < canceled        watch_id=0

A watch from before the last compaction is created and at once canceled, with `compact_revision` telling where one may
start. A client that says `hasleader: true` would rather lose its watches than not hear that nobody leads. Left out:
fragments.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import msgspec
from google.protobuf.message import DecodeError
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream
from h2.exceptions import StreamClosedError

from cluster_engine.etcd.agreement import Agreement
from cluster_engine.etcd.apply import message_of
from cluster_engine.etcd.errors import CompactedError, NoLeaderError
from cluster_engine.etcd.history import Change, KeyRange
from cluster_engine.etcd.services import Headers
from cluster_engine.etcd.store import Store
from cluster_engine.etcd.watchers import Watcher, WatchHub
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import kv_pb2

PROGRESS_SECONDS = 600.0
ANSWERS_WAITING_MAX = 16
NO_WATCH = -1
SMALLEST_KEY = b"\0"

Make: TypeAlias = Callable[[], pb.WatchResponse | None]


class WatchService:
    """Serves Watch to every client of one store."""

    def __init__(self, store: Store, headers: Headers, agreement: Agreement) -> None:
        self._store = store
        self._headers = headers
        self._agreement = agreement
        self._hub = WatchHub(store)

    def restored(self, revision: int) -> None:
        """The store, which was at `revision`, holds a snapshot's state now."""
        self._hub.restored(revision)

    async def Watch(self, stream: Stream[pb.WatchRequest, pb.WatchResponse]) -> None:  # noqa: N802 - named by the wire
        """Serve one stream until the client or the connection ends it."""
        conversation = _Conversation(self._store, self._hub, self._headers, stream)
        try:
            wants_leader = stream.metadata is not None and stream.metadata.get("hasleader") == "true"
            await conversation.run(self._agreement if wants_leader else None)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            conversation.close()


class _Watch(msgspec.Struct, eq=False):
    """One watch of a stream, as its client wants it."""

    id: int
    watcher: Watcher
    prev_kv: bool
    progress_notify: bool
    quiet: bool = True
    """Nothing was sent since the clock last ticked."""
    notice_waiting: bool = False


class _Conversation:
    def __init__(
        self, store: Store, hub: WatchHub, headers: Headers, stream: Stream[pb.WatchRequest, pb.WatchResponse]
    ) -> None:
        self._store = store
        self._hub = hub
        self._headers = headers
        self._stream = stream
        self._watches: dict[int, _Watch] = {}
        self._next_id = 0
        self._outbox: deque[Make] = deque()
        self._outbox_filled = asyncio.Event()
        self._answers = asyncio.Semaphore(ANSWERS_WAITING_MAX)
        self._ticking = False

    async def run(self, agreement: Agreement | None) -> None:
        """Serve it; with an `agreement` for as long as somebody leads. NoLeaderError."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send())
            led = tasks.create_task(_led(agreement)) if agreement is not None else None
            try:
                async for request in self._stream:
                    await self._receive(request, tasks)
            except DecodeError as error:
                raise GRPCError(Status.INTERNAL, f"grpc: failed to unmarshal the received message: {error}") from error
            if led is not None:
                led.cancel()

    def close(self) -> None:
        for watch in self._watches.values():
            self._hub.remove(watch.watcher)

    # Receiving

    async def _receive(self, request: pb.WatchRequest, tasks: asyncio.TaskGroup) -> None:
        match request.WhichOneof("request_union"):
            case "create_request":
                await self._create(request.create_request)
                if request.create_request.progress_notify and not self._ticking:
                    self._ticking = True
                    tasks.create_task(self._tick())
            case "cancel_request":
                await self._cancel(request.cancel_request.watch_id)
            case "progress_request":
                await self._answer(self._progress)

    async def _create(self, request: pb.WatchCreateRequest) -> None:
        wanted = KeyRange.of(request.key or SMALLEST_KEY, request.range_end)
        if request.watch_id and request.watch_id in self._watches:
            await self._refuse("mvcc: duplicate watch ID provided on the WatchStream")
        elif wanted.end and wanted.end <= wanted.key:
            await self._refuse("mvcc: watcher range is empty")
        else:
            watch_id = request.watch_id or self._unused_id()
            revision = self._store.revision
            watcher = Watcher(
                wanted,
                request.start_revision or revision + 1,
                lambda _: self._say(partial(self._events, watch)),
                puts=pb.WatchCreateRequest.NOPUT not in request.filters,
                deletes=pb.WatchCreateRequest.NODELETE not in request.filters,
            )
            watch = _Watch(watch_id, watcher, request.prev_kv, request.progress_notify)
            self._watches[watch_id] = watch
            await self._answer(partial(self._response, watch_id, revision, created=True))
            self._hub.add(watcher)

    async def _refuse(self, reason: str) -> None:
        await self._answer(
            partial(self._response, NO_WATCH, self._store.revision, created=True, canceled=True, cancel_reason=reason)
        )

    async def _cancel(self, watch_id: int) -> None:
        watch = self._watches.pop(watch_id, None)
        if watch is not None:
            self._hub.remove(watch.watcher)
            await self._answer(partial(self._response, watch_id, self._store.revision, canceled=True))

    def _unused_id(self) -> int:
        while self._next_id in self._watches:
            self._next_id += 1
        self._next_id += 1
        return self._next_id - 1

    # The outbox

    def _say(self, make: Make) -> None:
        self._outbox.append(make)
        self._outbox_filled.set()

    async def _answer(self, make: Make) -> None:
        await self._answers.acquire()
        self._say(partial(self._answered, make))

    def _answered(self, make: Make) -> pb.WatchResponse | None:
        self._answers.release()
        return make()

    async def _send(self) -> None:
        while True:
            while self._outbox:
                response = self._outbox.popleft()()
                if response is not None:
                    try:
                        await self._stream.send_message(response)
                    except StreamClosedError:
                        return  # by the client; who receives hears of it too
            self._outbox_filled.clear()
            await self._outbox_filled.wait()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            for watch in self._watches.values():
                if watch.progress_notify and watch.quiet and not watch.notice_waiting:
                    watch.notice_waiting = True
                    self._say(partial(self._notice, watch))
                watch.quiet = True

    # What is said, made at the moment of saying it

    def _response(self, watch_id: int, revision: int, **fields: bool | int | str) -> pb.WatchResponse:
        response = pb.WatchResponse(watch_id=watch_id, **fields)  # type: ignore[arg-type]
        response.header.revision = revision
        self._headers.fill(response.header)
        return response

    def _events(self, watch: _Watch) -> pb.WatchResponse | None:
        if self._watches.get(watch.id) is not watch:
            return None
        try:
            changes = self._hub.take(watch.watcher)
        except CompactedError as error:
            del self._watches[watch.id]
            return self._response(
                watch.id, self._store.revision, canceled=True, compact_revision=error.compact_revision
            )
        if not changes:
            return None
        watch.quiet = False
        response = self._response(watch.id, self._store.revision)
        response.events.extend(event_of(change, prev_kv=watch.prev_kv) for change in changes)
        return response

    def _progress(self) -> pb.WatchResponse | None:
        if any(watch.watcher.behind_from is not None for watch in self._watches.values()):
            self._say(self._progress)  # after the events that are already waiting
            return None
        return self._response(NO_WATCH, self._store.revision)

    def _notice(self, watch: _Watch) -> pb.WatchResponse | None:
        watch.notice_waiting = False
        if self._watches.get(watch.id) is not watch or watch.watcher.behind_from is not None:
            return None
        return self._response(watch.id, self._store.revision)


async def _led(agreement: Agreement) -> None:
    await agreement.without_leader()
    raise NoLeaderError


def event_of(change: Change, *, prev_kv: bool) -> kv_pb2.Event:
    """Return the wire's form of a change."""
    event = kv_pb2.Event(
        type=kv_pb2.Event.DELETE if change.deletes else kv_pb2.Event.PUT,
        kv=message_of(change.kv),
    )
    if prev_kv and change.previous is not None:
        event.prev_kv.CopyFrom(message_of(change.previous))
    return event
