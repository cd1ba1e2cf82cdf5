"""One lesson, or a run on bad links, played; its export as pcapng, keys inside, read by tshark, against its journal.

`connections` says whose each frame is, so that nobody has to guess it from addresses and ports, which are used again.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.export.pcapng import Recording, frames
from cluster_engine.export.selection import Context, Packet
from cluster_engine.faults import links
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from tests.captures.facts import Fact, differences
from tests.captures.journal_facts import journal_facts
from tests.captures.tshark_facts import read, tshark_facts
from visualizer.lessons import library
from visualizer.lessons.check_play import Trial, play_as_meant

BAD_LINKS = "bad-links"
"""The run that is no lesson: segments are lost, late and repeated; connections are reset and half open."""
FAULTS = (
    (links.BadLink(target="worker-1", lost=0.1, late=0.1, repeated=0.1), "kubectl create deployment web --image=nginx"),
    (links.HalfOpen(target="control-plane", peer="worker-2"), "kubectl scale deployment web --replicas=4"),
    (links.Reset(target="control-plane", peer="worker-1", which="all"), "kubectl get pods -A -o wide"),
    (links.Partition(target="worker-2", direction="out"), "kubectl delete pod --all --wait=false"),
    (links.Loss(target="worker-2", lost=0.3), "kubectl get nodes"),
)


SECONDS_BETWEEN = 20.0


@dataclass(slots=True)
class Run:
    """A run until its cluster has ended: all entries, what tshark has read, what went wrong in playing."""

    path: str
    frames: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def problems(self) -> list[str]:
        """Return what went wrong, and what differs."""
        return [*self.errors, *differences(self.facts, journal_facts(self.entries))]

    def __str__(self) -> str:
        return f"{self.path:<50} {self.frames:6} frames {len(self.facts):6} facts {self.seconds:6.2f} s of CPU"


def run(path: str, folder: Path) -> Run:
    """Play a lesson as it ought to go, or the run on bad links; `folder` gets its capture, which tshark reads."""
    began = time.process_time()
    done = Run(path)
    connections: list[tuple[int, bool]] = []
    capture = folder / f"{path.rpartition('/')[2]}.pcapng"

    def hear(packet: Packet) -> None:
        whose = packet.connection.number, packet.segment.from_client
        connections.extend(whose for _ in frames(packet.segment, packet.connection))

    with capture.open("wb") as file:

        def listen(cluster: Cluster) -> None:
            assert cluster.journal is not None
            cluster.journal.subscribe(done.entries.append)
            Recording(cluster.journal, file, Context()).each(hear)

        if path == BAD_LINKS:
            _play_on_bad_links(listen)
        else:
            trial = Trial(library.read(path), before=listen)
            play_as_meant(trial)
            done.errors = [str(error) for error in trial.errors]
    done.frames = len(connections)
    done.facts = tshark_facts(read(capture), connections)
    done.seconds = time.process_time() - began
    return done


def _play_on_bad_links(listen: Callable[[Cluster], None]) -> None:
    loop = ClusterLoop(Clock())

    async def live() -> None:
        cluster = Cluster(ClusterSpec(nodes=2, pace=None, seed=7), loop)
        listen(cluster)
        async with cluster:
            for fault, line in FAULTS:
                cluster.inject(fault)
                await cluster.command(line, lambda *_: None)
                await asyncio.sleep(SECONDS_BETWEEN)
            await cluster.heal_all()
            await asyncio.sleep(SECONDS_BETWEEN)

    try:
        loop.run_until_complete(live())
    finally:
        loop.close()
