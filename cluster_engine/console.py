"""`python -m cluster_engine shell`: the shell of a cluster's hosts from a real terminal, in a cluster of its own.

With `-c LINE` the line is run and the program ends with its exit code; the cluster leaps, so that waiting costs no
time, and what is piped into the program is what the line reads. Without, lines are read from standard input, under a
prompt where that is a terminal; the cluster lives on at its pace while nothing is typed. A line that is not finished
(an open quote, a loop, a here-document) goes on in the next. While a program of a line waits for what is typed, the
next lines of standard input are its own, up to Ctrl-D. Ctrl-C ends what runs, Ctrl-D or `exit` the program.

    $ python -m cluster_engine shell -c 'kubectl get nodes -o name | wc -l'
    2
    $ python -m cluster_engine shell --on worker-1
    worker-1:~$ hostname
    worker-1
"""

import argparse
import asyncio
import contextlib
import functools
import os
import select
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

from cluster_engine.cluster import INTERRUPTED, Cluster, ClusterSpec
from cluster_engine.export.files import Files
from cluster_engine.options import keeps
from cluster_engine.printed import Printed
from cluster_engine.programs.keyboard import Keyboard
from cluster_engine.programs.streams import PIPE_BYTES_MAX
from cluster_engine.programs.window import Window
from cluster_engine.shell import remote
from cluster_engine.shell.budget import TooDeepError
from cluster_engine.shell.syntax import SyntaxFailure, UnfinishedError, parse
from cluster_engine.thread import ClusterThread
from cluster_engine.world.clock import Clock
from cluster_engine.world.loop import ClusterLoop
from cluster_engine.world.work import REAL_EFFORT

TERMINAL = "console"
NO_SUCH_HOST = 2
POLL_SECONDS = 0.05
"""How long, in real seconds, it takes at most to see that a program waits for the real standard input."""


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; return the exit code. ValueError where no cluster can be made so."""
    if options.line is None:
        return _prompt(options)
    clock = Clock()
    clock.outside_may_speak = True
    loop = ClusterLoop(clock)
    try:
        return loop.run_until_complete(_line(options, loop))
    finally:
        loop.close()


def _spec(options: argparse.Namespace, pace: float | None) -> ClusterSpec:
    return ClusterSpec(
        nodes=options.nodes,
        seed=options.seed,
        pace=options.pace or pace,
        capture=keeps(options),
        effort=REAL_EFFORT,
        system_pods=options.system_pods,
        etcd_members=options.etcd_members,
        audit=options.audit,
        key_lab=options.key_lab,
        api_server_flags=tuple(options.api_server_flag),
    )


def _write(stream: str, text: str) -> None:
    output = sys.stdout if stream == "stdout" else sys.stderr
    with contextlib.suppress(BrokenPipeError):
        output.write(text)
        output.flush()


def _machines(cluster: Cluster) -> list[str]:
    return [host.name for host in remote.machines(cluster.world)]


def _no_such_host(name: str, hosts: list[str]) -> int:
    _write("stderr", f"glassplane: no host {name!r} in this cluster: {', '.join(hosts)}\n")
    return NO_SUCH_HOST


# -- one line ----------------------------------------------------------------------------------------------------------


class RealInput:
    """The real standard input as what a program reads: while it waits, the world stands."""

    def __init__(self) -> None:
        self._left = b""

    def unread(self, data: bytes) -> None:
        """See programs.streams.Input."""
        self._left = data

    async def read(self) -> bytes:
        """See programs.streams.Input."""
        if left := self._left:
            self._left = b""
            return left
        while not select.select([sys.stdin], [], [], POLL_SECONDS)[0]:  # noqa: ASYNC110, what comes is not of the world
            await asyncio.sleep(0)
        return os.read(sys.stdin.fileno(), PIPE_BYTES_MAX)


async def _line(options: argparse.Namespace, loop: ClusterLoop) -> int:
    with Files(options.journal, options.pcapng, options.html, options.language) as files:
        return await _line_in(Cluster(_spec(options, None), loop), files, options, loop)


async def _line_in(made: Cluster, files: Files, options: argparse.Namespace, loop: ClusterLoop) -> int:
    printed = Printed(_write)
    files.begin(made.journal, made.world.epoch, made.cast.describe(), lambda: printed.frames)
    async with made as cluster:
        if options.on not in (names := _machines(cluster)):
            return _no_such_host(options.on, names)
        cluster.terminal(TERMINAL, on=options.on)
        running = asyncio.ensure_future(printed.command(cluster, options.line, terminal=TERMINAL, stdin=RealInput()))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        ends: list[asyncio.Future[Any]] = [running, cluster.world.failed]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if cluster.world.failed.done():
            await cluster.world.failed
        return INTERRUPTED if running.cancelled() else running.result()


# -- a prompt ----------------------------------------------------------------------------------------------------------


def _prompt(options: argparse.Namespace) -> int:
    """Read lines until the end, in a cluster that goes on meanwhile."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401, gives `input` a history
    printed = Printed(_write)
    with Files(options.journal, options.pcapng, options.html, options.language) as files:

        def begin(made: Cluster) -> None:
            files.begin(made.journal, made.world.epoch, made.cast.describe(), lambda: printed.frames)

        thread = ClusterThread(_spec(options, 1.0), on_made=begin)
        try:
            thread.start().result()
            for port, to in options.forward:
                thread.gateway(port=port, to=to).result()
            interrupts = Interrupts()
            with interrupts.heard():
                return _lines(thread, options.on, printed, interrupts)
        finally:
            thread.stop().result()


