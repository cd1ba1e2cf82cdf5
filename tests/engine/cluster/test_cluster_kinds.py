"""A kind that is built in needs its description and one line in the registry; everything else reads it there."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# What the registry's one line does, done before anybody else has read the registry.
WITH_ONE_KIND_MORE = """
import sys
sys.path[:0] = [{tests!r}]
from cluster_engine.api import kinds
from widgets import WIDGET
kinds.BUILT_IN = kinds.BUILT_IN.with_kind(WIDGET)

import asyncio, json
from recent import EPOCH
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.lens.kubernetes import parse, singular
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop

async def story():
    spec = ClusterSpec(pace=None, epoch=EPOCH)
    async with Cluster(spec, loop) as cluster:
        printed = []
        for line in {lines!r}:
            await cluster.command(line, lambda _, text: printed.append(text))
        await asyncio.sleep(10)
        everywhere = parse("GET", WIDGET.path()).everywhere
        print(json.dumps([printed, singular("widgets"), everywhere, cluster.stored("widgets")]))

loop = ClusterLoop(Clock(None))
loop.run_until_complete(story())
"""
MANIFEST = '{"apiVersion": "toys.example/v2alpha1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}}'


def test_a_kind_is_built_in_by_one_line():
    lines = (
        "kubectl create namespace shop",
        f"echo '{MANIFEST}' > w.yaml",
        "kubectl apply -f w.yaml",
        "kubectl get widgets -A --no-headers",
        "kubectl delete namespace shop",
    )
    script = WITH_ONE_KIND_MORE.format(tests=str(ROOT / "tests"), lines=lines)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    printed, *facts = json.loads(done.stdout)
    assert printed == [
        "namespace/shop created\n",
        "widget.toys.example/w created\n",
        "shop   w     3     0s\n",
        'namespace "shop" deleted\n',
    ]
    assert facts == ["widget", True, []]
