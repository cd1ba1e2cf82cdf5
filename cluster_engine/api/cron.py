"""Cron schedules: `*/5 * * * *`, `@hourly`, `@every 90s`, and when they next strike.

Five fields: minute, hour, day of the month, month, day of the week (0 is Sunday, names are known, 7 is none). Each is a
list of ranges, each with a step. A day fits when both day fields do; where neither of them begins with a star, one is
enough.

    >>> from datetime import UTC, datetime
    >>> after = datetime(2026, 1, 1, 10, 2, 30, tzinfo=UTC)
    >>> str(parse("*/5 * * * *").next(after))
    '2026-01-01 10:05:00+00:00'
    >>> str(parse("0 9 13 * FRI").next(after)), str(parse("@monthly").next(after))
    ('2026-01-02 09:00:00+00:00', '2026-02-01 00:00:00+00:00')
    >>> parse("30 9 31 2 *").next(after) is None
    True

Hours are counted as they pass: where clocks leap forward an hour is left out, where they fall back one strikes twice.
Modelled on github.com/robfig/cron, v3 (parser.go, spec.go), of which kube-controller-manager and validation use
ParseStandard. Left out: fractions of a second in `@every`.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import msgspec

from cluster_engine.api.durations import go_seconds

YEARS_MAX = 5
"""A schedule that does not strike within so many years never does."""
LENGTH_MAX = 4096
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTH_NAMES, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAY_NAMES)}),
)
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Every(msgspec.Struct, frozen=True):
    """A schedule of equal steps, counted from the last time."""

    seconds: int

    def next(self, after: datetime) -> datetime | None:
        """Return the moment a step later."""
        return after.replace(microsecond=0) + timedelta(seconds=self.seconds)


class Schedule(msgspec.Struct, frozen=True):
    """Which minutes, hours, days and months fit; `both_days`: the two day fields must both fit."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment later than `after` that fits, in UTC; None if there is none within years."""
        moment = (after.replace(microsecond=0) + timedelta(seconds=1)).astimezone(self.zone)
        if moment.second:
            moment = _later(moment.replace(second=0), timedelta(minutes=1))
        last_year = moment.year + YEARS_MAX
        while moment.year <= last_year:
            if moment.month not in self.months:
                moment = self._first_of_next_month(moment)
            elif not self._day_fits(moment):
                moment = self._midnight(moment + timedelta(days=1))
            elif moment.hour not in self.hours:
                moment = _later(moment.replace(minute=0), timedelta(hours=1))
            elif moment.minute not in self.minutes:
                moment = _later(moment, timedelta(minutes=1))
            else:
                return moment.astimezone(UTC)
        return None

    def _day_fits(self, moment: datetime) -> bool:
        month, week = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return (month and week) if self.both_days else (month or week)

    def _first_of_next_month(self, moment: datetime) -> datetime:
        return self._midnight((moment.replace(day=1) + timedelta(days=31)).replace(day=1))

    def _midnight(self, day: datetime) -> datetime:
        """Return the first moment of a day, which need not be at midnight."""
        return day.replace(hour=0, minute=0, fold=0).astimezone(UTC).astimezone(self.zone)


def _later(moment: datetime, step: timedelta) -> datetime:
    """Add a time that passes, not one that clocks show."""
    return (moment.astimezone(UTC) + step).astimezone(moment.tzinfo)


@lru_cache(256)
def parse(spec: str, time_zone: str = "UTC") -> Schedule | Every:
    """Read a schedule as ParseStandard does; ValueError in its words. `TZ=…` before it stands for the time zone."""
    if not spec:
        raise ValueError("empty spec string")
    if len(spec) > LENGTH_MAX:
        raise ValueError(f"schedule is longer than {LENGTH_MAX} characters")
    if spec.startswith(("TZ=", "CRON_TZ=")):
        said, _, spec = spec.partition(" ")
        time_zone, spec = said.partition("=")[2], spec.strip()
        try:
            zone(time_zone)
        except ValueError as error:
            raise ValueError(f"provided bad location {time_zone}: {error}") from None
    if spec.startswith("@every "):
        return Every(_every(spec.removeprefix("@every ")))
    if spec.startswith("@"):
        if spec not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {spec}")
        spec = _DESCRIPTORS[spec]
    fields = spec.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    read = [_field(text, *bounds) for text, bounds in zip(fields, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _ in read)
    return Schedule(minutes, hours, days, months, weekdays, read[2][1] or read[4][1], zone(time_zone))


@lru_cache(64)
def zone(name: str) -> tzinfo:
    """Return a time zone by its name. ValueError, in Go's words, when there is none."""
    if name in ("", "UTC"):
        return UTC
    try:
        from zoneinfo import ZoneInfo  # once a schedule is read

        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: ZoneInfoNotFoundError; OSError: a directory of zones
        raise ValueError(f"unknown time zone {name}") from None


def _field(text: str, low: int, high: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    """Read a list of ranges; say whether one is a bare star."""
    values: set[int] = set()
    has_star = False
    for expression in filter(None, text.split(",")):
        found, star = _range(expression, low, high, names)
        values.update(found)
        has_star |= star
    return frozenset(values), has_star


def _range(expression: str, low: int, high: int, names: dict[str, int]) -> tuple[range, bool]:
    span, *steps = expression.split("/")
    ends = span.split("-")
    star = ends[0] in ("*", "?")
    if star:
        start, end = low, high
    else:
        start = end = _number(ends[0], names)
        if len(ends) == 2:
            end = _number(ends[1], names)
        elif len(ends) > 2:
            raise ValueError(f"too many hyphens: {expression}")
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {expression}")
    step = _number(steps[0], {}) if steps else 1
    if steps and len(ends) == 1:
        end = high
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {expression}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {expression}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {expression}")
    return range(start, end + 1, step), star and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not _INTEGER.fullmatch(text):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def _every(text: str) -> int:
    """Read a duration, for whole seconds, at least one."""
    try:
        return max(1, int(go_seconds(text)))
    except ValueError as error:
        raise ValueError(f"failed to parse duration @every {text}: {error}") from error
