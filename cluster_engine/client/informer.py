"""Reflector and informer: a local copy of a collection, kept by one LIST and then a WATCH.

Theory of operation. client-go `tools/cache`. The *reflector* lists the collection (`limit=500&resourceVersion=0`: any
version will do, from the server's cache), then watches from the list's resourceVersion. Every event and every bookmark
moves the version it would resume from. The watch ends by itself after five to ten minutes, or when the connection
breaks: it is taken up again at that version, nothing is listed. What cannot be resumed (410 Expired: the server has
forgotten that version; an answer that makes no sense) leads back to a list, after a wait of 0.8 s … 30 s, doubled
each time.

    LIST → 7   WATCH from 7: ADDED a@8, MODIFIED a@9, BOOKMARK 20, end   WATCH from 20: ERROR 410   wait   LIST → 31

The *informer* is the reflector's store with handlers. What it promises: handlers are called in order of versions for
one object, after the store has changed. What it does not: that every state is seen. After a second list several changes
appear as one, and a deletion may be told with the last state known.

Modelled on reflector.go and shared_informer.go. Left out: WatchList (streaming lists), resync timers (12 h in real
ones), transforms other than dropping managedFields.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cluster_engine.api.objects import Object
from cluster_engine.api.resource import Resource
from cluster_engine.api.status import Expired, InternalError, Refusal, TooManyRequests
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

PAGE_LIMIT = 500
WATCH_TIMEOUT_SECONDS_MIN = 300
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX, BACKOFF_RESET_SECONDS = 0.8, 30.0, 120.0
SHORT_WATCH_SECONDS = 1.0

Add = Callable[[Object], None]
Update = Callable[[Object, Object], None]
Index = Callable[[Object], Iterable[str]]


def key_of(obj: Object) -> str:
    """Name an object as stores and queues do: `namespace/name`, or `name` without one."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


