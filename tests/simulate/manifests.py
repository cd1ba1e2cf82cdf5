"""Files that lie on the workstation of a simulated cluster, for `kubectl apply -f`.

    greedy    more pods than nodes have CPUs for       strict    no surge: one pod after another
    modest    asks for memory, and needs less
    picky     tolerates the taint dedicated, five      surging   two more at first, none fewer at any time
              seconds long where it is NoExecute
    agent     a DaemonSet's pod on each node           probed    ready two seconds after it runs, and for as long
    sum       a Job: three times, two at once                    as nobody takes its file away
    failing   a Job that fails twice and is given up   left, right, both
                                                                 one ConfigMap as several managers want it
    tick      a Job each minute     slow, swift    one that takes longer: the next waits for it, or takes its place

They are JSON, which kubectl reads as it reads YAML.
"""

from typing import Any

import msgspec

FOLDER = "/root/simulated"
BEYOND = "greedy"
"""What does not fit, and is deleted before a cluster is expected to come to rest."""


def _deployment(
    name: str, replicas: int, *, strategy: Any = None, requests: dict[str, str] | None = None, **pod: Any
) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "nginx", "image": "nginx"}
    if requests:
        container["resources"] = {"requests": requests}
    spec: dict[str, Any] = {"replicas": replicas, **_pods(name, {"containers": [container], **pod})}
    if strategy:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": strategy}
    return _object("apps/v1", "Deployment", name, spec=spec)


def _object(version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **parts}


def _pods(name: str, pod: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": name}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _job(name: str, script: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "it", "image": "busybox", "command": ["sh", "-c", script]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return _object("batch/v1", "Job", name, spec={"template": template, **spec})


def _cron_job(name: str, seconds: int, policy: str) -> dict[str, Any]:
    job = _job(name, f"sleep {seconds}")
    spec = {"schedule": "* * * * *", "concurrencyPolicy": policy, "jobTemplate": {"spec": job["spec"]}}
    return _object("batch/v1", "CronJob", name, spec=spec)


def _shared(**data: str) -> dict[str, Any]:
    return _object("v1", "ConfigMap", SHARED, data=data)


SHARED = "shared"
MANAGERS = ("left", "right", "both")
"""Of the ConfigMap `SHARED`, each with a file."""
_TOLERATED = [
    {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "dedicated", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
]
_PROBED = {
    "name": "nginx",
    "image": "nginx",
    "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "echo yes > /tmp/ready"]}}},
    "readinessProbe": {"exec": {"command": ["cat", "/tmp/ready"]}, "initialDelaySeconds": 2, "periodSeconds": 2},
}
DEPLOYMENTS = {
    BEYOND: _deployment(BEYOND, 5, requests={"cpu": "1500m"}),
    "modest": _deployment("modest", 2, requests={"memory": "64Mi"}),
    "picky": _deployment("picky", 2, tolerations=_TOLERATED),
    "strict": _deployment("strict", 3, strategy={"maxSurge": 0, "maxUnavailable": 1}),
    "surging": _deployment("surging", 2, strategy={"maxSurge": 2, "maxUnavailable": 0}),
}
PROBED = "probed"
DAEMON_SET = "agent"
JOBS = {
    "sum": _job("sum", "sleep 3", completions=3, parallelism=2, backoffLimit=2),
    "failing": _job("failing", "sleep 1; exit 3", completions=1, backoffLimit=1),
}
CRON_JOBS = {
    "tick": _cron_job("tick", 3, "Allow"),
    "slow": _cron_job("slow", 100, "Forbid"),
    "swift": _cron_job("swift", 100, "Replace"),
}
OTHERS = {
    PROBED: _object("apps/v1", "Deployment", PROBED, spec={"replicas": 2, **_pods(PROBED, {"containers": [_PROBED]})}),
    DAEMON_SET: _object(
        "apps/v1", "DaemonSet", DAEMON_SET, spec=_pods(DAEMON_SET, {"containers": [{"name": "it", "image": "nginx"}]})
    ),
    "left": _shared(left="1", common="left"),
    "right": _shared(right="1", common="right"),
    "both": _shared(left="2", right="2"),
}
FILES = {
    f"{FOLDER}/{name}.json": msgspec.json.encode(each)
    for name, each in (DEPLOYMENTS | JOBS | CRON_JOBS | OTHERS).items()
}
