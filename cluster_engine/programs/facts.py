"""Programs of one line each: what is always true, false or said, and tee."""

from collections.abc import Awaitable, Callable

from cluster_engine.programs.invocation import Invocation

YES_BYTES = 16 * 1024
"""What `yes` writes at a time."""


def says(text: Callable[[Invocation], str], code: int = 0) -> Callable[[Invocation], Awaitable[int]]:
    """Return a program that prints one line (none where it is empty) and ends with a code."""

    async def program(invocation: Invocation) -> int:
        line = text(invocation)
        invocation.out(f"{line}\n" if line else "")
        return code

    return program


async def yes(invocation: Invocation) -> int:
    """Run yes: a line again and again, until nobody reads any more."""
    line = f"{' '.join(invocation.argv[1:]) or 'y'}\n".encode()
    lines = line * max(1, YES_BYTES // len(line))
    while not invocation.failed:
        invocation.out(lines)
        await invocation.drain()
    return 1


async def tee(invocation: Invocation) -> int:
    """Run tee: what is piped in goes on, and into files; -a appends to them."""
    words = invocation.argv[1:]
    paths = [invocation.absolute(word) for word in words if not word.startswith("-")]
    try:
        for path in paths:
            if "-a" in words:
                invocation.files.append(path, b"")
            else:
                invocation.files.write(path, b"")
        async for piece in invocation.pieces():
            invocation.out(piece)
            for path in paths:
                invocation.files.append(path, piece)
    except OSError as error:
        invocation.err(f"tee: {error.filename}: {error.strerror}\n")
        return 1
    return 0
