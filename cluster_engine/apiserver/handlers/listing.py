"""Lists: from the watch cache where it can be, page by page from etcd where it must be.

    GET pods?resourceVersion=0            the cache, whole, whatever it knows           (informers)
    GET pods                              the cache, after it has come as far as etcd
    GET pods?limit=500                    etcd, in pages that all show one revision     (kubectl)
    GET pods?resourceVersion=N&…=Exact    etcd, at revision N

Objects that etcd returns at a version the cache also knows are not decoded again.

Modelled on apiserver/pkg/storage/cacher/cacher.go (shouldDelegateList) and storage/etcd3/store.go (GetList).
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Expired
from cluster_engine.apiserver.handlers.options import (
    INCONSISTENT,
    ListOptions,
    decode_continue,
    encode_continue,
)
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.store import Store
from cluster_engine.apiserver.storage import CachedObject, Page, Storage, version_number
from cluster_engine.apiserver.watch_cache import WatchCache
from cluster_engine.apiserver.watchers import Selection

PAGE_MAX = 10000

Listed = tuple[list[CachedObject], Object]
"""The objects, and the list's metadata."""


async def list_objects(store: Store, call: Call, options: ListOptions) -> Listed:
    """Return what a list asks for."""
    cache = store.cache(call.kind)
    selection = options.selection(call.kind, call.namespace)
    if options.token or options.match == "Exact" or (options.limit > 0 and options.version != "0"):
        return await _from_etcd(store, cache, selection, options)
    if options.version == "":
        await cache.wait_until_fresh(await store.backend.storage.revision(cache.prefix))
    else:
        await cache.wait_until_fresh(version_number(options.version))
    found = [each for each in cache.select(selection.prefix) if selection.takes(each.object)]
    return found, {"resourceVersion": str(cache.revision)}


async def _from_etcd(store: Store, cache: WatchCache, selection: Selection, options: ListOptions) -> Listed:
    revision, start = 0, selection.prefix
    if options.token:
        revision, after = decode_continue(options.token, options.version)
        revision, start = max(revision, 0), selection.prefix + after
    elif options.version not in ("", "0") and options.match != "NotOlderThan":
        revision = version_number(options.version)
    pages = Pages(store.backend.storage, cache, selection, options.limit)
    try:
        return await pages.read(revision, start)
    except Expired:
        if not options.token:
            raise
        token = encode_continue(INCONSISTENT, start.removeprefix(selection.prefix))
        text = (
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
            "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
            "the results. Continuing with the provided token results in an inconsistent list - objects that were "
            "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
            "list."
        )
        raise ContinueExpired(text, token) from None


class ContinueExpired(Expired):
    """410 for a page, with a token that goes on from the newest state."""

    def __init__(self, text: str, token: str) -> None:
        super().__init__(text)
        self.token = token

    def status(self) -> Object:
        """See `Refusal`."""
        return super().status() | {"metadata": {"continue": self.token}}


class Pages:
    """Reads a list from etcd, in as many pages as it takes to find what is selected."""

    def __init__(self, storage: Storage, cache: WatchCache, selection: Selection, limit: int) -> None:
        self._storage = storage
        self._cache = cache
        self._selection = selection
        self._limit = limit

    async def read(self, revision: int, start: str) -> Listed:
        """Read from key `start` on, at `revision` (0: now)."""
        found: list[CachedObject] = []
        while True:
            page = await self._page(revision, start)
            revision = revision or page.revision
            for index, each in enumerate(page.objects):
                if self._selection.takes(each.object):
                    found.append(each)
                remaining = page.remaining + len(page.objects) - index - 1
                if self._limit and len(found) == self._limit and remaining:
                    return found, self._metadata(revision, each.key, remaining)
            if not page.remaining:
                return found, {"resourceVersion": str(revision)}
            start = page.objects[-1].key + "\0"

    async def _page(self, revision: int, start: str) -> Page:
        wanted = self._limit
        if wanted and not self._selection.everything:
            wanted = min(PAGE_MAX, max(wanted * 2, 100))
        prefix = self._selection.prefix
        return await self._storage.page(
            self._cache.kind, start, prefix, self._cache.get, revision=revision, limit=wanted
        )

    def _metadata(self, revision: int, last_key: str, remaining: int) -> Object:
        token = encode_continue(revision, last_key.removeprefix(self._selection.prefix) + "\0")
        metadata: Object = {"resourceVersion": str(revision), "continue": token}
        if self._selection.everything:
            metadata["remainingItemCount"] = remaining
        return metadata
