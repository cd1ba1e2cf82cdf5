"""What the lens costs: the tap's calls of a real story are recorded, then replayed into a fresh lens."""

import time
from collections.abc import Callable
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from tests.bench.figures import in_cluster

Calls = list[tuple[str, tuple[Any, ...]]]


class Recorder:
    """A tap that passes everything on to the lens and keeps it."""

    def __init__(self, lens: Any, calls: Calls) -> None:
        self.connection = self._recorded("connection", lens.connection, calls)
        self.accepted = self._recorded("accepted", lens.accepted, calls)
        self.segment = self._recorded("segment", lens.segment, calls)
        self.secret = self._recorded("secret", lens.secret, calls)
        self.note = self._recorded("note", lens.note, calls)

    @staticmethod
    def _recorded(name: str, pass_on: Callable[..., None], calls: Calls) -> Callable[..., None]:
        def record(*told: Any) -> None:
            calls.append((name, told))
            pass_on(*told)

        return record


async def _deployment(cluster: Cluster) -> None:
    await cluster.command("kubectl create deployment web --image=nginx --replicas=3", lambda *_: None)
    await cluster.command("kubectl rollout status deployment/web", lambda *_: None)


def cost_of_an_entry() -> float:
    """Give the CPU seconds an entry costs, over a start and a deployment."""
    calls: Calls = []

    def recorded(*arguments: Any) -> Cluster:
        cluster = Cluster(*arguments)
        network = cluster.world.network
        network.tap = Recorder(network.tap, calls)
        return cluster

    in_cluster(_deployment, make=recorded)
    journal = Journal()
    lens: Any = Lens(journal)
    before = time.process_time()
    for name, told in calls:
        getattr(lens, name)(*told)
    return (time.process_time() - before) / max(journal.head, 1)
