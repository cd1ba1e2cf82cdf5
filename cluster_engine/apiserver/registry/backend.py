"""What the registry works with: etcd, the watch caches, the clock, chance. And what one call to it is about."""

from dataclasses import dataclass, field
from datetime import datetime

from cluster_engine.api.kinds import Kinds
from cluster_engine.api.schema import Kind
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.caches import Caches
from cluster_engine.apiserver.storage import Object, Storage, key_of
from cluster_engine.world.process import Process

EVENT_TTL_SECONDS = 3600
LEASE_REUSE_SECONDS = 60
LEASE_REUSE_OBJECTS_MAX = 1000


@dataclass(slots=True)
class Call:
    """One request for one kind, after authorization. `name` is empty for collections."""

    kind: Kind
    verb: str
    user: User
    now: datetime
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The object's key in etcd."""
        return key_of(self.kind, self.namespace, self.name)


class EventLeases:
    """Leases that let Events run out after an hour: one for a minute's events (etcd3/lease_manager.go)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lease = 0
        self._expires = 0.0
        self._used = 0

    async def take(self, now: float) -> int:
        """Give a lease that runs out an hour from now, or a little later."""
        if self._lease == 0 or now > self._expires or self._used >= LEASE_REUSE_OBJECTS_MAX:
            self._lease = await self._storage.etcd.lease_grant(EVENT_TTL_SECONDS + LEASE_REUSE_SECONDS)
            self._expires = now + LEASE_REUSE_SECONDS
            self._used = 0
        self._used += 1
        return self._lease


class Backend:
    """Shared by all of the registry."""

    def __init__(self, process: Process, kinds: Kinds, storage: Storage, caches: Caches) -> None:
        self.process = process
        self.kinds = kinds
        self.storage = storage
        self.caches = caches
        self.event_leases = EventLeases(storage)

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Look an object up in its cache, which may be a little old."""
        found = self.caches[kind].get(key_of(kind, namespace, name))
        return None if found is None else found.object

    async def find_surely(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Look an object up, in etcd if the cache does not know it (yet)."""
        found = self.find(kind, namespace, name)
        if found is None:
            stored = await self.storage.read(key_of(kind, namespace, name))
            found = None if stored is None else stored.object
        return found
