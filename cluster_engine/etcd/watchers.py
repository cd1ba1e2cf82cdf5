"""Watchers: who wants to hear of which keys, and how far each has read.

Modelled on etcd's `mvcc/watchable_store`. A watcher is a cursor in the history, not a queue. A change that concerns
it only marks the revision from which it is behind and wakes its owner once; the owner then *takes* what is new,
whenever it can send. So a slow reader costs no memory here, an idle one no time, and one that is so slow that
compaction overtakes it is told so and cancelled: the one honest end, since a watch never skips.

    watch("/registry/pods/" from revision 8) while the store is at 10     behind from 8, woken at once
    take -> changes of 8, 9, 10                                           synced
    put /registry/pods/default/a at 11                                    behind from 11, woken
    put /registry/pods/default/b at 12                                    still behind from 11, not woken again
    take -> changes of 11 and 12                                          synced
    put .../a at 13, put .../a at 14, compact 14                          behind from 13, which is gone
    take -> CompactedError(14)                                            and the watcher is out of the hub

Watchers are volatile: a restarted server starts with none. Left out: victims and the 100 ms pass over unsynced
watchers (here whoever is behind takes at once).
"""

from collections.abc import Callable, Sequence

import msgspec

from cluster_engine.etcd.errors import CompactedError
from cluster_engine.etcd.history import Change, KeyRange
from cluster_engine.etcd.store import Store

BATCH_REVISIONS_MAX = 1000


class Watcher(msgspec.Struct, eq=False):
    """One watch. `behind_from` is the oldest revision it has not been given yet, None when it has had all."""

    wanted: KeyRange
    start_revision: int
    wake: "Callable[[Watcher], None]"
    puts: bool = True
    deletes: bool = True
    behind_from: int | None = None

    def concerns(self, change: Change) -> bool:
        """Say whether the watcher wants to hear of a change."""
        return (
            change.kv.key in self.wanted
            and change.revision >= self.start_revision
            and (self.deletes if change.deletes else self.puts)
        )


class WatchHub:
    """The watchers of one store while one server runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watchers: dict[Watcher, None] = {}
        store.on_commit = self._committed

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, watcher: Watcher) -> None:
        """Register a watcher; one that starts in the past is woken before this returns."""
        self._watchers[watcher] = None
        if watcher.start_revision <= self._store.revision:
            watcher.behind_from = watcher.start_revision
            watcher.wake(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher, if it is still known."""
        self._watchers.pop(watcher, None)

    def take(self, watcher: Watcher) -> Sequence[Change]:
        """Return what the watcher has not had, in order, of 1000 revisions at most; it is woken again if there is more.

        CompactedError: part of it is gone, and the watcher is removed.
        """
        since = watcher.behind_from
        if since is None:
            return ()
        if since < self._store.compacted:
            self.remove(watcher)
            raise CompactedError(self._store.compacted)
        changes = self._store.history.changes(since)
        watcher.behind_from = None
        if changes and changes[-1].revision - since >= BATCH_REVISIONS_MAX:
            upto = since + BATCH_REVISIONS_MAX
            changes = [change for change in changes if change.revision < upto]
            watcher.behind_from = upto
            watcher.wake(watcher)
        return [change for change in changes if watcher.concerns(change)]

    def restored(self, revision: int) -> None:
        """The store, which was at `revision`, has become another one's: watchers hear what they have missed."""
        for watcher in list(self._watchers):
            if watcher.behind_from is None and self._store.revision > revision:
                watcher.behind_from = max(watcher.start_revision, revision + 1)
                watcher.wake(watcher)

    def _committed(self, changes: Sequence[Change]) -> None:
        for watcher in list(self._watchers):
            if watcher.behind_from is not None:
                continue
            for change in changes:  # no any(): a server has some thirty watchers, and each write is asked of all
                if watcher.concerns(change):
                    watcher.behind_from = changes[0].revision
                    watcher.wake(watcher)
                    break
