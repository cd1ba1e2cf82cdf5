"""Durations as Go prints and reads them, since events, status messages, logs and flags carry them.

go_duration(10) "10s"    go_duration(80) "1m20s"    go_duration(0.0019911) "1.9911ms"    go_duration(2.3456, 3) "2.346s"
go_seconds("1m20s") 80.0    go_seconds("1.5h") 5400.0    go_seconds("80") ValueError
"""

import re

UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3))
SECONDS_OF = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SECONDS_MAX = (2**63 - 1) / 10**9
"""What Go's time.Duration can hold, some 292 years."""
_PART = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h)")


def go_duration(seconds: float, digits: int = 9) -> str:
    """Write seconds as time.Duration.String does, rounded to so many digits of a second; they are not negative."""
    nanoseconds = round(round(seconds, digits) * 10**9)
    unit, size = next(((unit, size) for unit, size in UNITS if nanoseconds >= size), ("ns", 1))
    if not nanoseconds:
        return "0s"
    whole, part = divmod(nanoseconds, size)
    fraction = f"{part / size:.9f}".strip("0").strip(".")
    point = f".{fraction}" if fraction else ""
    minutes, rest = divmod(whole, 60) if unit == "s" else (0, whole)
    if not minutes:
        return f"{rest}{point}{unit}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}{point}s" if hours else f"{minutes}m{rest}{point}s"


def go_seconds(text: str) -> float:
    """Read a duration as time.ParseDuration does; ValueError, in Go's words, when it is none."""
    sign, digits = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text[1:] if text[:1] == "+" else text)
    parts: list[str] = []
    at = 0
    while part := _PART.match(digits, at):
        parts.append(part[0])
        at = part.end()
    seconds = sum(float(part.rstrip("nuµmsh")) * SECONDS_OF[part.lstrip("0123456789.")] for part in parts)
    if digits != "0" and (not parts or at != len(digits) or seconds > SECONDS_MAX):
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * seconds
