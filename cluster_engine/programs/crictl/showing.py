"""What crictl prints: tables, JSON, YAML; ids, times and sizes for people.

Modelled on cri-tools 1.32 (cmd/crictl/display.go, util.go) and docker/go-units.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from cluster_engine.programs.kubectl.tabwriter import layout

ID_LENGTH = 13
_SIZES = ("B", "kB", "MB", "GB", "TB")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out, the header first."""
    return layout("".join("\t".join(row) + "\n" for row in rows), minimum=20, padding=3)


def document(value: Any, form: str) -> str:
    """Write a document as JSON or YAML."""
    if form == "yaml":
        return yaml.safe_dump(value, sort_keys=False, default_flow_style=False)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as jsonpb writes it, with what is empty."""
    return MessageToDict(message, always_print_fields_with_no_presence=True)


def moment(nanoseconds: int) -> str:
    """Write a moment as Go's RFC 3339 does; what has not happened is the epoch."""
    whole, part = divmod(nanoseconds, 10**9)
    digits = f"{part:09d}".rstrip("0")
    return f"{_EPOCH + timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}{f'.{digits}' if digits else ''}Z"


def ago(now: datetime, nanoseconds: int) -> str:
    """Write how long ago something was, as go-units does: "About a minute ago"."""
    seconds = int((now - _EPOCH).total_seconds() - nanoseconds / 1e9)
    minutes, hours = seconds // 60, round(seconds / 3600)
    if seconds < 1:
        text = "Less than a second"
    elif seconds < 60:
        text = f"{seconds} second{'' if seconds == 1 else 's'}"
    elif minutes < 60:
        text = "About a minute" if minutes == 1 else f"{minutes} minutes"
    elif hours < 48:
        text = "About an hour" if hours == 1 else f"{hours} hours"
    elif hours < 24 * 14:
        text = f"{hours // 24} days"
    elif hours < 24 * 60:
        text = f"{hours // 24 // 7} weeks"
    else:
        text = f"{hours // 24 // 30} months"
    return f"{text} ago"


def size(count: int) -> str:
    """Write a size with three digits, as go-units' HumanSizeWithPrecision does: "72.1MB"."""
    return human_size(count, digits=3)


def human_size(count: int, digits: int = 4) -> str:
    """Write a size as go-units' HumanSize does: "6.291MB"."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_SIZES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{digits}g}{_SIZES[unit]}"


def short(id_: str, *, whole: bool = False) -> str:
    """Shorten an id, of a digest what follows sha256:."""
    bare = id_.removeprefix("sha256:")
    return id_ if whole else bare[:ID_LENGTH]
