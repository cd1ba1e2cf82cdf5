"""Time as Kubernetes writes it: RFC 3339 with a Z, microseconds for a MicroTime, ages as `kubectl get` shows them.

Modelled on `apimachinery/pkg/apis/meta/v1/{time,micro_time}.go` and `apimachinery/pkg/util/duration/duration.go`.
Nothing here looks at a clock; callers hand in what theirs says.

    >>> from datetime import timedelta
    >>> age(timedelta(seconds=14)), age(timedelta(minutes=3, seconds=7)), age(timedelta(days=3, hours=5))
    ('14s', '3m7s', '3d5h')
"""

from datetime import UTC, datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400


def rfc3339(moment: datetime) -> str:
    """Write a moment as `metav1.Time` does: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(moment: datetime) -> str:
    """Write a moment as `metav1.MicroTime` does: six digits of fraction, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """Read an RFC 3339 time, with or without a fraction. ValueError for anything else, zoneless times too."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text:
        raise ValueError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00"')
    return moment.astimezone(UTC)


def age(delta: timedelta) -> str:
    """Say a duration in at most two units, as `duration.HumanDuration` does."""
    seconds = int(delta.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    if seconds < 10 * MINUTE:
        return _two(seconds // MINUTE, "m", seconds % MINUTE, "s")
    if seconds < 3 * HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 8 * HOUR:
        return _two(seconds // HOUR, "h", seconds % HOUR // MINUTE, "m")
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h"
    if seconds < 8 * DAY:
        return _two(seconds // DAY, "d", seconds % DAY // HOUR, "h")
    return _days(seconds // DAY)


def _days(days: int) -> str:
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
