"""date and sleep: the host's clock, and waiting by it. Modelled on coreutils.

    date                    Thu Jan  1 10:00:00 UTC 2026
    date +%s                1767261600
    sleep 1m 30s            a minute and a half of the cluster's time

Left out: setting the clock (a fault does that), other dates than now (-d), other zones than UTC.
"""

import asyncio
import math
import re

from cluster_engine.programs.invocation import Invocation

_INTERVAL = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})([smhd]?)")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
SLEEP_SECONDS_MAX = 100 * 365 * 86_400.0
FORMAT_LENGTH_MAX = 1000
DEFAULT_FORMAT = "+%a %b %e %H:%M:%S UTC %Y"
_ALLOWED = frozenset("aAbBcdDeFHIjklmMnpPrRsStTuUVwWxXyYzZ%")


async def date(invocation: Invocation) -> int:
    """Run date."""
    words = [word for word in invocation.argv[1:] if word not in ("-u", "--utc")]
    text = words[0] if words else DEFAULT_FORMAT
    if not text.startswith("+"):
        invocation.err(f"date: invalid date '{text}'\n")
        return 1
    now = invocation.process.now()
    pieces = text[1 : FORMAT_LENGTH_MAX + 1].split("%")
    told = [pieces[0]]
    after_percent = False
    for piece in pieces[1:]:
        if after_percent:
            told.append(piece)
            after_percent = False
        elif not piece:
            told.append("%")
            after_percent = True
        elif piece[0] == "s":
            told.append(str(math.floor(now.timestamp())) + piece[1:])
        elif piece[0] == "N":
            told.append(f"{now.microsecond * 1000:09d}{piece[1:]}")
        else:
            told.append((now.strftime(f"%{piece[0]}") if piece[0] in _ALLOWED else f"%{piece[0]}") + piece[1:])
    invocation.out("".join(told) + "\n")
    return 0


async def sleep(invocation: Invocation) -> int:
    """Run sleep."""
    words = invocation.argv[1:]
    if not words:
        invocation.err("sleep: missing operand\nTry 'sleep --help' for more information.\n")
        return 1
    total = 0.0
    for word in words:
        found = _INTERVAL.fullmatch(word)
        if found is None and word not in ("infinity", "inf"):
            invocation.err(f"sleep: invalid time interval '{word}'\nTry 'sleep --help' for more information.\n")
            return 1
        total += float(found[1]) * _UNIT_SECONDS[found[2]] if found else SLEEP_SECONDS_MAX
    await asyncio.sleep(min(total, SLEEP_SECONDS_MAX))
    return 0
