"""Play a plan in a cluster of its own, in leaping time, and give the story that it left behind."""

import asyncio
import contextlib
import functools
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cluster_engine.api.schema import Kind
from cluster_engine.cast import WORKSTATION, cast
from cluster_engine.client import Informer
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.controllers.daemon_set import FAILED_POD_SECONDS_MAX
from cluster_engine.export.jsonl import lines_into
from cluster_engine.faults import FaultError
from cluster_engine.lens.opening import open_entry
from cluster_engine.predicates import Lookout
from cluster_engine.predicates import read as read_predicate
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.supervisor import Program
from tests.recent import EPOCH
from tests.simulate import observe as seen
from tests.simulate.clients import CLIENTS
from tests.simulate.gateway import use_gateway
from tests.simulate.manifests import BEYOND, CRON_JOBS, FILES, PROBED
from tests.simulate.objects import orphans
from tests.simulate.pauses import Pauses
from tests.simulate.plan import Moment, Plan, Typed
from tests.simulate.story import Copy, Story
from tests.simulate.traffic import listen
from tests.simulate.wishes import Snapshot, lacking

CALM_SECONDS = 15.0
REST_SECONDS_MAX = 240.0
EASE_SECONDS_MAX = 340.0
"""Until a node that was short of something says so no more: five minutes, and until it has looked and told."""
PRESSED_REST_SECONDS_MAX = FAILED_POD_SECONDS_MAX
"""A DaemonSet's pod that was not admitted is made anew after a wait that has doubled meanwhile."""
POLL_SECONDS = 2.0
STABLE_SECONDS = 6.0
INTERRUPT_SECONDS = 5.0
NOTICED_SECONDS = 10.0
TRIES_MAX = 60
LOOKS_MAX = 3
TAINT = "dedicated"
UNDONE = (BEYOND, "crasher", "cronjob", *CRON_JOBS, "rm /tmp/ready", f"{TAINT}=", "cordon ", "drain ")
STANDBYS = tuple(
    Program(
        "control-plane",
        f"{name}-standby",
        functools.partial(cast(1).component(f"control-plane/{name}").program.load(), secure_port=0),
    )
    for name in ("kube-controller-manager", "kube-scheduler")
)
FOLLOWERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


def play(plan: Plan, epoch: datetime = EPOCH, export: BinaryIO | None = None, *, pauses: Pauses | None = None) -> Story:
    """Play it from `epoch` on; whatever goes wrong in the world is in the story's `failure`."""
    loop = ClusterLoop(Clock())
    story = Story(epoch=epoch)
    try:
        loop.run_until_complete(_tell(plan, story, loop, export, pauses))
    except Exception as failure:
        story.failure = failure
    finally:
        loop.wind_up()
    return story


