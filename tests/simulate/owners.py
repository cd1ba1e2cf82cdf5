"""Who owns which key of a ConfigMap: worked out anew from what was asked, with none of the API server's code.

    every write                    each key is owned by somebody; nobody owns a key that is not there
    applied by "left", 200         left owns by Apply just the keys that its configuration has, with its values
        and not forced             no key had another value that another manager owned
    the same, 409                  some key had, at some instant

What a ConfigMap's `managedFields` say of `data`; ConfigMaps of whoever does not want to be tracked are left out.
"""

from collections.abc import Iterator
from typing import Any

from cluster_engine.api.objects import Object
from tests.simulate.story import History, Violation, Write
from tests.simulate.traffic import Exchange

OWNED = "managedFields name the owners of what is there"
APPLIED = "who applies owns just that"
CONFLICTS = "an apply is refused where another owns another value"
RESOURCE = "configmaps"


def misowned(traffic: list[Exchange], history: History) -> Iterator[Violation]:
    """Judge each write of a ConfigMap, and each apply."""
    for write in history.of(RESOURCE):
        if write.now is not None and write.now["metadata"].get("managedFields"):
            owned = {key for keys in _owners(write.now).values() for key in keys}
            if owned != set(_data(write.now)):
                text = (
                    f"{write.token} has {sorted(_data(write.now))} at {write.revision}, and owned are {sorted(owned)}"
                )
                yield Violation(OWNED, text)
    by_version = {write.revision: write for write in history.of(RESOURCE)}
    for one in traffic:
        is_apply = one.verb == "patch" and one.resource == RESOURCE and "appliesAs" in one.request["fields"]
        if is_apply and not one.is_dry and isinstance(one.said.body, dict):
            yield from _applied(one, one.said.body, history, by_version.get(one.version))


def _applied(one: Exchange, config: Object, history: History, write: Write | None) -> Iterator[Violation]:
    manager, forced = one.request["fields"]["appliesAs"], one.parameter("force") == "true"
    if one.status == 409 and one.reason == "Conflict":
        states = [None if write is None else write.now for write in one.at(history)]
        if not any(_conflicting(state, config, manager) for state in states):
            yield Violation(CONFLICTS, f"{manager} was refused {one.token}, and nobody else owned it", one.seqs)
    elif one.status in (200, 201) and write is not None and write.now is not None and write.at >= one.began:
        if (mine := _owners(write.now).get((manager, "Apply"), set())) != set(_data(config)):
            text = f"{manager} applied {sorted(_data(config))} of {one.token}, and owns {sorted(mine)}"
            yield Violation(APPLIED, text, one.seqs)
        if other := [key for key, value in _data(config).items() if _data(write.now).get(key) != value]:
            yield Violation(APPLIED, f"{manager} applied {one.token}, and {other} are otherwise", one.seqs)
        if not forced and (keys := _conflicting(write.before, config, manager)):
            yield Violation(CONFLICTS, f"{manager} took {keys} of {one.token} from their owners, unforced", one.seqs)


def _data(obj: Object) -> dict[str, Any]:
    return obj.get("data") or {}


def _owners(obj: Object | None) -> dict[tuple[str, str], set[str]]:
    """Give the keys that each manager owns, by manager and operation."""
    found: dict[tuple[str, str], set[str]] = {}
    for entry in (obj or {}).get("metadata", {}).get("managedFields") or ():
        fields = entry.get("fieldsV1", {}).get("f:data", {})
        keys = {name.removeprefix("f:") for name in fields if name != "."}
        found.setdefault((entry.get("manager", ""), entry["operation"]), set()).update(keys)
    return found


def _conflicting(live: Object | None, config: Object, manager: str) -> list[str]:
    """Name the keys that a configuration would change, and that another owns."""
    others = [keys for who, keys in _owners(live).items() if who != (manager, "Apply")]
    return [
        key
        for key, value in _data(config).items()
        if live is not None and _data(live).get(key) != value and any(key in keys for keys in others)
    ]
