"""Which engine runs clusters: the real one, or, in tests of the hosting tier, one that only pretends."""

import importlib
from datetime import datetime
from typing import Any

from visualizer.hosting.hosted_cluster import Engine
from visualizer.lessons import cluster_options

REAL = "cluster_engine.thread:ClusterThread"
WARMING = (
    "kubectl create deployment web --image=nginx --replicas=2",
    "kubectl get pods -o wide | grep web",
    "kubectl describe deployment web",
    "kubectl scale deployment web --replicas=1",
    "kubectl delete deployment web",
)
"""What people do first; what this loads and makes is shared by all clusters."""


def load_engine(name: str) -> Engine:
    """Import `module:Class`, which has a `ClusterSpec` beside it, and make it an `Engine`."""
    module_name, class_name = name.split(":")
    module = importlib.import_module(module_name)
    made, spec = getattr(module, class_name), module.ClusterSpec

    def engine(
        *,
        nodes: int,
        seed: int,
        pace: float | None,
        epoch: datetime | None,
        gateway_names: tuple[str, ...],
        effort: float,
        secret: bytes,
        **others: Any,
    ) -> Any:
        options = {name: others.pop(name) for name in cluster_options.DEFAULTS}
        what = spec(
            nodes=nodes,
            seed=seed,
            pace=pace,
            epoch=epoch,
            gateway_names=gateway_names,
            effort=effort,
            secret=secret,
            **options,
        )
        return made(what, **others)

    return engine


def warm(name: str) -> None:
    """Run one cluster of the real engine to its end, so that what is made once is made before the first fork."""
    if name != REAL:
        return
    import httpcore
    import wsproto

    from cluster_engine.coredns import main as coredns
    from cluster_engine.faults import table as faults
    from cluster_engine.programs.kubectl.commands import COMMANDS
    from cluster_engine.programs.table import PROGRAMS
    from cluster_engine.thread import ClusterSpec, ClusterThread
    from cluster_engine.world.work import REAL_EFFORT
    from visualizer.lessons import library, player

    assert all((library, player, coredns, faults, httpcore, wsproto))  # imported for those who come after
    for program in PROGRAMS.values():
        program.load()
    assert all(map(callable, (command.run for command in COMMANDS.values())))  # their modules are loaded by that
    thread = ClusterThread(ClusterSpec(nodes=2, pace=None, effort=REAL_EFFORT))
    try:
        thread.start().result()
        for line in WARMING:
            thread.command(line, lambda stream, text: None).result()
    finally:
        thread.stop().result()
        thread.join()
