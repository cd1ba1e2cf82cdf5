"""Files that lie on the workstation of a simulated cluster, for `kubectl apply -f`.

    greedy    more pods than nodes have CPUs for       strict    no surge: one pod after another
    picky     tolerates the taint dedicated, five      surging   two more at first, none fewer at any time
              seconds long where it is NoExecute

They are JSON, which kubectl reads as it reads YAML.
"""

from typing import Any

import msgspec

FOLDER = "/root/simulated"
BEYOND = "greedy"
"""What does not fit, and is deleted before a cluster is expected to come to rest."""


def _deployment(name: str, replicas: int, *, strategy: Any = None, cpu: str = "", **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    container: dict[str, Any] = {"name": "nginx", "image": "nginx"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    spec: dict[str, Any] = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}},
    }
    if strategy:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": strategy}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


_TOLERATED = [
    {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "dedicated", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
]
DEPLOYMENTS = {
    BEYOND: _deployment(BEYOND, 5, cpu="1500m"),
    "picky": _deployment("picky", 2, tolerations=_TOLERATED),
    "strict": _deployment("strict", 3, strategy={"maxSurge": 0, "maxUnavailable": 1}),
    "surging": _deployment("surging", 2, strategy={"maxSurge": 2, "maxUnavailable": 0}),
}
FILES = {f"{FOLDER}/{name}.json": msgspec.json.encode(each) for name, each in DEPLOYMENTS.items()}
