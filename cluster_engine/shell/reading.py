"""A shell that reads its script as it comes: `sh` without a file, of which a person may be the source.

Each piece is run once it is whole; an open quote, a loop or a here-document waits for the lines that end it. At a
terminal the shell asks for each line with a prompt, and lives on after a line that makes no sense; piped in, it ends
there, as POSIX has it for a shell that is not interactive.

    reading("#")            # for i in 1 2
                            > do echo $i; done
                            1
                            2

What is read and not whole yet is bounded by LINE_BYTES_MAX.
"""

from collections.abc import Callable

from cluster_engine.programs.streams import Streams
from cluster_engine.shell.shell import Shell
from cluster_engine.shell.syntax import SyntaxFailure, UnfinishedError, parse

LINE_BYTES_MAX = 64 * 1024


async def read_and_run(shell: Shell, streams: Streams, prompt: Callable[[], str] | None = None) -> int:
    """Run what is read from standard input; return the last exit code. `prompt` is given where there is a terminal.

    SyntaxFailure, ShellExit, and whatever else `Shell.run` raises.
    """
    read, code = b"", 0
    while True:
        if prompt is not None:
            shell.say("> " if read else prompt(), streams.stderr)
        piece = await streams.stdin.read()
        read += piece
        if piece and not read.endswith(b"\n") and len(read) <= LINE_BYTES_MAX:
            continue
        try:
            script = parse(read.decode("utf-8", "replace"))
        except UnfinishedError:
            if piece and len(read) <= LINE_BYTES_MAX:
                continue
            raise
        except SyntaxFailure as failure:
            if prompt is None:
                raise
            shell.complain(str(failure), streams)
            code, read = 2, b""
            continue
        read = b""
        code = await shell.run(script, streams) if script else code
        if not piece:
            return code
