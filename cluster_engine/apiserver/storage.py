"""The way to etcd: keys, values, and transactions that compare before they write.

Theory of operation. An object lives under `/registry/<resource>/[<namespace>/]<name>`; its value is the object's JSON
without `metadata.resourceVersion`, because the version *is* the key's mod revision and etcd alone knows it. Every
write is one transaction with one comparison, "the key is still as I saw it"; when it is not, the answer brings the
present state, so that losing a race costs nothing more.

    Txn  if mod(/registry/pods/default/web-0) == 41  then put …  else get …      ──► succeeded, revision 57

Modelled on apiserver/pkg/storage/etcd3/store.go. Values there are protobuf behind `k8s\\0`, here JSON
(docs/fidelity.md). Left out: encryption at rest.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from grpclib.exceptions import GRPCError

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Expired, Refusal
from cluster_engine.api.strconv import parse_int
from cluster_engine.apiserver.trouble import Trouble
from cluster_engine.etcd.client import EtcdClient, delete, get, not_there, prefix_end, put, unchanged
from cluster_engine.etcd.errors import CompactedError
from cluster_engine.metrics.registry import Registry
from cluster_engine.rpc import kv_pb2

REGISTRY = "/registry"
METADATA_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)


def prefix_of(kind: Kind, namespace: str = "") -> str:
    """Return the prefix below which a kind's objects (of a namespace) lie; ends in a slash."""
    return f"{REGISTRY}/{kind.storage_prefix}/{namespace}/" if namespace else f"{REGISTRY}/{kind.storage_prefix}/"


def key_of(kind: Kind, namespace: str, name: str) -> str:
    """Return an object's key."""
    return f"{prefix_of(kind, namespace if kind.namespaced else '')}{name}"


def in_order(obj: Object) -> Object:
    """Put an object's fields into the order in which Kubernetes writes them: kind, apiVersion, metadata, the rest."""
    metadata = obj.get("metadata") or {}
    ordered = {name: metadata[name] for name in METADATA_ORDER if name in metadata}
    first = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": ordered}
    return first | {name: value for name, value in obj.items() if name not in first}


def with_version(obj: Object, revision: int) -> Object:
    """Give the object as clients see it: `metadata.resourceVersion` set, after the uid. `obj` itself stays as it is."""
    metadata: Object = {}
    for name, value in obj["metadata"].items():
        if name != "resourceVersion":
            metadata[name] = value
        if name == "uid":
            metadata["resourceVersion"] = str(revision)
    metadata.setdefault("resourceVersion", str(revision))
    return {**obj, "metadata": metadata}


def version_number(text: str) -> int:
    """Read a resourceVersion; what is no number is answered 500, as real servers do."""
    try:
        if text[:1] in ("+", "-"):
            raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
        return parse_int(text)
    except ValueError as problem:
        quoted = str(problem).replace("ParseInt", "ParseUint")
        raise Refusal(f'resourceVersion: Invalid value: "{text}": {quoted}', code=500) from None


def encode(obj: Object) -> bytes:
    """Write an object as etcd keeps it."""
    metadata = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
    return msgspec.json.encode({**obj, "metadata": metadata})


ETCD_BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)


class CachedObject:
    """One version of one object, and its JSON, which is written when first asked for. `size`: its bytes in etcd.

    Once it is only history it is kept as JSON alone, a fifth of the size (`settle`), and read again when asked for.
    """

    __slots__ = ("_json", "_object", "key", "revision", "size")

    def __init__(self, key: str, obj: Object, revision: int, size: int = 0) -> None:
        self.key = key
        self.size = size
        self.revision = revision
        self._object: Object | None = obj
        self._json: bytes | None = None

    @property
    def object(self) -> Object:
        """The object, never to be changed."""
        if self._object is None:
            obj: Object = msgspec.json.decode(self.json)
            return obj
        return self._object

    @property
    def json(self) -> bytes:
        """The object as clients get it; begins with kind and apiVersion."""
        if self._json is None:
            self._json = msgspec.json.encode(self._object)
        return self._json

    def settle(self) -> None:
        """Keep the JSON only."""
        assert self.json, "it is written while there is something to write it from"
        self._object = None


Known = Callable[[str], CachedObject | None]
"""From a key to what is known of it."""


class Page(msgspec.Struct, frozen=True):
    """A part of a list: its objects in key order, the revision of the read, and how many keys remain after it."""

    objects: list[CachedObject]
    revision: int
    remaining: int


def cached(kind: Kind, kv: kv_pb2.KeyValue, known: Known) -> CachedObject:
    """Return what etcd returned, from `known` where that has the same version.

    An object that was written in another version of its group is given in this kind's, with all else as it was: the
    conversion "None" of CustomResourceDefinitions.
    """
    key = kv.key.decode()
    found = known(key)
    if found is not None and found.revision == kv.mod_revision:
        return found
    value = with_version(msgspec.json.decode(kv.value), kv.mod_revision)
    if value["apiVersion"] != kind.api_version:
        value["apiVersion"] = kind.api_version
    return CachedObject(key, value, kv.mod_revision, len(kv.value))


