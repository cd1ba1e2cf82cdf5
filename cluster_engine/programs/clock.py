"""date and sleep: the host's clock, and waiting by it. Modelled on coreutils.

    date                    Thu Jan  1 10:00:00 UTC 2026
    date +%s                1767261600
    date -u -d "2 hours ago" +%FT%TZ      2026-01-01T08:00:00Z
    sleep 1m 30s            a minute and a half of the cluster's time

Left out: setting the clock (a fault does that), other zones than UTC, most of what -d understands in words.
"""

import asyncio
import contextlib
import math
import re
from datetime import UTC, datetime, timedelta

from cluster_engine.programs.invocation import Invocation

_INTERVAL = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})([smhd]?)")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
SLEEP_SECONDS_MAX = 100 * 365 * 86_400.0
FORMAT_LENGTH_MAX = 1000
DEFAULT_FORMAT = "+%a %b %e %H:%M:%S UTC %Y"
_ALLOWED = frozenset("aAbBcdDeFHIjklmMnpPrRsStTuUVwWxXyYzZ%")


_RELATIVE = r"([+-]?)\s*([0-9]{1,9})\s*(sec|second|min|minute|hour|day|week)s?\b(\s+ago\b)?"
_ZONES = ("Z", "UTC", "GMT", "+00:00", "-00:00", "+0000", "-0000")
_SPAN_SECONDS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_NAMED = {"now": 0, "today": 0, "yesterday": -86_400, "tomorrow": 86_400, "": 0}
_DATES = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M",
          "%a %b %d %H:%M:%S %Y", "%b %d %H:%M:%S %Y", "%b %d %Y", "%d %b %Y")  # fmt: skip
_ISO = {"": "+%F", "date": "+%F", "hours": "+%FT%H+00:00", "minutes": "+%FT%H:%M+00:00", "seconds": "+%FT%T+00:00",
        "h": "+%FT%H+00:00", "m": "+%FT%H:%M+00:00", "s": "+%FT%T+00:00"}  # fmt: skip


def read_date(text: str, now: datetime) -> datetime | None:
    """Read a date as -d has it: 2026-01-01T10:00:00Z, @1767261600, yesterday, "2 hours ago"; None where it is none."""
    try:
        if text.startswith("@"):
            return datetime.fromtimestamp(float(text[1:]), UTC)
        shift = 0
        import re2  # it takes 3 MiB, which a cluster in which nobody asks so need not pay

        for sign, count, span, back in re2.findall(_RELATIVE, text):
            shift += int(count) * _SPAN_SECONDS[span] * (-1 if (sign == "-") is not bool(back) else 1)
        rest = re2.sub(_RELATIVE, "", text).strip()
        if rest.lower() in _NAMED:
            return now + timedelta(seconds=shift + _NAMED[rest.lower()])
        zone = next((zone for zone in _ZONES if rest.endswith(zone)), "")
        bare = rest.removesuffix(zone).rstrip().replace("T", " ", 1 if rest[4:5] == "-" else 0)
        for form in _DATES:
            with contextlib.suppress(ValueError):
                found = datetime.strptime(" ".join(bare.split()), form).replace(tzinfo=UTC)
                day = found if "%Y" in form else now.replace(
                    hour=found.hour, minute=found.minute, second=found.second, microsecond=0
                )  # fmt: skip
                return day + timedelta(seconds=shift)
    except (ValueError, OverflowError, OSError):
        pass
    return None


async def date(invocation: Invocation) -> int:
    """Run date: -u is always so, -d names another moment, -I and -R a form."""
    words, text, now = list(invocation.argv[1:]), DEFAULT_FORMAT, invocation.process.now()
    while words:
        word = words.pop(0)
        if word in ("-u", "--utc", "--universal"):
            continue
        if word.startswith(("-d", "--date=")) or word == "--date":
            given = word.partition("=")[2] if "=" in word else word[2:] if word != "--date" else ""
            given = given or (words.pop(0) if words and word in ("-d", "--date") else "")
            found = read_date(given, now)
            if found is None:
                invocation.err(f"date: invalid date '{given}'\n")
                return 1
            now = found
        elif word.startswith("+"):
            text = word
        elif word.startswith(("-I", "--iso-8601")) and word.partition("=")[2] + word[2:] * (word[1] == "I") in _ISO:
            text = _ISO[word.partition("=")[2] + word[2:] * (word[1] == "I")]
        elif word in ("-R", "--rfc-email"):
            text = "+%a, %d %b %Y %T +0000"
        elif word.startswith("-"):
            kind = "unrecognized option '" + word + "'" if word.startswith("--") else f"invalid option -- '{word[1:2]}'"
            invocation.err(f"date: {kind}\nTry 'date --help' for more information.\n")
            return 1
        else:
            invocation.err(f"date: invalid date '{word}'\n")
            return 1
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
        seconds = interval(word)
        if seconds is None:
            invocation.err(f"sleep: invalid time interval '{word}'\nTry 'sleep --help' for more information.\n")
            return 1
        total += seconds
    await asyncio.sleep(min(total, SLEEP_SECONDS_MAX))
    return 0


def interval(word: str) -> float | None:
    """Read an interval as sleep has it, "1.5m", in seconds; None where it is none."""
    found = _INTERVAL.fullmatch(word)
    if found is None:
        return SLEEP_SECONDS_MAX if word in ("infinity", "inf") else None
    return float(found[1]) * _UNIT_SECONDS[found[2]]
