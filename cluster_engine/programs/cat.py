"""cat: files, or what is piped in, one after another. Modelled on coreutils; options are passed over."""

from cluster_engine.programs.invocation import Invocation


async def cat(invocation: Invocation) -> int:
    """Run cat."""
    code = 0
    for path in [word for word in invocation.argv[1:] if word == "-" or not word.startswith("-")] or ["-"]:
        try:
            async for piece in invocation.pieces(path):
                invocation.out(piece)
        except OSError as error:
            invocation.err(f"cat: {path or repr(path)}: {error.strerror}\n")
            code = 1
    return code
