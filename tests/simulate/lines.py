"""What people type into a simulated cluster: lines drawn without looking at it, so that many are refused."""

from collections.abc import Callable
from random import Random

from tests.simulate import manifests

DEPLOYMENTS = {"web": "nginx", "api": "httpd", "cache": "redis"}
VERSIONS = {"nginx": ("nginx", "nginx:1.27", "nginx:1.26"), "httpd": ("httpd", "httpd:2.4"), "redis": ("redis:7",)}


def draw_line(rng: Random, nodes: int) -> str:
    """Draw a line for a cluster of so many nodes."""
    make = rng.choices([one for one, _ in _LINES], [weight for _, weight in _LINES])[0]
    line = make(rng, nodes)
    return line if line.startswith("kubectl ") else f"kubectl {line}"


def create(rng: Random) -> str:
    name = rng.choice(list(DEPLOYMENTS))
    return f"kubectl create deployment {name} --image={DEPLOYMENTS[name]} --replicas={rng.randint(1, 4)}"


def _deployment(rng: Random) -> str:
    return rng.choice([*DEPLOYMENTS, "web", "web"])


def _set_image(rng: Random, _: int) -> str:
    name = _deployment(rng)
    image = DEPLOYMENTS[name]
    return f"set image deployment/{name} {image}={rng.choice(VERSIONS[image])}"


def _config_map(rng: Random, _: int) -> str:
    name, value = f"settings-{rng.randint(1, 3)}", rng.randint(1, 99)
    return rng.choice(
        [
            f"create configmap {name} --from-literal=a={value}",
            f'patch configmap {name} -p \'{{"data":{{"a":"{value}"}}}}\'',
            f"label configmap {name} n={value} --overwrite",
            f"delete configmap {name}",
        ]
    )


def _node(rng: Random, nodes: int) -> str:
    name = f"worker-{rng.randint(1, nodes)}"
    return rng.choice(
        [
            f"cordon {name}",
            f"uncordon {name}",
            f"label node {name} zone={rng.choice('ab')} --overwrite",
            f"taint node {name} dedicated=x:{rng.choice(['NoSchedule', 'NoExecute', 'PreferNoSchedule'])} --overwrite",
            f"taint node {name} dedicated-",
            f"drain {name} --ignore-daemonsets --force --delete-emptydir-data --timeout=20s",
        ]
    )


def _namespace(rng: Random, _: int) -> str:
    return rng.choice(
        [
            "create namespace team",
            "delete namespace team",
            "create deployment shop --image=nginx -n team",
            "create configmap settings --from-literal=a=1 -n team",
        ]
    )


def _pod(rng: Random, _: int) -> str:
    return rng.choice(
        [
            "run solo --image=nginx",
            "run once --image=busybox --restart=Never -- sleep 5",
            "run crasher --image=busybox -- sh -c 'exit 1'",
            "delete pod solo",
            "delete pod solo --grace-period=0 --force",
            "delete pods -l app=web --wait=false",
            "delete pods --all --timeout=20s",
            "label pods -l app=web tier=front --overwrite",
            "label pods -l app=web app=lost --overwrite",
        ]
    )


def _apply(rng: Random, _: int) -> str:
    name = rng.choice(list(manifests.DEPLOYMENTS))
    return rng.choice(
        [
            f"apply -f {manifests.FOLDER}/{name}.json",
            f"apply -f {manifests.FOLDER}/{name}.json",
            f"set image deployment/{name} nginx={rng.choice(VERSIONS['nginx'])}",
            f"scale deployment {name} --replicas={rng.randint(0, 4)}",
        ]
    )


def _look(rng: Random, nodes: int) -> str:
    return rng.choice(
        [
            "get pods",
            "get pods -A -o wide",
            "get deployments,replicasets",
            "get nodes -o yaml",
            "describe deployment web",
            "get events",
            f"logs deployment/{_deployment(rng)}",
            f"rollout status deployment/{_deployment(rng)} --timeout=20s",
            f"wait --for=condition=Available deployment/{_deployment(rng)} --timeout=20s",
            "get pods -w",
            "get pods -w -l app=web",
            "get deployments -A -w",
            "get --raw '/api/v1/configmaps?watch=true'",
            "get --raw '/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
            "&allowWatchBookmarks=true'",
            "get --raw '/api/v1/pods?watch=true&resourceVersion=1'",
            f"get --raw '/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dworker-{rng.randint(1, nodes)}'",
        ]
    )


_LINES: list[tuple[Callable[[Random, int], str], int]] = [
    (lambda rng, _: create(rng), 4),
    (lambda rng, _: f"scale deployment {_deployment(rng)} --replicas={rng.randint(0, 5)}", 6),
    (_set_image, 4),
    (lambda rng, _: f"rollout restart deployment/{_deployment(rng)}", 2),
    (lambda rng, _: f"rollout undo deployment/{_deployment(rng)}", 1),
    (
        lambda rng, _: (
            f"delete deployment {_deployment(rng)}" + rng.choice(["", " --cascade=foreground", " --cascade=orphan"])
        ),
        3,
    ),
    (lambda rng, _: f"expose deployment {_deployment(rng)} --port=80", 3),
    (lambda rng, _: f"delete service {_deployment(rng)}", 1),
    (lambda rng, _: f"annotate deployment {_deployment(rng)} note={rng.randint(1, 9)} --overwrite", 1),
    (_config_map, 4),
    (_pod, 6),
    (_node, 3),
    (_namespace, 3),
    (_apply, 5),
    (_look, 8),
]
