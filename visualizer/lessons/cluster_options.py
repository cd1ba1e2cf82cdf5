"""What a cluster may be besides so many nodes with a seed, and what it is where nobody asks: names of `ClusterSpec`.

A sandbox's link, a form, `cluster:` of a lesson (with a dash), a row of the database and the order to a worker all have
them under these names, so that a new one is a line here, a field of each of those, and a word in their texts.

    /sandbox/?audit=on      {"system_pods": False, "etcd_members": 1, "audit": True, "key_lab": False}
"""

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {"system_pods": False, "etcd_members": 1, "audit": False, "key_lab": False}


def of(thing: Any) -> dict[str, Any]:
    """Return the options of what has them as attributes."""
    return {name: getattr(thing, name) for name in DEFAULTS}


def beyond_defaults(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that somebody asked for."""
    return {name: wanted for name, wanted in options.items() if wanted != DEFAULTS[name]}