async def _tell(plan: Plan, story: Story, loop: ClusterLoop, export: BinaryIO | None, pauses: Pauses | None) -> None:
    spec = ClusterSpec(
        nodes=plan.nodes,
        seed=plan.seed,
        etcd_members=plan.etcd_members,
        pace=None,
        epoch=story.epoch,
        effort=plan.effort,
        system_pods=plan.system_pods,
    )
    cluster = Cluster(spec, loop)
    assert cluster.journal is not None
    cluster.world.is_strict = True
    if export is not None:
        cluster.journal.subscribe(lines_into(export))
    look_away = cluster.journal.subscribe(lambda entry: seen.observe(entry, cluster, story))
    with seen.running_informers() as informers, seen.recorded_stores(story, loop, plan.etcd_members):
        async with cluster:
            if pauses is not None:
                pauses.begin(cluster)
            outcome = asyncio.ensure_future(_Stage(cluster, plan, story, informers).run())
            await asyncio.wait([outcome, cluster.world.failed], return_when=asyncio.FIRST_COMPLETED)
            look_away()
            story.said = listen(story.entries, functools.partial(open_entry, cluster.journal))
            story.seconds = loop.time()
            if outcome.done():
                await outcome
            else:
                story.failure = cluster.world.failed.exception()
                outcome.cancel()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The moments that have not come."""

    lookout: Lookout
    names: list[str]

    def forget_all(self) -> None:
        """Let none of them come."""
        for name in self.names:
            self.lookout.forget(name)


class _Stage:
    """One plan being played."""

    def __init__(self, cluster: Cluster, plan: Plan, story: Story, informers: dict[Informer, None]) -> None:
        self._cluster, self._plan, self._story, self._informers = cluster, plan, story, informers
        self._world = cluster.world

    async def run(self) -> None:
        """Play, heal, wait for rest, look."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._prepare()
        if any(fault.name == "bootstrap-token-expired" for fault in self._plan.faults):
            await self._insist("ssh control-plane kubeadm token create")
        waiting = self._look_out()
        doing = self._begin(loop)
        await asyncio.sleep(began + self._plan.seconds - loop.time())
        waiting.forget_all()
        await self._cluster.heal_all()
        if self._story.began_anew:
            await self._restart_followers()
            if self._plan.system_pods:  # they remember too
                await self._insist("kubectl -n kube-system delete pods -l k8s-app=kube-dns --wait=false")
        await self._break_off(doing)
        await self._put_in_order()
        self._story.calm_at = loop.time() + CALM_SECONDS
        await self._rest()
        if self._plan.gateway:
            await use_gateway(self._cluster)
        await self._end(doing)
        self._story.lacking = lacking(self._snapshot())
        await self._look()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[None]]:
        """Let the plan happen: give what is being done."""
        for fault in self._plan.faults:
            self._cluster.inject(fault)
        doing = [loop.create_task(self._type(typed), name=typed.line) for typed in self._plan.typed]
        doing += [loop.create_task(self._use(at, name)) for at, name in self._plan.clients]
        losses = [fault for fault in self._plan.faults if fault.name == "etcd-disk-lost"]
        return doing + [loop.create_task(self._notice(fault.start)) for fault in losses]

    def _look_out(self) -> "_Waiting":
        """Wait for the plan's moments from now on."""
        assert self._cluster.journal is not None
        waiting = _Waiting(Lookout(self._cluster), [f"moment {n}" for n, _ in enumerate(self._plan.moments)])
        for name, moment in zip(waiting.names, self._plan.moments, strict=True):
            happens = functools.partial(self._happens, moment)
            waiting.lookout.watch(name, read_predicate(moment.when), happens, since=self._cluster.journal.head)
        return waiting

    def _prepare(self) -> None:
        for path, data in FILES.items():
            self._world.host(WORKSTATION).files.write(path, data)
        if self._plan.standby:
            assert self._cluster._group is not None
            for program in STANDBYS:
                self._cluster.supervisor.start(program, self._cluster._group)
        self._story.components = tuple(self._cluster.supervisor.programs)

    def _happens(self, moment: Moment, _: object) -> None:
        with contextlib.suppress(FaultError):  # what it claims is broken already
            self._cluster.inject(moment.record, sealed=moment.sealed)

    async def _type(self, typed: Typed) -> None:
        await asyncio.sleep(typed.at)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(typed.seconds):
                await self._cluster.command(typed.line, lambda _, __: None)

    async def _use(self, at: float, name: str) -> None:
        await asyncio.sleep(at)
        await self._world.spawn(self._world.host(WORKSTATION), name, CLIENTS[name]).wait()

    async def _end(self, doing: list[asyncio.Task[None]]) -> None:
        for process in list(self._world.host(WORKSTATION).processes.values()):
            if process.name in CLIENTS:
                process.kill()
        for task in doing:
            task.cancel()
        await asyncio.wait(doing)
        await asyncio.sleep(INTERRUPT_SECONDS)
        for task in doing:
            if not task.cancelled():
                task.result()

    async def _notice(self, lost_at: float) -> None:
        await asyncio.sleep(lost_at + NOTICED_SECONDS)
        await self._restart_followers()

    # -- putting right -------------------------------------------------------------------------------------------------

    async def _restart_followers(self) -> None:
        """Do what an administrator does after etcd came back empty: restart what remembers, the API server first."""
        for program in FOLLOWERS:
            running = [
                one.id
                for one in self._cluster.supervisor.programs.values()
                if one.name.removesuffix("-standby") == program
            ]
            await asyncio.gather(*(self._cluster.supervisor.restart(one, "administrator") for one in running))
            await asyncio.sleep(POLL_SECONDS)

    async def _break_off(self, doing: list[asyncio.Task[None]]) -> None:
        """End lines that still try to do what is now to be undone."""
        late = [task for task in doing if any(word in task.get_name() for word in UNDONE)]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _put_in_order(self) -> None:
        """Undo what people did that would keep desired and actual apart for ever."""
        for worker in self._cluster.workers:
            await self._insist(f"kubectl uncordon {worker.name}")
        for node in self._cluster.objects("/registry/minions/"):
            if any(taint["key"] == TAINT for taint in node["spec"].get("taints") or ()):
                await self._insist(f"kubectl taint node {node['metadata']['name']} {TAINT}-")
        await self._insist(f"kubectl delete deployment {BEYOND} --ignore-not-found")
        await self._insist(f"kubectl delete cronjob {' '.join(CRON_JOBS)} --ignore-not-found")
        await self._insist("kubectl delete pod crasher --ignore-not-found --wait=false")
        await self._insist(f"kubectl delete pods -l app={PROBED} --wait=false")

    async def _insist(self, line: str) -> None:
        for _ in range(TRIES_MAX):
            if await self._cluster.command(line, lambda _, __: None) == 0:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _rest(self) -> None:
        """Wait until nothing is lacking, and has not been for a while."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline = began + REST_SECONDS_MAX
        since = None
        while loop.time() < deadline:
            if any(seen.shortages(self._cluster)):
                deadline = max(deadline, min(loop.time(), began + EASE_SECONDS_MAX) + PRESSED_REST_SECONDS_MAX)
            if not self._is_as_wanted():
                since = None
            elif since is None:
                since = loop.time()
            if since is not None and loop.time() >= max(since + STABLE_SECONDS, self._story.calm_at):
                return
            await asyncio.sleep(POLL_SECONDS)

    def _is_as_wanted(self) -> bool:
        if lacking(self._snapshot()) or any(orphans(self._story.history)):
            return False
        return all(copy.held == copy.true for copy in self._copies())

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Compare every copy with etcd; again when one differs, for news may just be under way."""
        for _ in range(LOOKS_MAX):
            cached: dict[Kind, dict[str, str]] = {}
            host = self._world.host(WORKSTATION)
            auditor = functools.partial(seen.list_everything, cached=cached)
            await self._world.spawn(host, "auditor", auditor).wait()
            now = seen.stored(self._cluster._store())
            self._story.stored = {token: kv.mod_revision for token, kv in now.items()}
            self._story.copies = seen.cache_copies(cached, now) + self._copies()
            if all(copy.held == copy.true for copy in self._story.copies):
                return
            await asyncio.sleep(POLL_SECONDS / 4)

    @property
    def _unjudged(self) -> str:
        """The component that nobody can expect to work any more.

        With etcd's disk went kube-proxy's account and its DaemonSet: a token that is shown still is refused, and the
        DaemonSet's pods are gone, until kubeadm makes its addon anew.
        """
        return "kube-proxy" if self._story.began_anew else ""

    def _snapshot(self) -> Snapshot:
        snapshot = seen.snapshot(self._cluster)
        return snapshot.without(self._unjudged) if self._unjudged else snapshot

    def _copies(self) -> list[Copy]:
        now = seen.stored(self._cluster._store())
        judged = {one: None for one in self._informers if one._process.name != self._unjudged}
        return seen.informer_copies(judged, now)
