"""sort: whole lines in order; -r turned round, -u each once, -n by the number that they begin with.

Modelled on coreutils. Left out: keys (-k), and what else it can do; other options are passed over.
"""

import re

from cluster_engine.programs.invocation import Held, Invocation

_NUMBER = re.compile(r"[ \t]*(-?[0-9]{1,18})")


async def sort(invocation: Invocation) -> int:
    """Run sort."""
    flags = "".join(word[1:] for word in invocation.argv[1:] if word.startswith("-") and len(word) > 1)
    lines: list[str] = []
    held = Held()
    for path in [word for word in invocation.argv[1:] if word == "-" or not word.startswith("-")] or ["-"]:
        try:
            async for line in invocation.lines(path):
                held.take(line)
                lines.append(line)
        except OSError as error:
            invocation.err(f"sort: cannot read: {path}: {error.strerror}\n")
            return 2
    if "u" in flags:
        lines = list(dict.fromkeys(lines))
    lines.sort(reverse="r" in flags)
    if "n" in flags:
        lines.sort(key=_number, reverse="r" in flags)
    for line in lines:
        invocation.out(f"{line}\n")
    return 0


def _number(line: str) -> int:
    found = _NUMBER.match(line)
    return int(found[1]) if found else 0
