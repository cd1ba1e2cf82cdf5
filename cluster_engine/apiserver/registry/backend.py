"""What the registry works with: etcd, the watch caches, the clock, chance. And what one call to it is about."""

import asyncio
from datetime import datetime

import msgspec

from cluster_engine.api.kinds import Kinds
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.caches import Caches
from cluster_engine.apiserver.registry.managed_fields import UPDATE, Writer
from cluster_engine.apiserver.storage import Storage, key_of
from cluster_engine.world.process import Process

LEASE_REUSE_SECONDS = 60
LEASE_REUSE_OBJECTS_MAX = 1000


class Call(msgspec.Struct):
    """One request for one kind, after authorization. `name` is empty for collections; `manager` is whose the fields
    are that it sets.
    """

    kind: Kind
    verb: str
    user: User
    now: datetime
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    dry_run: bool = False
    manager: str = ""
    warnings: list[str] = msgspec.field(default_factory=list)

    @property
    def writer(self) -> Writer:
        """Who sets fields by it."""
        return Writer(self.manager, UPDATE, self.kind.api_version, self.subresource, self.now)

    @property
    def key(self) -> str:
        """The object's key in etcd."""
        return key_of(self.kind, self.namespace, self.name)


class _Lease(msgspec.Struct):
    """A lease that may be used again until `reusable_until`, `uses` times more."""

    id: int
    reusable_until: float
    uses: int


class Leases:
    """Leases that let objects run out: one for a minute's objects of the same time to live (etcd3/lease_manager.go)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._leases: dict[int, _Lease] = {}

    async def take(self, ttl_seconds: int) -> int:
        """Return a lease that runs out so many seconds from now, or a little later; 0, no lease, for 0 seconds."""
        if not ttl_seconds:
            return 0
        now = asyncio.get_running_loop().time()
        lease = self._leases.get(ttl_seconds)
        if lease is None or now > lease.reusable_until or not lease.uses:
            id_ = await self._storage.lease(ttl_seconds + LEASE_REUSE_SECONDS)
            lease = self._leases[ttl_seconds] = _Lease(id_, now + LEASE_REUSE_SECONDS, LEASE_REUSE_OBJECTS_MAX)
        lease.uses -= 1
        return lease.id


class Backend:
    """Shared by all of the registry."""

    def __init__(self, process: Process, kinds: Kinds, storage: Storage, caches: Caches) -> None:
        self.process = process
        self.kinds = kinds
        self.storage = storage
        self.caches = caches
        self.leases = Leases(storage)

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Look an object up in its cache, which may be a little old."""
        found = self.caches[kind].get(key_of(kind, namespace, name))
        return None if found is None else found.object

    async def find_surely(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Look an object up, in etcd if the cache does not know it (yet)."""
        found = self.find(kind, namespace, name)
        if found is None:
            stored = await self.storage.read(kind, key_of(kind, namespace, name))
            found = None if stored is None else stored.object
        return found
