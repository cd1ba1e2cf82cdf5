"""cat: files, or what is piped in, one after another. Modelled on coreutils; options are passed over.

In a container it complains as BusyBox 1.36 does (coreutils/cat.c), which probes' failures quote.
"""

from cluster_engine.programs.invocation import Invocation


async def cat(invocation: Invocation) -> int:
    """Run cat."""
    code = 0
    for path in [word for word in invocation.argv[1:] if word == "-" or not word.startswith("-")] or ["-"]:
        try:
            async for piece in invocation.pieces(path):
                invocation.out(piece)
        except OSError as error:
            invocation.err(f"cat: {_complaint(invocation, path, error)}\n")
            code = 1
    return code


def _complaint(invocation: Invocation, path: str, error: OSError) -> str:
    if not invocation.is_in_container:
        return f"{path or repr(path)}: {error.strerror}"
    if isinstance(error, IsADirectoryError):
        return f"read error: {error.strerror}"
    return f"can't open '{path}': {error.strerror}"
