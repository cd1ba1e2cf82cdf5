"""The ways that all stored kinds share: create, get, list, update, delete.

Theory of operation. A write is optimistic. It begins from the watch cache's copy of the object, which is nearly always
the newest, computes the new object, and writes it on condition that the key has not changed: one etcd transaction. Only
when that fails, or when a refusal might be due to an old copy, the object is read again and the computation repeated.

    PUT …/deployments/web            cache: web@41 ──► change ──► Txn mod==41 put        one round trip
    the same, cache a little old     cache: web@40 ──► change ──► Txn mod==40, fails, brings web@41 ──► change ──► Txn

Modelled on apiserver/pkg/registry/generic/registry/store.go and storage/etcd3 GuaranteedUpdate.
"""

from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import AlreadyExists, Invalid, NotFound, Refusal
from cluster_engine.api.validation import validate
from cluster_engine.apiserver.admission.chain import Admission, namespace_for_create
from cluster_engine.apiserver.registry import (
    deletion,
    ephemeral_containers,
    managed_fields,
    metadata,
    quotas,
    signing_requests,
)
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.registry.services import ServiceAllocator
from cluster_engine.apiserver.storage import CachedObject, encode, version_number, with_version
from cluster_engine.apiserver.watch_cache import WatchCache

Change = Callable[[Object], Object]
"""From the present object, which it must leave alone, to the one to write."""


