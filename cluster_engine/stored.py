"""What lies in etcd, as objects, read without a wire: for lessons' checks and for whoever looks from above.

An object is decoded once for each change, and a question whose answer has not changed gets the very same list again, so
that it may be asked at every revision.

    stored = Stored(lambda: store, kinds)
    stored.find("pods", None, "default")          [{"kind": "Pod", …}]
    stored.find("pod", None, None)                UnknownResourceError: there is no resource pod; …
"""

from collections.abc import Callable

import msgspec

from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.kinds import BUILT_IN, Kinds
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.etcd.client import prefix_end
from cluster_engine.etcd.store import Store

QUESTIONS_MAX = 256


class UnknownResourceError(ValueError):
    """No such resource is kept in etcd."""


def resource(plural: str, group: str | None = None, kinds: KindSet = BUILT_IN) -> Kind:
    """Find a resource by its plural, in any group when none is given. UnknownResourceError."""
    for kind in kinds.stored:
        if kind.plural == plural and group in (None, kind.group):
            return kind
    known = ", ".join(kind.plural for kind in kinds.stored)
    where = f" in the group {group}" if group else ""
    raise UnknownResourceError(f"there is no resource {plural}{where}; resources are {known}")


class Stored:
    """Reads a store that may be replaced, `store` returns the present one, by the kinds that its API server serves."""

    def __init__(self, store: Callable[[], Store], kinds: Kinds) -> None:
        self._store = store
        self._kinds = kinds
        self._found: dict[bytes, tuple[int, dict[bytes, tuple[int, Object]], list[Object]]] = {}
        self._found_in: Store | None = None

    @property
    def revision(self) -> int:
        """The store's revision."""
        return self._store().revision

    def find(self, plural: str, group: str | None, namespace: str | None) -> list[Object]:
        """Return the objects of a resource, of one namespace when given. UnknownResourceError."""
        kind = resource(plural, group, self._kinds.served)
        inner = f"{namespace}/" if namespace and kind.namespaced else ""
        return self._read(f"/registry/{kind.storage_prefix}/{inner}".encode())

    def _read(self, prefix: bytes) -> list[Object]:
        store = self._store()
        if store is not self._found_in:
            self._found.clear()
            self._found_in = store
        revision, known, objects = self._found.get(prefix, (-1, {}, []))
        if revision == store.revision:
            return objects
        now: dict[bytes, tuple[int, Object]] = {}
        changed = False
        for pair in store.range(prefix, prefix_end(prefix)).kvs:
            before = known.get(pair.key)
            if before is None or before[0] != pair.mod_revision:
                before, changed = (pair.mod_revision, msgspec.json.decode(pair.value)), True
            now[pair.key] = before
        if changed or len(now) != len(known):
            objects = [one for _, one in now.values()]
        if len(self._found) >= QUESTIONS_MAX:
            self._found.clear()
        self._found[prefix] = (store.revision, now, objects)
        return objects


__all__ = ["Stored", "UnknownResourceError", "resource"]