class Interrupts:
    """Ctrl-C: raised where something is read, else noted for whoever waits.

    Raised anywhere, it would end the program where nobody catches it, as while a line is handed to the cluster.
    """

    def __init__(self) -> None:
        self.is_noted = False
        self._is_raised = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Hear it, unless this program was told to ignore it."""
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Raise it: KeyboardInterrupt."""
        self._is_raised = True
        try:
            yield
        finally:
            self._is_raised = False

    def _hear(self, number: int, frame: object) -> None:
        if self._is_raised:
            raise KeyboardInterrupt
        self.is_noted = True


def _lines(thread: ClusterThread, on: str, printed: Printed, interrupts: Interrupts) -> int:
    async def open_terminal(cluster: Cluster) -> list[str]:
        names = _machines(cluster)
        if on in names:
            cluster.terminal(TERMINAL, on=on)
        return names

    async def state(cluster: Cluster) -> tuple[str, bool]:
        terminal = cluster.terminal(TERMINAL)
        return terminal.prompt, terminal.is_closed

    names = thread.run(open_terminal).result()
    if on not in names:
        return _no_such_host(on, names)
    code = 0
    while True:
        prompt, is_closed = thread.run(state).result()
        if is_closed:
            return code
        try:
            with interrupts.raised():
                line = _read(f"{prompt} " if sys.stdin.isatty() else "")
        except EOFError:
            _write("stdout", "\n" if sys.stdin.isatty() else "")
            return code
        except KeyboardInterrupt:
            _write("stdout", "\n")
            continue
        interrupts.is_noted = False
        keyboard = Keyboard(window=_window())
        code = _wait(thread, keyboard, thread.run(functools.partial(_typed, printed, line, keyboard)), interrupts)


def _window() -> Window:
    """Return the size of the real terminal, as it is when a line is typed; none where there is none."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return Window()
    return Window(columns, rows)


async def _typed(printed: Printed, line: str, keyboard: Keyboard, cluster: Cluster) -> int:
    return await printed.command(cluster, line, terminal=TERMINAL, stdin=keyboard)


def _read(prompt: str) -> str:
    """Read a line, and those that finish it. EOFError, KeyboardInterrupt."""
    line = input(prompt)
    while True:
        try:
            parse(line)
        except UnfinishedError:
            try:
                line += "\n" + input("> " if prompt else "")
            except EOFError:
                return line
        except (SyntaxFailure, TooDeepError):  # it is told when it is run
            return line
        else:
            return line


def _wait(thread: ClusterThread, keyboard: Keyboard, running: "Future[int]", interrupts: Interrupts) -> int:
    """Wait for a line, and hand on what is typed while a program of it reads; Ctrl-C ends it."""
    try:
        while not interrupts.is_noted:
            with contextlib.suppress(TimeoutError):
                return running.result(POLL_SECONDS)
            if not keyboard.is_read:
                continue
            with interrupts.raised():
                typed = _keys()
            if typed is not None:
                thread.run(functools.partial(_type, keyboard, typed)).result()
    except CancelledError:
        return INTERRUPTED
    except KeyboardInterrupt:
        pass
    running.cancel()
    _write("stdout", "\n")
    return INTERRUPTED


def _keys() -> str | None:
    """Read a line for a program, "" at the end; None where a terminal has none yet."""
    if sys.stdin.isatty() and not select.select([sys.stdin], [], [], 0)[0]:
        return None
    return sys.stdin.readline()


async def _type(keyboard: Keyboard, text: str, cluster: Cluster) -> None:
    if not text:
        keyboard.end()
        return
    keyboard.type(text)
