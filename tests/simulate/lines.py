"""What people type into a simulated cluster: lines drawn without looking at it, so that many are refused."""

import re
from collections.abc import Callable
from random import Random

from tests.simulate import manifests

DEPLOYMENTS = {"web": "nginx", "api": "httpd", "cache": "redis"}
VERSIONS = {"nginx": ("nginx", "nginx:1.27", "nginx:1.26"), "httpd": ("httpd", "httpd:2.4"), "redis": ("redis:7",)}


OTHERS = ("kubectl ", "ssh ", "for ")
"""How lines begin that are no kubectl's arguments."""
ENDLESS = re.compile(r"watch=true|port-forward|attach|logs -f| -(w|it)\b")


def draw_line(rng: Random, nodes: int) -> str:
    """Draw a line for a cluster of so many nodes."""
    make = rng.choices([one for one, _ in _LINES], [weight for _, weight in _LINES])[0]
    line = make(rng, nodes)
    return line if line.startswith(OTHERS) else f"kubectl {line}"


def is_endless(line: str) -> bool:
    """Whether a line may end by Ctrl-C only."""
    return bool(ENDLESS.search(line))


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


def _workloads(rng: Random, _: int) -> str:
    job, agent = rng.choice(list(manifests.JOBS)), manifests.DAEMON_SET
    return rng.choice(
        [
            f"apply -f {manifests.FOLDER}/{job}.json",
            f"apply -f {manifests.FOLDER}/{job}.json",
            f"delete job {job}",
            f"delete pods -l job-name={job} --wait=false",
            f"wait --for=condition=Complete job/{job} --timeout=20s",
            f"create job once-{rng.randint(1, 3)} --image=busybox -- sleep {rng.randint(0, 9)}",
            f"apply -f {manifests.FOLDER}/{agent}.json",
            f"rollout restart daemonset/{agent}",
            f"set image daemonset/{agent} it={rng.choice(VERSIONS['nginx'])}",
            f"delete daemonset {agent}",
        ]
    )


def _each_minute(rng: Random, _: int) -> str:
    name = rng.choice(list(manifests.CRON_JOBS))
    return rng.choice(
        [
            f"apply -f {manifests.FOLDER}/{name}.json",
            f"apply -f {manifests.FOLDER}/{name}.json",
            f"apply -f {manifests.FOLDER}/{name}.json",
            f'patch cronjob {name} -p \'{{"spec":{{"suspend":{rng.choice(["true", "false"])}}}}}\'',
            f"create job by-hand-{rng.randint(1, 3)} --from=cronjob/{name}",
            f"delete cronjob {name}",
        ]
    )


def _applied_by_several(rng: Random, _: int) -> str:
    name = rng.choice(manifests.MANAGERS)
    return rng.choice(
        [
            f"apply --server-side --field-manager={name} -f {manifests.FOLDER}/{name}.json",
            f"apply --server-side --field-manager={name} -f {manifests.FOLDER}/{name}.json --force-conflicts",
            f'patch configmap {manifests.SHARED} -p \'{{"data":{{"left":"{rng.randint(1, 3)}"}}}}\'',
            f'patch configmap {manifests.SHARED} -p \'{{"data":{{"common":null}}}}\'',
            f"delete configmap {manifests.SHARED}",
        ]
    )


def _inside(rng: Random, _: int) -> str:
    """What acts in pods, and on what runs there."""
    name = _deployment(rng)
    port, pod = rng.randint(8080, 8089), rng.choice([f"deployment/{name}", f"deployment/{manifests.PROBED}", "solo"])
    return rng.choice(
        [
            f"exec {pod} -- hostname",
            f"exec {pod} -- sh -c 'echo {port} > /tmp/n; sleep {rng.randint(0, 4)}; cat /tmp/n; exit 3'",
            f"exec {pod} -- sh -c 'for n in 1 2 3 4 5; do curl -s -m 3 http://{name}; sleep 1; done'",
            f"exec {pod} -- nslookup {name}.default.svc.cluster.local",
            "exec -it solo -- sh",
            f"exec deployment/{manifests.PROBED} -- rm /tmp/ready",
            f"exec deployment/{manifests.PROBED} -- sh -c 'echo yes > /tmp/ready'",
            f"port-forward deployment/{name} {port}:80",
            f"port-forward service/{name} {port}:80",
            "attach solo",
            f"logs -f deployment/{name}",
            "cp /etc/hostname solo:/tmp/from-here",
            "cp solo:/etc/hostname /tmp/from-there",
        ]
    )


def _through_a_service(rng: Random, nodes: int) -> str:
    name = rng.choice([_deployment(rng), manifests.PROBED])
    address = f"$(kubectl get service {name} -o jsonpath={{.spec.clusterIP}})"
    curl = f"ssh worker-{rng.randint(1, nodes)} curl -s -m 3 http://{address}"
    return rng.choice([curl, f"for n in 1 2 3 4 5 6 7 8; do {curl}; sleep 1; done"])


def _probed(rng: Random, _: int) -> str:
    return rng.choice(
        [
            f"apply -f {manifests.FOLDER}/{manifests.PROBED}.json",
            f"expose deployment {manifests.PROBED} --port=80",
            f"rollout restart deployment/{manifests.PROBED}",
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
    (_workloads, 7),
    (_each_minute, 4),
    (_applied_by_several, 4),
    (_inside, 8),
    (_through_a_service, 5),
    (_probed, 4),
    (_look, 8),
]
