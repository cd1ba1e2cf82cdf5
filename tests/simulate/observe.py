"""What is seen of a simulated cluster from outside: etcd's writes at its store, containers' starts, everybody's copies.

The store is one that writes each change into the story too (before any protocol), containers are seen at the hosts'
containerd, the rest in the journal. Only informers' copies are looked at inside the processes, when all is over.
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any
from unittest import mock

import msgspec

from cluster_engine.api import kinds
from cluster_engine.api.schema import Kind
from cluster_engine.client import Client, Informer
from cluster_engine.cluster import Cluster
from cluster_engine.containerd.store import Store as Containers
from cluster_engine.etcd import database
from cluster_engine.etcd.history import Change, KeyValue, prefix_end
from cluster_engine.etcd.history import History as EtcdHistory
from cluster_engine.etcd.store import Store
from cluster_engine.lens.kubernetes import registry_token
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from tests.simulate.pressure import CONDITIONS
from tests.simulate.story import Copy, Entry, History, Start, Story, Write
from tests.simulate.watches import Scope
from tests.simulate.wishes import Snapshot

DECODED_MAX = 4096
"""More than lie in etcd at one time: whoever looks at all of them again and again decodes what is new."""
CONTAINERD_DISK = "/var/lib/containerd"
WANTED = (
    "nodes",
    "deployments",
    "replicasets",
    "daemonsets",
    "jobs",
    "pods",
    "services",
    "endpoints",
    "endpointslices",
    "namespaces",
    "secrets",
    "configmaps",
)


# -- etcd ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def recorded_stores(story: Story, loop: ClusterLoop, etcd_members: int = 1) -> Iterator[None]:
    """Within this, every etcd that starts without data gets a store whose changes are written into the story, for ever.

    One that loses its disk begins a history of its own; the story then has that one only. Of several members the one
    that carries out a change first tells it.
    """
    told = (0, 0)

    class Recorded(EtcdHistory):
        def append(self, kv: KeyValue, sub: int) -> Change:
            change = super().append(kv, sub)
            nonlocal told
            if etcd_members > 1 and (change.revision, sub) <= told:
                return change
            told = (change.revision, sub)
            if kv.mod_revision == FIRST_REVISION and sub == 0:
                story.began_anew = bool(story.history.writes)
                story.history = History()
            before = _decoded(change.previous) if change.previous is not None else None
            now = None if change.deletes else _decoded(kv)
            story.history.add(Write(change.revision, kv.key.decode(), before, now, loop.time()))
            return change

    def recorded() -> Store:
        store = Store()
        store.history = Recorded()
        return store

    with mock.patch.object(database, "Store", recorded):
        yield


FIRST_REVISION = 2


def _decoded(kv: KeyValue) -> dict[str, Any]:
    """Give an object as it lies in etcd; nobody may change it."""
    return _read(kv.value)


@functools.lru_cache(maxsize=DECODED_MAX)
def _read(value: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:  # the compactor's own key
        found = None
    return found if isinstance(found, dict) else {}


def stored(store: Store) -> dict[str, KeyValue]:
    """Give what lies in etcd, by token."""
    return {registry_token(kv.key.decode()): kv for kv in store.range(b"/registry/", b"/registry0").kvs}


def _objects(cluster: Cluster, prefix: str) -> list[dict[str, Any]]:
    found = cluster._store().range(prefix.encode(), prefix_end(prefix.encode()))
    return [_decoded(kv) for kv in found.kvs]


# -- containers ----------------------------------------------------------------------------------------------------


def observe(entry: Entry, cluster: Cluster, story: Story) -> None:
    """Take an entry, and of a container's start the pod's uid, which the journal does not say."""
    story.entries.append(entry)
    if entry["kind"] == "containerd.started":
        host, pod = entry["from"].partition("/")[0], entry["fields"]["pod"]
        sandboxes = reversed(_containers(cluster, host).sandboxes.values())
        uid = next((one.uid for one in sandboxes if _pod(one) == pod), "")
        story.starts.append(Start(entry["seq"], host, pod, uid))


def _pod(sandbox: Any) -> str:
    return f"{sandbox.config.metadata.namespace}/{sandbox.config.metadata.name}"


def _containers(cluster: Cluster, host: str) -> Containers:
    found = cluster.world.host(host).disk.get(CONTAINERD_DISK)
    assert isinstance(found, Containers)
    return found


def snapshot(cluster: Cluster) -> Snapshot:
    """Look at objects, containers, rules and processes as they are now."""
    objects = {
        kind.plural: _objects(cluster, f"/registry/{kind.storage_prefix}/")
        for kind in kinds.BUILT_IN.stored
        if kind.plural in WANTED
    }
    running, rules = {}, {}
    for worker in cluster.workers:
        store = _containers(cluster, worker.name)
        up = [one for one in store.containers.values() if one.state == cri.CONTAINER_RUNNING]
        running[worker.name] = frozenset(store.sandboxes[one.sandbox_id].uid for one in up)
        rules[worker.name] = "".join(table.text for table in worker.packet_filter.tables.values())
    down = tuple(name for name, process in cluster.processes.items() if not process.is_alive)
    return Snapshot(objects, running, rules, down)


def shortages(cluster: Cluster) -> Iterator[str]:
    """Give the nodes that say that they are short of something."""
    for node in _objects(cluster, "/registry/minions/"):
        conditions = node.get("status", {}).get("conditions") or ()
        if any(one["type"] in CONDITIONS.values() and one["status"] == "True" for one in conditions):
            yield node["metadata"]["name"]


# -- copies --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running_informers() -> Iterator[dict[Informer, None]]:
    """Give the informers that run, of whatever process."""
    running: dict[Informer, None] = {}
    original = Informer.run

    async def run(self: Informer) -> None:
        running[self] = None
        try:
            await original(self)
        finally:
            running.pop(self, None)

    with mock.patch.object(Informer, "run", run):
        yield running


async def list_everything(process: Process, cached: dict[Kind, dict[str, str]]) -> None:
    """Be a program that lists every kind from the API server's cache."""
    client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="auditor")
    for kind in kinds.BUILT_IN.stored:
        listed = await client.list(kind, resourceVersion="0")
        cached[kind] = {_token(kind, item): item["metadata"]["resourceVersion"] for item in listed["items"]}
    await client.aclose()


