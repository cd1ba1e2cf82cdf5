"""Durations as Go prints them, since events, status messages and logs carry them.

go_duration(10) "10s"    go_duration(80) "1m20s"    go_duration(0.0019911) "1.9911ms"    go_duration(2.3456, 3) "2.346s"
"""

UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3))


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
