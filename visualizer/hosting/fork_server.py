"""The fork server: a process that has everything imported, and forks one process for each cluster.

As Android's zygote and multiprocessing's forkserver do. What it has loaded, and made by running one cluster to its end,
lies in memory that all its children share until they write to it; set aside (`collect_seldom`), it is not written to by
Python's collector.
It has one thread and no event loop: `fork` copies only the thread that calls it, and whatever lock another holds stays
locked in the child for ever. It knows no cluster: a child is given its sockets and learns from its worker what to run.

    worker → server    one line of JSON: {"fork": true} with three descriptors (the link, the black box, the trace),
                       {"signal": [pid, number]}
    server → worker    {"ready": true}, then {"forked": pid} for each fork, in order; {"exited": [pid, code]}

At the end of the control socket it exits, and its children with it (`process_limits.py`).

    python -m visualizer.hosting.fork_server --control 5 --engine cluster_engine.thread:ClusterThread
"""

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from cluster_engine.collecting import collect_seldom
from visualizer.hosting import process_limits, process_link
from visualizer.hosting.black_box import BlackBox
from visualizer.hosting.cluster_main import serve
from visualizer.hosting.engines import load_engine, warm
from visualizer.hosting.hosted_cluster import Engine

logger = logging.getLogger(__name__)

LINE_BYTES_MAX = 4096
BROKE = 70
TRACE_SIGNAL = signal.SIGUSR1


class ForkServer:
    """Serves one worker, over one socket, until it is closed."""

    def __init__(self, control: socket.socket, engine: Engine, memory_bytes_max: int) -> None:
        self._control = control
        self._engine = engine
        self._memory_bytes_max = memory_bytes_max
        self._children: set[int] = set()
        self._woken, self._wake = socket.socketpair()  # written to when a child has ended
        self._woken.setblocking(False)
        self._wake.setblocking(False)

    def run(self) -> None:
        """Fork whenever asked to, and tell who has ended."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._tell({"ready": True})
        while True:
            ready, _, _ = select.select([self._control, self._woken], [], [])
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
                self._reap()
            if self._control in ready and not self._serve():
                return

    def _serve(self) -> bool:
        """Do what the worker says next; False at the end."""
        lines, descriptors, _, _ = socket.recv_fds(self._control, LINE_BYTES_MAX, 3)
        for line in lines.splitlines():  # signals may come together; one fork at a time is asked for
            match json.loads(line):
                case {"fork": True}:
                    self._fork(*descriptors)
                case {"signal": [int(pid), int(number)]} if pid in self._children:
                    os.kill(pid, number)
        return bool(lines)

    def _fork(self, link: int, box: int, trace: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(link, box, trace)
        self._children.add(pid)
        for descriptor in (link, box, trace):
            os.close(descriptor)
        self._tell({"forked": pid})

    def _become(self, link: int, box: int, trace: int) -> NoReturn:
        """Be the process of a cluster, from here to its end."""
        code = BROKE
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for mine in (self._control, self._woken, self._wake):
                mine.close()
            process_limits.apply(self._memory_bytes_max)
            faulthandler.enable(trace)
            faulthandler.register(TRACE_SIGNAL, trace)
            asyncio.run(_serve_link(link, self._engine, BlackBox(box)))
            code = 0
        except BaseException:
            logger.exception("the process of a cluster broke")
        finally:
            logging.shutdown()
            os._exit(code)  # what the parent has registered for its own end is not ours to do

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._children.discard(pid)
            self._tell({"exited": [pid, os.waitstatus_to_exitcode(status)]})

    def _tell(self, said: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the worker is gone: the next read says so
            self._control.sendall(json.dumps(said).encode() + b"\n")


async def _serve_link(link: int, engine: Engine, box: BlackBox) -> None:
    await serve(await process_link.ends(socket.socket(fileno=link)), engine, box)


def main() -> None:
    """Load the engine, warm it, and serve the worker at the other end of the socket."""
    parser = argparse.ArgumentParser(prog="python -m visualizer.hosting.fork_server")
    parser.add_argument("--control", type=int, required=True, metavar="FD")
    parser.add_argument("--engine", required=True, metavar="MODULE:CLASS")
    parser.add_argument("--memory-bytes-max", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the server's
    engine = load_engine(options.engine)
    warm(options.engine)
    gc.collect()
    collect_seldom()
    ForkServer(socket.socket(fileno=options.control), engine, options.memory_bytes_max).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s cluster %(process)d: %(message)s", stream=sys.stderr)
    logging.getLogger("grpclib").setLevel(logging.WARNING)  # calls that are cut off are a cluster's story
    main()
