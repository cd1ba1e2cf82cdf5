"""Play a plan in a cluster of its own, in leaping time, and give the story that it left behind.

What is observed is observed from outside: etcd's writes at its store (before any protocol), containers at the hosts'
containerd, the rest from the journal. Only informers' copies are looked at inside the processes, when all is over.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO
from unittest import mock

import msgspec

from cluster_engine.api import kinds
from cluster_engine.api.schema import Kind
from cluster_engine.client import Client, Informer
from cluster_engine.cluster import DATA_DIRECTORY, WORKSTATION, Cluster, ClusterSpec
from cluster_engine.containerd.store import Store as Containers
from cluster_engine.etcd.history import Change, KeyValue
from cluster_engine.etcd.history import History as EtcdHistory
from cluster_engine.etcd.store import Store
from cluster_engine.lens.kubernetes import registry_token
from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.process import Process
from tests.simulate.plan import Plan, Typed
from tests.simulate.story import Copy, Entry, Start, Story, Write
from tests.simulate.watches import Scope
from tests.simulate.wishes import Snapshot, lacking

CALM_SECONDS = 15.0
REST_SECONDS_MAX = 240.0
POLL_SECONDS = 2.0
STABLE_SECONDS = 6.0
INTERRUPT_SECONDS = 5.0
TRIES_MAX = 60
LOOKS_MAX = 3
CONTAINERD_DISK = "/var/lib/containerd"
RULES_DISK = "iptables"


def play(plan: Plan, epoch: datetime | None = None, export: BinaryIO | None = None) -> Story:
    """Play it from `epoch` (now) on; whatever goes wrong in the world is in the story's `failure`."""
    loop = ClusterLoop(Clock())
    story = Story()
    try:
        loop.run_until_complete(_tell(plan, epoch or datetime.now(UTC), story, loop, export))
    except Exception as failure:
        story.failure = failure
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    return story


async def _tell(plan: Plan, epoch: datetime, story: Story, loop: ClusterLoop, export: BinaryIO | None) -> None:
    spec = ClusterSpec(nodes=plan.nodes, seed=plan.seed, pace=None, epoch=epoch)
    cluster = Cluster(spec, loop, export=export)
    cluster.world.host("control-plane").disk[DATA_DIRECTORY] = recorded_store(story, loop)
    assert cluster.journal is not None
    look_away = cluster.journal.subscribe(lambda entry: _observe(entry, cluster, story))
    with running_informers() as informers:
        async with cluster:
            story.components = tuple(cluster.components())
            outcome = asyncio.ensure_future(_Stage(cluster, plan, story, informers).run())
            await asyncio.wait([outcome, cluster.world.failed], return_when=asyncio.FIRST_COMPLETED)
            look_away()
            story.seconds = loop.time()
            if outcome.done():
                await outcome
            else:
                story.failure = cluster.world.failed.exception()
                outcome.cancel()


def recorded_store(story: Story, loop: ClusterLoop) -> Store:
    """Make an etcd store whose every change is written into the story too, for ever."""

    class Recorded(EtcdHistory):
        def append(self, kv: KeyValue, sub: int) -> Change:
            change = super().append(kv, sub)
            before = _decoded(change.previous) if change.previous is not None else None
            now = None if change.deletes else _decoded(kv)
            story.history.add(Write(change.revision, kv.key.decode(), before, now, loop.time()))
            return change

    store = Store()
    store.history = Recorded()
    return store


def _decoded(kv: KeyValue) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(kv.value)
    except msgspec.DecodeError:  # the compactor's own key
        value = None
    return value if isinstance(value, dict) else {}


def _observe(entry: Entry, cluster: Cluster, story: Story) -> None:
    story.entries.append(entry)
    if entry["kind"] == "containerd.started":
        host, pod = entry["from"].partition("/")[0], entry["fields"]["pod"]
        uid = next((one.uid for one in reversed(_containers(cluster, host).sandboxes.values()) if _pod(one) == pod), "")
        story.starts.append(Start(entry["seq"], host, pod, uid))


def _pod(sandbox: Any) -> str:
    return f"{sandbox.config.metadata.namespace}/{sandbox.config.metadata.name}"


def _containers(cluster: Cluster, host: str) -> Containers:
    found = cluster.world.host(host).disk.get(CONTAINERD_DISK)
    assert isinstance(found, Containers)
    return found


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


