"""The watch caches of an API server: one for each stored kind that it serves, begun and ended with the kind."""

import asyncio
import contextvars
from collections.abc import Iterator

from cluster_engine.api.kinds import Kinds
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import NotFound
from cluster_engine.apiserver.storage import Storage
from cluster_engine.apiserver.watch_cache import WatchCache


class Caches:
    """The caches by their kinds. `run` must be running."""

    def __init__(self, kinds: Kinds, storage: Storage) -> None:
        self._kinds = kinds
        self._storage = storage
        self._caches = {kind: WatchCache(kind, storage) for kind in kinds.served.stored}
        self._tasks: dict[Kind, asyncio.Task[None]] = {}

    def __getitem__(self, kind: Kind) -> WatchCache:
        """Return a kind's cache. Raise NotFound when the kind is served no more."""
        try:
            return self._caches[kind]
        except KeyError:
            raise NotFound() from None

    def waiting(self) -> list[str]:
        """Name the kinds whose caches hold no state yet."""
        return [kind.name for kind, cache in self._caches.items() if not cache.ready.is_set()]

    def counts(self) -> Iterator[tuple[Kind, int]]:
        """Say of each kind how many objects there are."""
        return ((kind, cache.count) for kind, cache in self._caches.items())

    async def ready(self) -> None:
        """Wait until all that there are now hold a state."""
        for cache in list(self._caches.values()):
            await cache.ready.wait()

    def drop_watches(self, resource: str) -> None:
        """End all watches of a resource, "pods", in good order; their clients come again."""
        for kind, cache in self._caches.items():
            if kind.plural == resource:
                cache.drop_watches()

    async def run(self) -> None:
        """Keep the caches filled, those too of kinds that come later, until cancelled."""
        context = contextvars.copy_context()  # whoever adds a kind, the cache works for this server
        async with asyncio.TaskGroup() as group:

            def begin(kind: Kind) -> None:
                if kind.is_stored:
                    if kind not in self._caches:
                        self._caches[kind] = WatchCache(kind, self._storage)
                    self._tasks[kind] = group.create_task(self._caches[kind].run(), context=context.copy())

            end_following = self._kinds.on(add=begin, drop=self._end)
            try:
                for kind in self._kinds.served.stored:
                    begin(kind)
                await asyncio.get_running_loop().create_future()
            finally:
                end_following()

    def _end(self, kind: Kind) -> None:
        if kind.is_stored:
            self._caches.pop(kind).end_watches()
            self._tasks.pop(kind).cancel()
