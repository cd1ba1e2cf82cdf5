"""One cluster's story, with its journal, and what a second listener has heard of it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.export.formats import FORMATS
from cluster_engine.export.selection import Context, Selection
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

EPOCH_NS = 1_700_000_000_123_456_000


@dataclass
class Heard:
    """A tap that passes everything on, and keeps what it has heard."""

    tap: Any
    segments: list[Any] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def segment(self, segment):
        self.segments.append(segment)
        self.tap.segment(segment)

    def secret(self, line):
        self.secrets.append(line)
        self.tap.secret(line)

    def __getattr__(self, name):
        return getattr(self.tap, name)


@dataclass
class Told:
    """A journal that stays open as long as its cluster does, which stands still."""

    journal: Any
    heard: Heard

    def export(self, form: str, **chosen) -> bytes:
        return b"".join(FORMATS[form](self.journal, Selection(**chosen), Context(EPOCH_NS)))

    def entries(self):
        return self.journal.since(0, 1_000_000)

    def one(self, kind: str, **fields):
        return next(
            entry
            for entry in self.entries()
            if entry["kind"] == kind and fields.items() <= {**entry, **entry["fields"]}.items()
        )


@pytest.fixture(scope="module")
def told():
    loop = ClusterLoop(Clock())
    ready, over = loop.create_future(), loop.create_future()

    async def live():
        cluster = Cluster(ClusterSpec(nodes=1, pace=None, audit=True), loop)
        heard = cluster.world.network.tap = Heard(cluster.world.network.tap)
        async with cluster:
            assert await cluster.command("kubectl create deployment web --image=nginx", lambda *_: None) == 0
            assert await cluster.command("kubectl rollout status deployment web", lambda *_: None) == 0
            assert await cluster.command("kubectl get nope", lambda *_: None) == 1
            ready.set_result(Told(cluster.journal, heard))
            await over

    async def until_ready():
        await asyncio.wait([ready, living], return_when=asyncio.FIRST_COMPLETED)
        return ready.result() if ready.done() else living.result()

    living = loop.create_task(live())
    yield loop.run_until_complete(until_ready())
    over.set_result(None)
    loop.run_until_complete(living)
    loop.close()