class _Stage:
    """One plan being played."""

    def __init__(self, cluster: Cluster, plan: Plan, story: Story, informers: dict[Informer, None]) -> None:
        self._cluster, self._plan, self._story, self._informers = cluster, plan, story, informers
        self._world = cluster.world
        self._store: Store = cluster.world.host("control-plane").disk[DATA_DIRECTORY]

    async def run(self) -> None:
        """Play, heal, wait for rest, look."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for fault in self._plan.faults:
            self._cluster.inject(fault)
        typing = [loop.create_task(self._type(typed)) for typed in self._plan.typed]
        await asyncio.sleep(began + self._plan.seconds - loop.time())
        await self._cluster.heal_all()
        await self._put_in_order()
        self._story.calm_at = loop.time() + CALM_SECONDS
        await self._rest()
        for task in typing:
            task.cancel()
        await asyncio.wait(typing)
        await asyncio.sleep(INTERRUPT_SECONDS)
        for task in typing:
            if not task.cancelled():
                task.result()
        self._story.lacking = lacking(self._snapshot())
        await self._look()

    async def _type(self, typed: Typed) -> None:
        await asyncio.sleep(typed.at)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(typed.seconds):
                await self._cluster.command(typed.line, lambda _, __: None)

    async def _put_in_order(self) -> None:
        """Undo what people did that would keep desired and actual apart for ever."""
        for worker in self._cluster.workers:
            await self._insist(f"kubectl uncordon {worker.name}")

    async def _insist(self, line: str) -> None:
        for _ in range(TRIES_MAX):
            if await self._cluster.command(line, lambda _, __: None) == 0:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _rest(self) -> None:
        """Wait until nothing is lacking, and has not been for a while."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REST_SECONDS_MAX
        since = None
        while loop.time() < deadline:
            if lacking(self._snapshot()) or any(copy.held != copy.true for copy in self._copies()):
                since = None
            elif since is None:
                since = loop.time()
            if since is not None and loop.time() >= max(since + STABLE_SECONDS, self._story.calm_at):
                return
            await asyncio.sleep(POLL_SECONDS)

    def _snapshot(self) -> Snapshot:
        cluster = self._cluster
        wanted = ("nodes", "deployments", "replicasets", "pods", "services", "endpointslices", "namespaces")
        found = {kind.plural: kind for kind in kinds.STORED if kind.plural in wanted}
        objects = {name: cluster.objects(f"/registry/{kind.storage_prefix}/") for name, kind in found.items()}
        running, rules = {}, {}
        for worker in cluster.workers:
            store = _containers(cluster, worker.name)
            up = [one for one in store.containers.values() if one.state == cri.CONTAINER_RUNNING]
            running[worker.name] = frozenset(store.sandboxes[one.sandbox_id].uid for one in up)
            rules[worker.name] = worker.disk.get(RULES_DISK, "")
        down = tuple(name for name, process in cluster.processes.items() if not process.is_alive)
        return Snapshot(objects, running, rules, down)

    # -- the end ---------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Compare every copy with etcd; again when one differs, for news may just be under way."""
        for _ in range(LOOKS_MAX):
            cached = await self._list_caches()
            now = self._stored()
            self._story.stored = {token: kv.mod_revision for token, kv in now.items()}
            self._story.copies = [
                Copy(f"the API server's cache of {kind.resource_name}", cached.get(kind, {}), _true(kind, now))
                for kind in kinds.STORED
            ]
            self._story.copies += self._copies()
            if all(copy.held == copy.true for copy in self._story.copies):
                return
            await asyncio.sleep(POLL_SECONDS / 4)

    async def _list_caches(self) -> dict[Kind, dict[str, str]]:
        cached: dict[Kind, dict[str, str]] = {}
        host = self._world.host(WORKSTATION)
        await self._world.spawn(host, "auditor", lambda process: _list_everything(process, cached)).wait()
        return cached

    def _copies(self) -> list[Copy]:
        now = self._stored()
        return [_copy(informer, now) for informer in self._informers if informer._process.is_alive]

    def _stored(self) -> dict[str, KeyValue]:
        found = self._store.range(b"/registry/", b"/registry0").kvs
        return {registry_token(kv.key.decode()): kv for kv in found}


async def _list_everything(process: Process, cached: dict[Kind, dict[str, str]]) -> None:
    client = Client.from_kubeconfig(process, "/root/.kube/config", user_agent="auditor")
    for kind in kinds.STORED:
        listed = await client.list(kind, resourceVersion="0")
        cached[kind] = {_token(kind, item): item["metadata"]["resourceVersion"] for item in listed["items"]}
    await client.aclose()


def _token(kind: Kind, obj: dict[str, Any]) -> str:
    metadata = obj["metadata"]
    return f"{kind.plural}/{metadata.get('namespace', '')}/{metadata['name']}"


def _true(kind: Kind, now: dict[str, KeyValue], scope: Scope | None = None) -> dict[str, str]:
    return {
        token: str(kv.mod_revision)
        for token, kv in now.items()
        if token.startswith(f"{kind.plural}/") and (scope is None or scope.takes(_decoded(kv)))
    }


def _copy(informer: Informer, now: dict[str, KeyValue]) -> Copy:
    selectors = informer._selectors
    labels, fields = selectors["labelSelector"] or "", selectors["fieldSelector"] or ""
    scope = Scope(informer.kind, informer._namespace or "", labels, fields)
    held = {_token(informer.kind, item): item["metadata"]["resourceVersion"] for item in informer.items()}
    return Copy(f"{informer._process.id}'s {' '.join(filter(None, scope.key))}", held, _true(informer.kind, now, scope))
