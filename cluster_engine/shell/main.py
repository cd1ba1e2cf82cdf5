"""The shell of the workstation: a line in, programs run, text out, an exit code back.

Theory of operation. A line is one or more commands, joined by `;` `&&` `||`, with words as a shell splits them. What
prints, shows or lists files is built in; everything else is a program, and each program typed is a new process on the
workstation with connections of its own, as in reality. Output can be sent into a file with `>`, and through `grep`,
`head`, `tail`, `wc` and `sort` with `|`. Ctrl-C is the cancellation of `run`.

    await run(world, host, "kubectl get pods && echo done", write)     -> 0

What is built in works in one go, so what it may print is bounded for a line; what a pipe holds is bounded in each
filter, and how many filters there are as fork would.

Left out: variables, globs, loops, `cd`, jobs, and every program that is not in `PROGRAMS`.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from cluster_engine.programs.invocation import Invocation, Write, absolute
from cluster_engine.programs.kubectl.main import kubectl
from cluster_engine.shell import builtins, examples
from cluster_engine.shell.syntax import Command, SyntaxFailure, parse

if TYPE_CHECKING:
    from cluster_engine.world.process import Host, Process
    from cluster_engine.world.world import World

Program = Callable[[Invocation], Awaitable[int]]
PROGRAMS: dict[str, Program] = {"kubectl": kubectl, "k": kubectl}
NOT_FOUND = 127
KILLED = 137
INTERRUPTED_GRACE_SECONDS = 2.0
PIPELINE_LENGTH_MAX = 16
OUTPUT_BYTES_MAX = 16 * 1024 * 1024
CANNOT_FORK, CANNOT_FORK_CODE = "fork: retry: Resource temporarily unavailable", 126


class _Printer:
    """Lets what is built in print for one line; OutputTooLargeError beyond OUTPUT_BYTES_MAX."""

    def __init__(self) -> None:
        self._room = OUTPUT_BYTES_MAX

    def to(self, write: Write) -> Write:
        """Count what goes to `write`."""

        def counted(stream: str, text: str) -> None:
            self._room -= len(text)
            if self._room < 0:
                raise OutputTooLargeError
            write(stream, text)

        return counted


class OutputTooLargeError(Exception):
    """A line prints more than it may."""


async def run(world: "World", host: "Host", line: str, write: Write) -> int:
    """Run a line on a host; give the exit code of its last command. `write(stream, text)` gets output as it comes."""
    examples.provide(host.files)
    try:
        commands = parse(line)
    except SyntaxFailure as failure:
        write("stderr", f"sh: {failure}\n")
        return 2
    code, printer = 0, _Printer()
    for command in commands:
        if (command.joined_by == "&&" and code != 0) or (command.joined_by == "||" and code == 0):
            continue
        code = await _run_command(world, host, command, write, printer)
    return code


async def _run_command(world: "World", host: "Host", command: Command, write: Write, printer: _Printer) -> int:
    """Run one command with its filters; its output goes on as soon as it is there."""
    if len(command.filters) >= PIPELINE_LENGTH_MAX:
        write("stderr", f"sh: {CANNOT_FORK}\n")
        return CANNOT_FORK_CODE
    try:
        sink = _redirected(host, command, write)
        for words in reversed(command.filters):
            if words[0] not in builtins.FILTERS:
                write("stderr", f"sh: {words[0]}: this shell pipes only into {', '.join(sorted(builtins.FILTERS))}\n")
                return NOT_FOUND
            sink = builtins.FILTERS[words[0]](words, sink)
    except OSError as error:
        write("stderr", f"sh: {command.into}: {error.strerror}\n")
        return 1
    except builtins.FilterFailure as failure:
        write("stderr", f"{failure}\n")
        return 1
    try:
        code = await _run_program(world, host, command.words, sink.write, printer)
    except OutputTooLargeError:
        write("stderr", f"sh: {command.words[0]}: a line may print {OUTPUT_BYTES_MAX} bytes: File too large\n")
        code = 1
    end = sink.close()
    return code if end is None else end


async def _run_program(world: "World", host: "Host", words: list[str], write: Write, printer: _Printer) -> int:
    name = words[0]
    if name in builtins.BUILTINS:
        return builtins.BUILTINS[name](host, words, printer.to(write))
    program = PROGRAMS.get(name)
    if program is None:
        write("stderr", f"sh: {name}: command not found\n")
        return NOT_FOUND
    words = ["kubectl", *words[1:]] if program is kubectl else words

    async def main(process: "Process") -> None:
        try:
            code = await program(Invocation(process, words, write))
        except MemoryError:
            write("stderr", "Killed\n")
            code = KILLED
        raise SystemExit(code)

    process = world.spawn(host, words[0], main)
    try:
        code = await process.wait()
        if process.apology:
            write("stderr", f"{words[0]}: {process.apology}\n")
        return code
    except asyncio.CancelledError:
        await process.stop(INTERRUPTED_GRACE_SECONDS)
        raise


def _redirected(host: "Host", command: Command, write: Write) -> builtins.Sink:
    """Give where the output goes. OSError when it is a file that cannot be opened."""
    into = command.into
    if into is None:
        return builtins.Sink(write)
    if not into:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", into)
    path = absolute(into) + ("/" if into.endswith("/") else "")
    writer = (command.filters or [command.words])[-1][0]
    return builtins.FileSink(write, host.files, path, append=command.appends, command=writer)
