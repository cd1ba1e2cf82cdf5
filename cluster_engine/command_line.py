"""`python -m cluster_engine up`: one cluster, without a web page, as a test control plane or a toy.

When it is ready it prints one line of JSON (`gateway`, `kubeconfig`, `seconds`, `cpuSeconds`) and runs until Ctrl-C or
SIGTERM. When the cluster's time falls behind its pace, is level again, or leaves something out, it says so on standard
error, one line each (`world/timekeeping.py`). The other subcommand, `shell`, is `console.py`'s.
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

from cluster_engine import console
from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.collecting import collect_seldom
from cluster_engine.export import lines_into
from cluster_engine.words.languages import ORIGIN, languages
from cluster_engine.world.clock import Clock, Machine
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.timekeeping import Timekeeping
from cluster_engine.world.work import REAL_EFFORT


def main(arguments: list[str] | None = None, machine: Machine | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    collect_seldom()
    try:
        return console.main(options) if options.command == "shell" else _run(options, machine)
    except (ValueError, OSError) as error:
        _complain(str(error))
        return 1


def _run(options: argparse.Namespace, machine: Machine | None) -> int:
    clock = Clock(machine=machine)
    clock.outside_may_speak = True
    loop = ClusterLoop(clock)
    try:
        return loop.run_until_complete(_up(options, loop))
    finally:
        loop.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster_engine", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run one cluster until interrupted")
    up.add_argument("--nodes", type=int, default=2, help="worker nodes (default 2)")
    up.add_argument("--seed", type=int, default=1, help="decides all chance but keys (default 1)")
    up.add_argument("--pace", type=float, default=1.0, help="virtual seconds in a real one (default 1)")
    effort = "how long programs compute: 1 as real ones (default), 0 not at all"
    up.add_argument("--effort", type=float, default=REAL_EFFORT, help=effort)
    up.add_argument("--gateway", type=_address, default=("127.0.0.1", 6443), help="default 127.0.0.1:6443")
    console.add_options_of_clusters(up)
    up.add_argument("--kubeconfig", type=Path, help="where to write the kubeconfig (default: a temporary file)")
    up.add_argument("--journal", type=Path, help="write every message that crosses a wire to this file, as JSON lines")
    up.add_argument("--language", choices=list(languages()), default=ORIGIN, help="of their sentences (default en)")
    console.add_arguments(commands.add_parser("shell", help="type commands on a host of a cluster of your own"))
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host or "127.0.0.1", int(port)


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
        capture=options.journal is not None,
    )
    with contextlib.ExitStack() as files:
        directory = files.enter_context(tempfile.TemporaryDirectory(prefix="glassplane-"))
        cluster = Cluster(spec, loop)
        if cluster.journal is not None:
            file = files.enter_context(options.journal.open("wb", buffering=0))
            cluster.journal.subscribe(lines_into(file, options.language))
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
