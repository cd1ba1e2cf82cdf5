"""What happens in a simulated cluster: a plan, drawn from one seed, of commands that people type and of faults.

    draw(7)  ->  Plan(seed=7, nodes=2, seconds=64.0, typed=(Typed(1.5, "kubectl create deployment web …"), …),
                      faults=(Partition(target="worker-1", start=12.0, end=31.0), …))

The kinds of fault take turns with the seed, so that seventeen seeds in a row have them all; the rest is chance. One
plan in ten is long: something takes a node away until its pods are evicted. Commands are drawn without looking at the
cluster, so many are refused, as people's are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cluster_engine.faults import FAULTS, Fault, read, write
from cluster_engine.faults.certificates import CLIENTS

NODES_MAX = 3
COMMANDS = (6, 14)
FAULTS_MAX = 3
SECONDS = (30.0, 70.0)
LONG_SECONDS = 400.0
LONG_EVERY = 10
DEPLOYMENTS = {"web": "nginx", "api": "httpd", "cache": "redis"}
VERSIONS = {"nginx": ("nginx", "nginx:1.27", "nginx:1.26"), "httpd": ("httpd", "httpd:2.4"), "redis": ("redis:7",)}
BINDINGS = ("system:kube-scheduler", "system:kube-controller-manager", "system:node-proxier")
TAKES_A_NODE_AWAY = ("power-off", "partition", "kill")


@dataclass(frozen=True, slots=True)
class Typed:
    """A line that somebody types; Ctrl-C after `seconds` when it has not ended by then (None: at the plan's end)."""

    at: float
    line: str
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.at:6.1f}  {self.line}" + (f"   (Ctrl-C after {self.seconds:g} s)" if self.seconds else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster's size and what is done to it within `seconds`; then everything is healed."""

    seed: int
    nodes: int
    seconds: float
    typed: tuple[Typed, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        head = f"{self.nodes} node{'s' if self.nodes > 1 else ''}, {self.seconds:g} s"
        lines = [(one.at, str(one)) for one in self.typed]
        lines += [(one.start, f"{one.start:6.1f}  fault {_described(one)}") for one in self.faults]
        return "\n".join([head, *(line for _, line in sorted(lines))])


def _described(fault: Fault) -> str:
    fields = {name: value for name, value in write(fault).items() if name not in ("name", "start", "seed")}
    return f"{fault.name} " + " ".join(f"{name}={value}" for name, value in fields.items())


def draw(seed: int) -> Plan:
    """Draw the plan of a seed."""
    rng = Random(seed)
    nodes = rng.randint(1, NODES_MAX)
    is_long = seed % LONG_EVERY == 0
    seconds = round(rng.uniform(*SECONDS), 1)
    typed = [Typed(0.5, _create(rng))]
    typed += [_typed(rng, seconds, nodes) for _ in range(rng.randint(*COMMANDS))]
    faults = _faults(rng, seed, seconds, nodes)
    if is_long:
        name = rng.choice(TAKES_A_NODE_AWAY)
        worker = f"worker-{rng.randint(1, nodes)}"
        faults.append(read({"name": name, "target": f"{worker}/kubelet" if name == "kill" else worker, "start": 10.0}))
    return Plan(
        seed, nodes, LONG_SECONDS if is_long else seconds, tuple(sorted(typed, key=_at)), tuple(_compatible(faults))
    )


def _at(typed: Typed) -> float:
    return typed.at


def _faults(rng: Random, seed: int, seconds: float, nodes: int) -> list[Fault]:
    names = list(FAULTS)
    chosen = [names[seed % len(names)], *rng.choices(names, k=rng.randint(0, FAULTS_MAX - 1))]
    return [_fault(rng, name, seconds, nodes) for name in chosen]


def _fault(rng: Random, name: str, seconds: float, nodes: int) -> Fault:
    worker = f"worker-{rng.randint(1, nodes)}"
    start = round(rng.uniform(1.0, seconds * 0.7), 1)
    end = rng.choice([None, round(start + rng.uniform(0.5, seconds - start), 1)])
    document = {"name": name, "start": start, "end": end, "seed": rng.randrange(1000)}
    match name:
        case "stop" | "kill" | "restart":
            document["target"] = _component(rng, worker)
        case "power-off":
            document["target"] = rng.choice(["control-plane", worker, worker])
        case "partition" | "latency" | "reset":
            target, peer = rng.choice([(worker, "control-plane"), (worker, "control-plane"), ("control-plane", worker)])
            document |= {"target": target, "peer": rng.choice([peer, peer, "workstation"])}
            if name == "partition":
                document["direction"] = rng.choice(["both", "out", "in"])
            elif name == "latency":
                document["seconds"] = round(rng.uniform(0.01, 1.5), 2)
            else:
                document["which"] = rng.choice(["all", "one"])
        case "certificate-expired" | "certificate-unknown-authority" | "certificate-wrong-identity":
            program = rng.choice(CLIENTS)
            document["target"] = f"{worker if program in ('kubelet', 'kube-proxy') else 'control-plane'}/{program}"
        case "binding-revoked":
            document["target"] = rng.choice(BINDINGS)
        case "image-not-found" | "crash-loop":
            document |= {"target": worker, "image": rng.choice(list(VERSIONS))}
            document["end"] = round(start + rng.uniform(1.0, 25.0), 1)  # or back-off would take minutes
    return read(document)


def _component(rng: Random, worker: str) -> str:
    control_plane = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    workers = ("containerd", "kubelet", "kube-proxy")
    return rng.choice([f"control-plane/{name}" for name in control_plane] + [f"{worker}/{name}" for name in workers])


def _compatible(faults: list[Fault]) -> list[Fault]:
    """Leave out what would claim what another has claimed."""
    kept: dict[str, Fault] = {}
    for number, fault in enumerate(faults):
        kept.setdefault(fault.claims() or str(number), fault)
    return sorted(kept.values(), key=lambda fault: fault.start)


# -- what people type -------------------------------------------------------------------------------------------------


def _typed(rng: Random, seconds: float, nodes: int) -> Typed:
    at = round(rng.uniform(0.5, seconds * 0.9), 1)
    make = rng.choices([one for one, _ in _LINES], [weight for _, weight in _LINES])[0]
    line = make(rng, nodes)
    patience = round(rng.uniform(3.0, 30.0), 1) if "-w" in line.split() or "watch" in line else None
    return Typed(at, f"kubectl {line}" if not line.startswith("kubectl ") else line, patience)


def _create(rng: Random) -> str:
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
            "delete pod solo",
            "delete pod solo --grace-period=0 --force",
            "delete pods -l app=web --wait=false",
            "delete pods --all --timeout=20s",
            "label pods -l app=web tier=front --overwrite",
            "label pods -l app=web app=lost --overwrite",
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
            "get --raw '/api/v1/pods?watch=true&resourceVersion=1'",
            f"get --raw '/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dworker-{rng.randint(1, nodes)}'",
        ]
    )


_LINES: list[tuple[Callable[[Random, int], str], int]] = [
    (lambda rng, _: _create(rng), 4),
    (lambda rng, _: f"scale deployment {_deployment(rng)} --replicas={rng.randint(0, 5)}", 6),
    (_set_image, 4),
    (lambda rng, _: f"rollout restart deployment/{_deployment(rng)}", 2),
    (lambda rng, _: f"rollout undo deployment/{_deployment(rng)}", 1),
    (lambda rng, _: f"delete deployment {_deployment(rng)}" + rng.choice(["", " --cascade=foreground"]), 3),
    (lambda rng, _: f"expose deployment {_deployment(rng)} --port=80", 3),
    (lambda rng, _: f"delete service {_deployment(rng)}", 1),
    (lambda rng, _: f"annotate deployment {_deployment(rng)} note={rng.randint(1, 9)} --overwrite", 1),
    (_config_map, 4),
    (_pod, 6),
    (_node, 3),
    (_namespace, 3),
    (_look, 8),
]