def _token(kind: Kind, obj: dict[str, Any]) -> str:
    metadata = obj["metadata"]
    return f"{kind.plural}/{metadata.get('namespace', '')}/{metadata['name']}"


def cache_copies(cached: dict[Kind, dict[str, str]], now: dict[str, KeyValue]) -> list[Copy]:
    """Set the API server's caches beside what etcd holds."""
    there = _by_resource(now)
    return [
        Copy(f"the API server's cache of {kind.resource_name}", cached.get(kind, {}), _true(kind, there))
        for kind in kinds.BUILT_IN.stored
    ]


def informer_copies(informers: dict[Informer, None], now: dict[str, KeyValue]) -> list[Copy]:
    """Set what living informers hold beside what etcd holds."""
    there = _by_resource(now)
    return [_copy(informer, there) for informer in informers if informer._process.is_alive]


def _by_resource(now: dict[str, KeyValue]) -> dict[str, dict[str, KeyValue]]:
    there: dict[str, dict[str, KeyValue]] = {}
    for token, kv in now.items():
        there.setdefault(token.partition("/")[0], {})[token] = kv
    return there


def _true(kind: Kind, there: dict[str, dict[str, KeyValue]], scope: Scope | None = None) -> dict[str, str]:
    return {
        token: str(kv.mod_revision)
        for token, kv in there.get(kind.plural, {}).items()
        if scope is None or scope.takes(_decoded(kv))
    }


def _copy(informer: Informer, there: dict[str, dict[str, KeyValue]]) -> Copy:
    selectors = informer._selectors
    labels, fields = selectors["labelSelector"] or "", selectors["fieldSelector"] or ""
    scope = Scope(informer.kind, informer._namespace or "", labels, fields)
    held = {_token(informer.kind, item): item["metadata"]["resourceVersion"] for item in informer.items()}
    return Copy(
        f"{informer._process.id}'s {' '.join(filter(None, scope.key))}", held, _true(informer.kind, there, scope)
    )
