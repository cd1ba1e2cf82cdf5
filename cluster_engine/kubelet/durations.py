"""Durations as Go prints them, since events and status messages carry them.

go_duration(10) "10s"    go_duration(80) "1m20s"    go_duration(2.3456) "2.346s"    go_duration(0.409) "409ms"
"""


def go_duration(seconds: float) -> str:
    """Write seconds as time.Duration.String does, to the millisecond."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    if not minutes:
        return f"{text}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{text}s" if hours else f"{minutes}m{text}s"
