"""`python -m cluster_engine up`: one cluster, without a web page, as a test control plane or a toy.

When it is ready it prints one line of JSON (`gateway`, `kubeconfig`, `seconds`, `cpuSeconds`) and runs until Ctrl-C or
SIGTERM. When the cluster's time falls behind its pace, is level again, or leaves something out, it says so on standard
error, one line each (`world/timekeeping.py`). The others are `console.py`'s (`shell`), `looking.py`'s (`open`).
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.collecting import collect_seldom
from cluster_engine.export.files import Files
from cluster_engine.options import keeps, read
from cluster_engine.world.clock import Clock, Machine
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.timekeeping import Timekeeping


def main(arguments: list[str] | None = None, machine: Machine | None = None) -> int:
    """Run the command line; give the exit code."""
    options = read(arguments)
    collect_seldom()
    try:
        match options.command:
            case "shell":
                return _shell(options)
            case "open":
                return _open(options)
        return _run(options, machine)
    except (ValueError, OSError) as error:
        _complain(str(error))
        return 1


def _shell(options: argparse.Namespace) -> int:
    from cluster_engine import console  # here, so that `up` starts without the shell and what reads its lines

    return console.main(options)


def _open(options: argparse.Namespace) -> int:
    from cluster_engine import looking  # here, for the same reason

    return looking.main(options)


def _run(options: argparse.Namespace, machine: Machine | None) -> int:
    clock = Clock(machine=machine)
    clock.outside_may_speak = True
    loop = ClusterLoop(clock)
    try:
        return loop.run_until_complete(_up(options, loop))
    finally:
        loop.close()


async def _up(options: argparse.Namespace, loop: ClusterLoop) -> int:
    began = time.monotonic()
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    spec = ClusterSpec(
        nodes=options.nodes,
        seed=options.seed,
        pace=options.pace,
        effort=options.effort,
        system_pods=options.system_pods,
        etcd_members=options.etcd_members,
        audit=options.audit,
        key_lab=options.key_lab,
        api_server_flags=tuple(options.api_server_flag),
        capture=keeps(options),
    )
    with contextlib.ExitStack() as files:
        written = files.enter_context(Files(options.journal, options.pcapng, options.html, options.language))
        directory = files.enter_context(tempfile.TemporaryDirectory(prefix="glassplane-"))
        cluster = Cluster(spec, loop)
        written.begin(cluster.journal, cluster.world.epoch, cluster.cast.describe())
        async with cluster:
            host, port = await cluster.open_gateway(*options.gateway)
            for own, to in options.forward:
                await cluster.open_gateway(port=own, to=to)
            path = options.kubeconfig or Path(directory) / "kubeconfig"
            _write_private(path, await cluster.kubeconfig())
            seconds, cpu = time.monotonic() - began, time.process_time()
            _say(gateway=f"{host}:{port}", kubeconfig=str(path), seconds=round(seconds, 3), cpuSeconds=round(cpu, 3))
            loop.clock.before_waiting.append(Timekeeping(loop.clock, _complain))
            ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(interrupted.wait()), cluster.world.failed]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if cluster.world.failed.done():
                await cluster.world.failed
    return 0


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _complain(sentence: str) -> None:
    print(f"glassplane: {sentence}", file=sys.stderr, flush=True)


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)
