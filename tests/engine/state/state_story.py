"""A recorded story with faults, and what etcd really held at some positions of its journal."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from copied_clusters import living
from engine_workstation import Workstation, spec_of

from cluster_engine.state import State


@dataclass
class Recording:
    """A journal that stays open as long as its cluster does, and what etcd held at positions (`held`)."""

    journal: Any
    epoch: Any
    held: dict[int, dict[str, Any]] = field(default_factory=dict)

    def entries(self):
        return self.journal.since(0, 1_000_000)

    def state(self):
        return State(self.journal, self.epoch)

    def ask(self, view, at=2**53, of=None, **args):
        state = of or self.state()
        for _ in state.reading(view, at):
            pass
        return state.answer(view, at, args)


class Teller(Workstation):
    """Types lines, breaks things, and looks into etcd."""

    def __init__(self, cluster):
        super().__init__(cluster)
        self.recording = Recording(cluster.journal, cluster.world.epoch)

    def look(self):
        """Note what etcd holds now."""
        held = {
            f"{kind}/{one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one
            for kind in ("pods", "deployments", "replicasets", "configmaps", "nodes", "services", "leases", "events")
            for one in self.cluster.stored(kind)
        }
        self.recording.held[self.recording.journal.head] = held


@contextlib.contextmanager
def recorded(story, **spec):
    """Keep a cluster standing after `story(teller)`; yield its recording."""

    async def told(cluster):
        teller = Teller(cluster)
        await story(teller)
        return teller.recording

    with living(spec_of(**{"nodes": 2, "capture": True, **spec})) as tell:
        yield tell(told)


async def with_faults(tell):
    """Deploy, scale, break off, take etcd back, and go on."""
    await tell.ok("kubectl create configmap old --from-literal=a=b")
    tell.look()
    revision = tell.cluster.revision
    await tell.ok("kubectl create deployment web --image=nginx --replicas=3")
    await tell.ok("kubectl rollout status deployment web")
    await tell.ok("kubectl expose deployment web --port=80")
    await asyncio.sleep(3.0)
    tell.look()
    cut = tell.cluster.fail("partition", target="worker-1")
    await tell.ok("kubectl scale deployment web --replicas=1")
    await asyncio.sleep(60.0)
    tell.look()
    await tell.cluster.heal(cut)
    await asyncio.sleep(20.0)
    await tell.ok("kubectl delete configmap old")
    await tell.ok("kubectl create configmap old --from-literal=a=c")
    await asyncio.sleep(5.0)
    tell.look()
    tell.cluster.fail("etcd-restored", revisions=tell.cluster.revision - revision)
    await asyncio.sleep(5.0)
    tell.cluster.fail("restart", target="control-plane/kube-apiserver")
    await asyncio.sleep(30.0)
    await tell.ok("kubectl create configmap new --from-literal=a=b")
    tell.look()