class Store:
    """All stored objects of one API server."""

    def __init__(self, backend: Backend, admission: Admission, services: ServiceAllocator) -> None:
        self.backend = backend
        self._admission = admission
        self._services = services

    def cache(self, kind: Kind) -> WatchCache:
        """Return a kind's cache; 429 while it is not filled yet."""
        cache = self.backend.caches[kind]
        cache.require_ready()
        return cache

    # -- read ------------------------------------------------------------------------------------------------------

    async def get(self, call: Call) -> CachedObject:
        """Read one object: from etcd, or with resourceVersion=0 from the cache."""
        cache = self.cache(call.kind)
        version = call.parameters.get("resourceVersion", "")
        if version:
            await cache.wait_until_fresh(version_number(version))
            found = cache.get(call.key)
        else:
            found = await self.backend.storage.read(call.kind, call.key, cache.get)
        if found is None:
            raise NotFound(call.kind, call.name)
        return found

    # -- create ----------------------------------------------------------------------------------------------------

    async def create(self, call: Call, obj: Object, *, tracks: bool = True) -> Object:
        """Write a new object, as defaulted and admitted; give it with its version.

        Its managedFields are kept, unless who made the object has done so (`tracks` is False).
        """
        kind = call.kind
        metadata.check_place(call, obj)
        if kind.namespaced:
            await namespace_for_create(self.backend, call)
        call.name = obj["metadata"].get("name", "")
        if tracks:
            set_entries(obj, managed_fields.created(kind, obj, call.writer))
        self._admission.on_create(call, obj)
        obj = metadata.on_create(self.backend, call, obj)
        call.name = obj["metadata"]["name"]
        if kind.has_status and not kind.keeps_status_on_create:
            obj["status"] = {}
        if kind.prepare_create:
            kind.prepare_create(obj)
        with self._services.reserving(call, obj):
            _validate(kind, obj)
            await quotas.charge(self.backend, call, obj, self.update_status)
            return obj if call.dry_run else await self._write_new(call, obj)

    async def _write_new(self, call: Call, obj: Object) -> Object:
        lease = await self.backend.leases.take(call.kind.ttl_seconds)
        revision = await self.backend.storage.create(call.key, encode(obj), lease=lease)
        if revision is None:
            raise AlreadyExists(call.kind, call.name)
        return with_version(obj, revision)

    # -- update ----------------------------------------------------------------------------------------------------

    async def update(self, call: Call, change: Change, *, tracks: bool = True) -> Object:
        """Change an object's main part."""

        def main(old: Object) -> Object:
            new = change(old)
            metadata.check_place(call, new)
            metadata.check_preconditions(call, new, old)
            if call.subresource == ephemeral_containers.NAME:
                new = ephemeral_containers.changed(call, new, old)
            if tracks:
                set_entries(new, managed_fields.updated(call.kind, old, new, call.writer))
            if call.kind.has_status:
                new["status"] = old.get("status", {})
            if call.kind.prepare_update:
                call.kind.prepare_update(new, old)
            self._services.on_update(call, new, old)
            new = metadata.on_update(call, new, old)
            self._admission.on_update(call, new, old)
            is_checked = call.subresource == ephemeral_containers.NAME
            _validate(call.kind, new, {**old, "spec": new["spec"]} if is_checked else old)
            return new

        return await self.guaranteed_update(call, main)

    async def update_status(self, call: Call, change: Change, *, tracks: bool = True) -> Object:
        """Change an object's status, and nothing else."""

        def status_only(old: Object) -> Object:
            new = change(old)
            metadata.check_place(call, new)
            metadata.check_preconditions(call, new, old)
            self._admission.on_update(call, new, old)
            merged = {**old, "status": signing_requests.status(call, new, old)}
            if call.kind.status_carries:
                carried = {name: new["metadata"].get(name) for name in call.kind.status_carries}
                kept = {name: value for name, value in old["metadata"].items() if name not in carried}
                merged["metadata"] = kept | {name: value for name, value in carried.items() if value}
            merged["metadata"] = dict(merged["metadata"])
            entries = managed_fields.updated(call.kind, old, merged, call.writer) if tracks else entries_of(new)
            set_entries(merged, entries)
            merged = metadata.on_update(call, merged, old)
            _validate(call.kind, merged, old)
            return merged

        return await self.guaranteed_update(call, status_only)

    async def guaranteed_update(self, call: Call, change: Change) -> Object:
        """Apply `change` to the newest object and write it; again as often as somebody else was faster."""
        current, is_sure = await self._current(call)
        while True:
            if current is None:
                raise NotFound(call.kind, call.name)
            try:
                new = change(current.object)
            except Refusal:
                if is_sure:
                    raise
                current, is_sure = await self.backend.storage.read(call.kind, call.key), True
                continue
            if new == current.object and not deletion.is_released(call.kind, new):
                if is_sure:
                    return new
                current, is_sure = await self.backend.storage.read(call.kind, call.key), True
                continue
            if call.dry_run:
                return new
            written, current = await self._write(call, current, new)
            if written is not None:
                return written
            is_sure = True

    async def _current(self, call: Call) -> tuple[CachedObject | None, bool]:
        cached = self.cache(call.kind).get(call.key)
        if cached is not None:
            return cached, False
        return await self.backend.storage.read(call.kind, call.key), True

    async def _write(self, call: Call, current: CachedObject, new: Object) -> tuple[Object | None, CachedObject | None]:
        storage = self.backend.storage
        if deletion.is_released(call.kind, new):
            written = await storage.remove(call.kind, call.key, current.revision)
        else:
            lease = await self.backend.leases.take(call.kind.ttl_seconds)
            written = await storage.replace(call.kind, call.key, current.revision, encode(new), lease=lease)
        if written.revision:
            return with_version(new, written.revision), None
        return None, written.current

    # -- delete ----------------------------------------------------------------------------------------------------

    async def delete(self, call: Call, options: deletion.Options) -> tuple[Object, bool]:
        """Delete an object or mark it as going; give its last state and whether it is gone."""
        current, is_sure = await self._current(call)
        while True:
            if current is None:
                raise NotFound(call.kind, call.name)
            try:
                deletion.check_preconditions(call.kind, call.key, current.object, options)
                self._admission.on_delete(call, current.object)
            except Refusal:
                if is_sure:
                    raise
                current, is_sure = await self.backend.storage.read(call.kind, call.key), True
                continue
            left = deletion.marked(call.kind, current.object, options, call.now)
            if options.dry_run or call.dry_run:
                return left or current.object, left is None
            if left is current.object:
                return left, False
            if left is None:
                written = await self.backend.storage.remove(call.kind, call.key, current.revision)
            else:
                written = await self.backend.storage.replace(call.kind, call.key, current.revision, encode(left))
            if written.revision:
                return with_version(left or current.object, written.revision), left is None
            current, is_sure = written.current, True


def entries_of(obj: Object) -> list[Object]:
    """Return who has set which of an object's fields."""
    return list(obj["metadata"].get("managedFields") or ())


def set_entries(obj: Object, entries: list[Object]) -> None:
    """Write into an object who has set which of its fields."""
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _validate(kind: Kind, new: Object, old: Object | None = None) -> None:
    causes = validate(kind, new, old)
    if causes:
        raise Invalid(kind, new["metadata"].get("name", ""), causes)
