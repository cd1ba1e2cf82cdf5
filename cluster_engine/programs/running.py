"""Starting a program: a process on a host, its streams, its exit code.

Each program that somebody types is a process of its own, as in reality, and can be killed as one. Those that may open
connections are participants, with a beginning and an end in the journal; those that only read and write text are not,
since a lane for each `grep` would hide what the picture is about. A bug in one crashes its process (`world/bugs.py`).
"""

import asyncio
import contextlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.programs.invocation import CannotGoOnError, Execute, Invocation, MemoryExhaustedError, nothing_else
from cluster_engine.programs.streams import Streams
from cluster_engine.world.hardware import say_out_of_memory
from cluster_engine.world.process import SIGINT

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.process import Host, Process
    from cluster_engine.world.world import World

MEMORY_EXHAUSTED = 2
INTERRUPTED_GRACE_SECONDS = 2.0


class Program(msgspec.Struct, frozen=True):
    """What can be typed: its name, what runs it and gives its exit code, and whether it may open connections.

    One that `handles_sigterm` ends by it also as a container's first process, to which the kernel sends no other.
    """

    name: str
    main: Callable[[Invocation], Awaitable[int]] | str
    """The function, or "module:function" under `programs`, which is loaded when it is first run: most never are."""
    connects: bool = False
    connects_as: str = ""
    """Where it is not empty, only this subcommand opens connections: `openssl s_client`."""
    handles_sigterm: bool = False
    has_page: bool = False
    """Whether --help prints its page of the manual."""

    def opens_connections(self, argv: Sequence[str]) -> bool:
        """Return whether what was typed may open connections."""
        return self.connects and (not self.connects_as or self.connects_as in argv[1:2])

    def load(self, arguments: Sequence[str] = ()) -> Callable[[Invocation], Awaitable[int]]:
        """Return the function for these arguments."""
        main = "manual:usage" if self.has_page and list(arguments) == ["--help"] else self.main
        if not isinstance(main, str):
            return main
        found: Callable[[Invocation], Awaitable[int]] = pkgutil.resolve_name(f"cluster_engine.programs.{main}")
        return found


def start(
    world: "World",
    host: "Host",
    program: Program,
    argv: Sequence[str],
    streams: Streams,
    *,
    environment: Mapping[str, str],
    directory: str,
    files: "FileSystem | None" = None,
    execute: Execute = nothing_else,
) -> "Process":
    """Start a program on a host. `files` are those of the container it is in; by `execute` it runs other programs."""

    async def main(process: "Process") -> None:
        invocation = Invocation(process, argv, streams, environment, directory, execute)
        try:
            code = await program.load(argv[1:])(invocation)
            await invocation.drain()
        except asyncio.CancelledError:
            if not program.handles_sigterm:
                raise
            code = 0
        except MemoryExhaustedError:
            invocation.err(f"{argv[0]}: memory exhausted\n")
            code = MEMORY_EXHAUSTED
        except CannotGoOnError as bound:
            invocation.err(f"sh: {bound}\n")
            code = MEMORY_EXHAUSTED
        except MemoryError:
            kill_for_memory(process)
            return
        raise SystemExit(1 if invocation.failed and code == 0 else code)

    process = world.spawn(host, program.name, main, told=program.opens_connections(argv), files=files)
    process.argv = tuple(argv)
    process.handles_sigterm = program.handles_sigterm
    return process


def kill_for_memory(process: "Process") -> None:
    """Have the kernel kill a process for want of memory: it says so, and the exit code is 137."""
    process.out_of_memory = True
    say_out_of_memory(process)
    process.kill()


async def run(
    world: "World",
    host: "Host",
    program: Program,
    argv: Sequence[str],
    streams: Streams,
    *,
    environment: Mapping[str, str],
    directory: str,
    files: "FileSystem | None" = None,
    execute: Execute = nothing_else,
) -> int:
    """Run a program on a host to its end (see `start`); return its exit code. Cancelling is Ctrl-C."""
    process = start(
        world, host, program, argv, streams, environment=environment, directory=directory, files=files, execute=execute
    )
    process.terminal = "pts/0"
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await process.stop(INTERRUPTED_GRACE_SECONDS, signal=SIGINT)
        raise
    said = "Killed" if process.out_of_memory else process.apology and f"{argv[0]}: {process.apology}"
    if said:
        with contextlib.suppress(OSError):
            streams.stderr.write(f"{said}\n".encode())
    return code
