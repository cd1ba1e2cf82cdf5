"""The forms in which components write their logs: klog, zap's JSON, logfmt.

    klog        I0101 10:00:03.250000     101 kubelet/node.py:141] "successfully registered node worker-1"
    zap         {"level":"info","ts":"2026-01-01T10:00:03.250000Z","caller":"etcd/services.py:88","msg":"…"}
    logfmt      time="2026-01-01T10:00:03.250000000Z" level=info msg="…"

What stands in them are a process's notes; their source is the module of Glassplane that wrote them. Modelled on
k8s.io/klog/v2 (structured logs), go.uber.org/zap as etcd sets it up, and logrus as containerd does.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from cluster_engine.world.hardware import KERNEL_LOG
from cluster_engine.world.system_log import INIT, Line

_TROUBLE = re.compile(r"\b(failed|error|unable|could not|cannot|lost)\b")


def is_trouble(line: Line) -> bool:
    """Return whether a line is an error's."""
    return _TROUBLE.search(f"{line.kind} {line.text}".lower()) is not None


def formed(line: Line) -> str:
    """Return a line as its program writes it; what it only printed has no place in its code."""
    if line.by in (INIT, KERNEL_LOG) or not line.source:
        return line.text
    if line.by == "etcd":
        return _zap(line)
    return _logfmt(line) if line.by == "containerd" else _klog(line)


def _klog(line: Line) -> str:
    head = f"{'E' if is_trouble(line) else 'I'}{line.at:%m%d %H:%M:%S.%f} {line.pid:>7} {line.source}]"
    text = line.text if line.text.startswith('"') else json.dumps(line.text, ensure_ascii=False)
    return f"{head} {text}{_pairs(line.fields)}"


def _zap(line: Line) -> str:
    level = "warn" if is_trouble(line) else "info"
    told = {"level": level, "ts": f"{line.at:%Y-%m-%dT%H:%M:%S.%f}Z", "caller": line.source, "msg": line.text}
    return json.dumps({**told, **line.fields}, separators=(",", ":"), ensure_ascii=False, default=str)


def _logfmt(line: Line) -> str:
    level = "error" if is_trouble(line) else "info"
    text = json.dumps(line.text, ensure_ascii=False)
    return f'time="{line.at:%Y-%m-%dT%H:%M:%S.%f}000Z" level={level} msg={text}{_pairs(line.fields)}'


def _pairs(fields: Mapping[str, Any]) -> str:
    return "".join(f" {name}={json.dumps(value, ensure_ascii=False, default=str)}" for name, value in fields.items())