class Backoff:
    """Waits of 0.8, 1.6, 3.2 … 30 s, each stretched by up to as much again; back to the start after 2 quiet minutes."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._next = BACKOFF_SECONDS
        self._last_at = 0.0

    async def wait(self) -> None:
        """Sleep for the next wait."""
        now = asyncio.get_running_loop().time()
        if now - self._last_at > BACKOFF_RESET_SECONDS:
            self._next = BACKOFF_SECONDS
        self._last_at = now
        seconds = self._next * (1 + self._process.rng.random())
        self._next = min(self._next * 2, BACKOFF_SECONDS_MAX)
        await asyncio.sleep(seconds)


class Informer:
    """A collection's local copy, by key. `run()` keeps it until cancelled; never change objects in it."""

    def __init__(
        self,
        client: Client,
        kind: Resource,
        process: "Process",
        *,
        namespace: str | None = None,
        field_selector: str | None = None,
        label_selector: str | None = None,
    ) -> None:
        self.kind = kind
        self._client = client
        self._process = process
        self._namespace = namespace
        self._selectors = {"fieldSelector": field_selector, "labelSelector": label_selector}
        self._objects: dict[str, Object] = {}
        self._indexes: dict[str, tuple[Index, dict[str, dict[str, Object]]]] = {}
        self._add: list[Add] = []
        self._update: list[Update] = []
        self._delete: list[Add] = []
        self._synced = asyncio.Event()
        self._version = ""
        self._version_unavailable = False

    # -- the store

    def get(self, key: str) -> Object | None:
        """Return the object of that key, as last heard."""
        return self._objects.get(key)

    def items(self) -> list[Object]:
        """Return all objects, in the order in which they became known."""
        return list(self._objects.values())

    def __len__(self) -> int:
        """Count the objects."""
        return len(self._objects)

    def add_index(self, name: str, index: Index) -> None:
        """Keep objects by the values that `index` gives of them, too."""
        if name not in self._indexes:
            self._indexes[name] = (index, {})
            for key, obj in self._objects.items():
                self._index(name, key, obj)

    def by_index(self, name: str, value: str) -> list[Object]:
        """Return the objects with that value in the index."""
        return list(self._indexes[name][1].get(value, {}).values())

    def _index(self, name: str, key: str, obj: Object) -> None:
        index, table = self._indexes[name]
        for value in index(obj):
            table.setdefault(value, {})[key] = obj

    def _store(self, key: str, obj: Object | None) -> Object | None:
        old = self._objects.pop(key, None) if obj is None else self._objects.get(key)
        for index, table in self._indexes.values():
            for value in index(old) if old is not None else ():
                keys = table[value]
                keys.pop(key, None)
                if not keys:
                    del table[value]
        if obj is not None:
            self._objects[key] = obj
            for name in self._indexes:
                self._index(name, key, obj)
        return old

    # -- handlers

    def on(self, *, add: Add | None = None, update: Update | None = None, delete: Add | None = None) -> None:
        """Register handlers: plain functions, called at once. Objects already known are told to `add`."""
        if add is not None:
            self._add.append(add)
            for obj in self.items():
                add(obj)
        if update is not None:
            self._update.append(update)
        if delete is not None:
            self._delete.append(delete)

    @property
    def has_synced(self) -> bool:
        """Whether the first list is in the store."""
        return self._synced.is_set()

    async def synced(self) -> None:
        """Wait for the first list."""
        await self._synced.wait()

    # -- the reflector

    async def run(self) -> None:
        """List and watch until cancelled."""
        backoff = Backoff(self._process)
        while True:
            try:
                await self._list_and_watch(backoff)
            except (Refusal, ConnectionError, TimeoutError) as error:
                self._process.note("reflector.failed", f"failed to list and watch {self.kind.plural}: {error}")
            await backoff.wait()

    async def _list_and_watch(self, backoff: Backoff) -> None:
        await self._list()
        while True:
            started = asyncio.get_running_loop().time()
            try:
                events = await self._watch()
            except (ConnectionRefusedError, TooManyRequests, InternalError):
                await backoff.wait()
                continue
            except Expired:
                return
            if not events and asyncio.get_running_loop().time() - started < SHORT_WATCH_SECONDS:
                return

    async def _list(self) -> None:
        version = "" if self._version_unavailable else self._version or "0"
        try:
            items, self._version = await self._pages(version)
        except Refusal as refusal:
            if refusal.code != 410 and not _version_too_large(refusal):
                raise
            self._version_unavailable = True
            items, self._version = await self._pages("")
        self._version_unavailable = False
        self._replace(items)
        self._synced.set()

    async def _pages(self, version: str) -> tuple[list[Object], str]:
        # with limit and version the server reads etcd at just that version; without limit its cache, at least as new
        limit = PAGE_LIMIT if version in ("", "0") else None
        listed = await self._client.list(
            self.kind, self._namespace, limit=limit, resourceVersion=version or None, **self._selectors
        )
        items: list[Object] = listed["items"]
        while token := listed["metadata"].get("continue"):
            listed = await self._client.list(
                self.kind, self._namespace, limit=PAGE_LIMIT, **{"continue": token}, **self._selectors
            )
            items += listed["items"]
        return items, listed["metadata"]["resourceVersion"]

    async def _watch(self) -> int:
        """Watch once, to the stream's end, clean or broken; count the events. What fails before the stream raises."""
        seconds = int(WATCH_TIMEOUT_SECONDS_MIN * (1 + self._process.rng.random()))
        count = 0
        async with self._client.watch(
            self.kind, self._namespace, resource_version=self._version, timeoutSeconds=seconds, **self._selectors
        ) as events:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async for type_, obj in events:
                    count += 1
                    self._version = obj["metadata"]["resourceVersion"]
                    if type_ == "DELETED":
                        self._deleted(obj)
                    elif type_ != "BOOKMARK":
                        self._applied(obj)
        return count

    def _replace(self, items: list[Object]) -> None:
        keys = {key_of(item) for item in items}
        for key in [key for key in self._objects if key not in keys]:
            self._deleted(self._objects[key])
        for item in items:
            self._applied(item)

    def _applied(self, obj: Object) -> None:
        metadata = obj["metadata"]
        metadata.pop("managedFields", None)
        key = key_of(obj)
        known = self._objects.get(key)
        if known is not None and known["metadata"]["uid"] != metadata["uid"]:
            self._deleted(known)
            known = None
        if known is not None and known["metadata"]["resourceVersion"] == metadata["resourceVersion"]:
            return
        self._store(key, obj)
        if known is None:
            for add in self._add:
                add(obj)
        else:
            for update in self._update:
                update(known, obj)

    def _deleted(self, obj: Object) -> None:
        if self._store(key_of(obj), None) is not None:
            for delete in self._delete:
                delete(obj)


def _version_too_large(refusal: Refusal) -> bool:
    return any(cause.get("reason") == "ResourceVersionTooLarge" for cause in refusal.details.get("causes", ()))


class SharedInformers:
    """One informer a kind for all controllers of a process, as client-go's SharedInformerFactory."""

    def __init__(self, client: Client, process: "Process") -> None:
        self._client = client
        self._process = process
        self._informers: dict[str, Informer] = {}
        self._group: asyncio.TaskGroup | None = None
        self._running: dict[str, asyncio.Task[None]] = {}

    def informer(self, kind: Resource) -> Informer:
        """Return the kind's informer; it starts now if the others have been started, else with them."""
        path = kind.path()
        informer = self._informers.get(path)
        if informer is None:
            informer = self._informers[path] = Informer(self._client, kind, self._process)
            if self._group is not None:
                self._run(path, self._group)
        return informer

    def drop(self, kind: Resource) -> None:
        """Follow a kind no longer, whoever asked for its informer."""
        path = kind.path()
        self._informers.pop(path, None)
        if path in self._running:
            self._running.pop(path).cancel()

    def _run(self, path: str, group: asyncio.TaskGroup) -> None:
        self._running[path] = group.create_task(self._informers[path].run(), name=f"informer {path}")

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run all informers in the task group and wait until each has its first list."""
        self._group = tasks
        for path in self._informers:
            self._run(path, tasks)
        for informer in list(self._informers.values()):
            await informer.synced()
