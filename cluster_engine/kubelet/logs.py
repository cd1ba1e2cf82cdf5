"""Reading a container's log file: CRI's format in, what `kubectl logs` shows out.

    b"2026-11-21T10:00:00.000000000Z stdout F hello\\n"     ->  b"hello\\n", with timestamps the time before it

Modelled on pkg/kubelet/kuberuntime/logs. Left out: rotated files.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from cluster_engine.api.strconv import int_of
from cluster_engine.api.time import parse

PARTIAL = b"P"


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What part of a log is wanted, and how."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since_seconds: int | None = None
    since_time: datetime | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "LogOptions":
        """Read the options of a request; what cannot be read counts as not said."""

        def number(name: str) -> int | None:
            value = int_of(query.get(name, [""])[0])
            return value if value is not None and value >= 0 else None

        def flag(name: str) -> bool:
            return query.get(name, ["false"])[0] in ("", "true", "1")

        try:
            since_time = parse(query["sinceTime"][0]) if "sinceTime" in query else None
        except ValueError:
            since_time = None
        return cls(
            follow=flag("follow"),
            previous=flag("previous"),
            timestamps=flag("timestamps"),
            tail_lines=number("tailLines"),
            limit_bytes=number("limitBytes"),
            since_seconds=number("sinceSeconds"),
            since_time=since_time,
        )


def select(lines: Sequence[bytes], options: LogOptions, now: datetime) -> list[bytes]:
    """Return the lines that are wanted, as they are to be shown."""
    since = options.since_time
    if options.since_seconds is not None:
        since = now - timedelta(seconds=options.since_seconds)
    kept = [line for line in lines if since is None or parse(line.split(b" ", 1)[0].decode()) >= since]
    if options.tail_lines is not None:
        kept = kept[len(kept) - min(options.tail_lines, len(kept)) :]
    shown = render(kept, options)
    if options.limit_bytes is None:
        return shown
    return [b"".join(shown)[: options.limit_bytes]]


def render(lines: Sequence[bytes], options: LogOptions, before: bytes = b"") -> list[bytes]:
    """Show lines; what was cut in pieces is one line again. `before` is the line before the first."""
    shown = []
    for line in lines:
        time, _, tag, text = line.split(b" ", 3)
        goes_on = before.split(b" ", 3)[2:3] == [PARTIAL]
        prefix = time + b" " if options.timestamps and not goes_on else b""
        shown.append(prefix + (text[:-1] if tag == PARTIAL else text))
        before = line
    return shown
