"""wc: how many lines (-l), words (-w) and bytes (-c) there are; all three where none is asked for.

Modelled on coreutils. Left out: characters (-m), longest lines (-L).
"""

from cluster_engine.programs.invocation import Invocation


async def wc(invocation: Invocation) -> int:
    """Run wc."""
    flags = "".join(word[1:] for word in invocation.argv[1:] if word.startswith("-") and len(word) > 1)
    wrong = next((flag for flag in flags if flag not in "lwc"), None)
    if wrong is not None:
        invocation.err(f"wc: invalid option -- '{wrong}'\nTry 'wc --help' for more information.\n")
        return 1
    named = [word for word in invocation.argv[1:] if word == "-" or not word.startswith("-")]
    code = 0
    totals = (0, 0, 0)
    for path in named or ["-"]:
        try:
            counts = await _count(invocation, path)
        except OSError as error:
            invocation.err(f"wc: {path or repr(path)}: {error.strerror}\n")
            code = 1
            continue
        totals = (totals[0] + counts[0], totals[1] + counts[1], totals[2] + counts[2])
        invocation.out(_told(counts, flags, path if named else "", alone=not named))
    if len(named) > 1:
        invocation.out(_told(totals, flags, "total", alone=False))
    return code


async def _count(invocation: Invocation, path: str) -> tuple[int, int, int]:
    lines = words = size = 0
    in_word = False
    async for piece in invocation.pieces(path):
        lines += piece.count(b"\n")
        size += len(piece)
        words += len(piece.split()) - (in_word and not piece[:1].isspace())
        in_word = not piece[-1:].isspace()
    return lines, words, size


def _told(counts: tuple[int, int, int], flags: str, name: str, *, alone: bool) -> str:
    asked = [count for count, flag in zip(counts, "lwc", strict=True) if not flags or flag in flags]
    width = 1 if len(asked) == 1 else 7 if alone else len(str(counts[2]))
    return " ".join([*(f"{count:>{width}}" for count in asked), *([name] if name else [])]) + "\n"
