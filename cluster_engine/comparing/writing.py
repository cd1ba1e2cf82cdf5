"""What was written to an object, as facts of the request that had it written.

An object's history is an answer of `state` (its view `object`): versions, each with the request that led to it, or else
the entry by which it is known, and the leaves that it changed. Dates, ids, addresses and counts of versions are left
out, as in entries.

    history = {"versions": [{"seq": 812, "request": 799, "diff": [{"path": "spec.replicas", "was": 3, "is": 5}]}]}
    written([history], names)      -> {799: {"spec.replicas": 5}}
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from cluster_engine.comparing.names import DATE, Names
from cluster_engine.comparing.saying import NEVER_SHARED, Facts

SPLIT = re.compile(r"[.\[]")
NAMED_BY_CHANCE = ("[ip=", "[uid=")
LEFT_OUT = NEVER_SHARED | {"containerID", "imageID", "podIP", "hostIP", "ip", "generation", "observedGeneration"}


def written(histories: Iterable[Mapping[str, Any]], names: Names) -> dict[int, Facts]:
    """Return by seq what was written by it."""
    found: dict[int, Facts] = {}
    for history in histories:
        for version in history["versions"]:
            of = version["request"] or version["seq"]
            found.setdefault(of, {}).update(_facts(version["diff"], names))
    return found


def _facts(diff: Iterable[Mapping[str, Any]], names: Names) -> Iterator[tuple[str, Any]]:
    for line in diff:
        path, value = line["path"], line["is"]
        if SPLIT.split(path)[-1] in LEFT_OUT or any(part in path for part in NAMED_BY_CHANCE):
            continue
        if isinstance(value, dict | list):
            value = msgspec.json.encode(value).decode()
        if not isinstance(value, str):
            yield names.plain(path), "null" if value is None else value
        elif not DATE.search(value):
            yield names.plain(path), names.plain(value)
