"""What a write changed: the leaves that differ, by their paths.

    diff({"spec": {}}, {"spec": {"nodeName": "worker-1"}})
    -> [{"path": "spec.nodeName", "was": None, "is": "worker-1"}]

Items of a list are told apart by what names them (`containers[name=nginx]`, `conditions[type=Ready]`), where each has
such a name, else by their places. Left out: managedFields, resourceVersion.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from cluster_engine.api.objects import JSON, Object

LINES_MAX = 64
CHARACTERS_MAX = 200
NAMES = ("name", "type", "containerPort", "port", "uid", "ip", "key")
LEFT_OUT = frozenset({"metadata.managedFields", "metadata.resourceVersion"})


def diff(was: Object | None, now: Object | None) -> list[Object]:
    """List what differs, at most so many lines; of what is long, its beginning."""
    if now is None:
        return []
    found = _differences("", was or {}, now)
    return [{"path": path, "was": _cut(old), "is": _cut(new)} for path, old, new in islice(found, LINES_MAX)]


def _differences(path: str, was: JSON, now: JSON) -> Iterator[tuple[str, JSON, JSON]]:
    if was == now or path in LEFT_OUT:
        return
    parts = _parts(was), _parts(now)
    if any(part is None for part in parts):
        yield path, was, now
        return
    old, new = (part or {} for part in parts)
    if not old and not new:
        yield path, was, now
        return
    for step in {**old, **new}:
        yield from _differences(_join(path, step), old.get(step), new.get(step))


def _parts(value: JSON) -> dict[str, JSON] | None:
    """Take a value apart by the steps that lead to its parts; None where it has none."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {(f".{key}" if "." not in key else f'["{key}"]'): part for key, part in value.items()}
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return _items(value)
    return None


def _items(items: list[JSON]) -> dict[str, JSON]:
    for name in NAMES:
        named = [item.get(name) if isinstance(item, dict) else None for item in items]
        if None not in named and all(isinstance(one, str | int) for one in named) and len(set(named)) == len(named):
            return {f"[{name}={one}]": item for one, item in zip(named, items, strict=True)}
    return {f"[{place}]": item for place, item in enumerate(items)}


def _join(path: str, step: str) -> str:
    return path + step if path else step.removeprefix(".")


def _cut(value: JSON) -> JSON:
    """Give a value, or the beginning of its text where it is long."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return value if len(text) <= CHARACTERS_MAX else text[: CHARACTERS_MAX - 1] + "…"