def unknown(key: str) -> None:
    """Know nothing (a `Known`)."""
    return


class Written(msgspec.Struct, frozen=True):
    """How a conditional write ended: `revision` when it was done, else what lies there now (None: nothing)."""

    revision: int
    current: CachedObject | None = None


class Storage:
    """All reads and writes of one API server."""

    def __init__(self, etcd: EtcdClient, trouble: Trouble | None = None, metrics: Registry | None = None) -> None:
        self.etcd = etcd
        self.trouble = trouble or Trouble()
        self._seconds = (metrics or Registry()).histogram(
            "etcd_request_duration_seconds",
            "[ALPHA] Etcd request latency in seconds for each operation and object type.",
            ETCD_BUCKETS,
            ("operation", "type"),
        )

    @contextmanager
    def _asked(self, operation: str, key: str) -> Iterator[None]:
        """Count a request of etcd, and translate its troubles."""
        time = asyncio.get_running_loop().time
        began = time()
        try:
            with translated():
                yield
        finally:
            self._seconds.observe(time() - began, operation, _type(key))

    async def read(self, kind: Kind, key: str, known: Known = unknown) -> CachedObject | None:
        """Read one key as it is now."""
        with self._asked("get", key):
            response = await self.etcd.get(key.encode())
        return cached(kind, response.kvs[0], known) if response.kvs else None

    async def create(self, key: str, value: bytes, *, lease: int = 0) -> int | None:
        """Write a key that must not exist yet; give the revision, or None when it exists."""
        raw = key.encode()
        with self._asked("create", key):
            response = await self.etcd.txn([not_there(raw)], [put(raw, value, lease=lease)])
        return response.header.revision if response.succeeded else None

    async def create_all(self, values: Sequence[tuple[str, bytes]]) -> bool:
        """Write several keys in one transaction, if none of them exists."""
        with translated():
            response = await self.etcd.txn(
                [not_there(key.encode()) for key, _ in values], [put(key.encode(), value) for key, value in values]
            )
        return response.succeeded

    async def replace(self, kind: Kind, key: str, revision: int, value: bytes, *, lease: int = 0) -> Written:
        """Write a key if it is still at `revision` (0: not there)."""
        raw = key.encode()
        with self._asked("update", key):
            response = await self.etcd.txn([unchanged(raw, revision)], [put(raw, value, lease=lease)], [get(raw)])
        return _written(kind, response)

    async def remove(self, kind: Kind, key: str, revision: int) -> Written:
        """Delete a key if it is still at `revision`."""
        raw = key.encode()
        with self._asked("delete", key):
            response = await self.etcd.txn([unchanged(raw, revision)], [delete(raw)], [get(raw)])
        return _written(kind, response)

    async def lease(self, seconds: int) -> int:
        """Make a lease that runs out after so long, and give its ID."""
        with translated():
            return await self.etcd.lease_grant(seconds)

    async def revision(self, prefix: str) -> int:
        """Ask etcd how far it has come, by the cheapest consistent read there is."""
        raw = prefix.encode()
        with self._asked("list", prefix):
            response = await self.etcd.get(raw, range_end=prefix_end(raw), limit=1, keys_only=True)
        return response.header.revision

    async def page(
        self, kind: Kind, start: str, prefix: str, known: Known, *, revision: int = 0, limit: int = 0
    ) -> Page:
        """Read at most `limit` keys from `start` on below `prefix`, at `revision` (0: now).

        What `known` has at the version that etcd returns is taken from there instead of being decoded.
        """
        end = prefix_end(prefix.encode())
        with self._asked("list", prefix):
            response = await self.etcd.get(start.encode(), range_end=end, revision=revision, limit=limit)
        objects = [cached(kind, kv, known) for kv in response.kvs]
        remaining = response.count - len(objects) if response.more else 0
        return Page(objects, response.header.revision, remaining)


def _type(key: str) -> str:
    """Name what a key is of: "pods", "deployments.apps" only where the group stands in the key."""
    return key.removeprefix("/registry/").partition("/")[0]


def _written(kind: Kind, response: Any) -> Written:
    revision = response.header.revision
    if response.succeeded:
        return Written(revision)
    found = response.responses[0].response_range.kvs
    return Written(0, cached(kind, found[0], unknown) if found else None)


@contextmanager
def translated() -> Iterator[None]:
    """Turn etcd's troubles into what a client is told: 410 for lost history, else 500 with etcd's own words."""
    try:
        yield
    except CompactedError as error:
        raise Expired(
            "The provided resource version is too old. Please start a new list without the resource version."
        ) from error
    except GRPCError as error:
        raise Refusal(str(error.message), code=500) from error
    except ConnectionRefusedError as error:
        trouble = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"
        raise Refusal(f'rpc error: code = Unavailable desc = connection error: desc = "{trouble}"', code=500) from error
    except OSError as error:
        if isinstance(error.__cause__, GRPCError):  # etcd's own words: no leader, timed out
            raise Refusal(str(error.__cause__.message), code=500) from error
        raise Refusal(f'rpc error: code = Unavailable desc = connection error: desc = "{error}"', code=500) from error
