"""What happens in a simulated cluster: a plan, drawn from one seed, of commands, faults, and clients that race.

    draw(7)  ->  Plan(seed=7, nodes=2, seconds=64.0, typed=(Typed(1.5, "kubectl create deployment web …"), …),
                      faults=(Partition(target="worker-1", start=12.0, end=31.0), …))

The kinds of fault take turns with the seed, so that as many seeds in a row as there are kinds have them all; the rest
is chance. One plan in ten is long: something takes a node away until its pods are evicted. In one in five each of the
two programs that are elected has a standby. A *moment* is a fault that happens once a predicate over the journal or
etcd holds, as an instructor's does, sealed or not.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from cluster_engine.apiserver.trouble import CODES
from cluster_engine.cast import PROGRAMS as HOST_PROGRAMS
from cluster_engine.faults import FAULTS, UNOFFERED, Fault, read, write
from cluster_engine.faults.storylines import STORYLINES
from cluster_engine.world.work import REAL_EFFORT
from tests.simulate.clients import CLIENTS as PROGRAMS
from tests.simulate.lines import VERSIONS, create, draw_line, is_endless

NODES_MAX = 3
CERTIFIED = tuple(one.name for one in HOST_PROGRAMS if one.identity and not one.identity.account)
COMMANDS = (6, 14)
FAULTS_MAX = 3
SECONDS = (30.0, 70.0)
LONG_SECONDS = 400.0
LONG_EVERY = 10
BINDINGS = ("system:kube-scheduler", "system:kube-controller-manager", "kubeadm:node-proxier")
TAKES_A_NODE_AWAY = ("power-off", "partition", "kill")
KINDS = {**FAULTS, **UNOFFERED}
OF_TWO_NODES = ("node-name-taken",)
CLIENTS_EACH = 2
STANDBY_EVERY = 5
GATEWAY_EVERY = 25
SYSTEM_PODS_EVERY = 4
ETCD_MEMBERS_EVERY = 10
OF_ONE_MEMBER = ("etcd-disk-lost", "etcd-restored")
"""What several members do not get over by themselves."""
RESOURCES = ("pods", "deployments", "replicasets", "nodes", "leases", "pods/status")
MOMENT_SHARE = 0.4
MOMENTS = ("stop", "kill", "restart", "partition", "latency", "reset", "bad-link", "etcd-slow-disk")
WHENS: tuple[dict[str, Any], ...] = (
    {"entry": {"kind": "http.request", "fields": {"verb": "create", "resource": "pods", "subresource": "binding"}}},
    {"entry": {"kind": "containerd.started"}},
    {"entry": {"kind": "watch.event", "fields": {"type": "DELETED"}}},
    {"objects": {"resource": "pods", "where": {"status.phase": "Running"}, "count": 2}},
    {"not": {"objects": {"resource": "pods", "where": {"status.phase": "Running"}}}},
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A line that somebody types; Ctrl-C after `seconds` when it has not ended by then (None: at the plan's end)."""

    at: float
    line: str
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.at:6.1f}  {self.line}" + (f"   (Ctrl-C after {self.seconds:g} s)" if self.seconds else "")


@dataclass(frozen=True, slots=True)
class Moment:
    """A fault that happens once a predicate (`cluster_engine.predicates`) holds."""

    record: Fault
    when: dict[str, Any]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster's size and what is done to it within `seconds`; then everything is healed."""

    seed: int
    nodes: int
    seconds: float
    typed: tuple[Typed, ...] = ()
    faults: tuple[Fault, ...] = ()
    moments: tuple[Moment, ...] = ()
    clients: tuple[tuple[float, str], ...] = ()
    standby: bool = False
    gateway: bool = False
    system_pods: bool = False
    etcd_members: int = 1
    effort: float = 0.0

    def __str__(self) -> str:
        head = f"{self.nodes} node{'s' if self.nodes > 1 else ''}, {self.seconds:g} s"
        lines = [(one.at, str(one)) for one in self.typed]
        lines += [(one.start, f"{one.start:6.1f}  fault {_described(one)}") for one in self.faults]
        lines += [(at, f"{at:6.1f}  client {name}") for at, name in self.clients]
        lines += [(0.0, f"  then  fault {_described(one.record)}, once {one.when}") for one in self.moments]
        if self.etcd_members > 1:
            lines.append((0.0, f"   0.0  {self.etcd_members} members of etcd"))
        lines += [
            (0.0, f"   0.0  {what}") for what in ("standby", "gateway", "system_pods", "effort") if getattr(self, what)
        ]
        return "\n".join([head, *(line for _, line in sorted(lines))])


def _described(fault: Fault) -> str:
    fields = {name: value for name, value in write(fault).items() if name not in ("name", "start", "seed")}
    return f"{fault.name} " + " ".join(f"{name}={value}" for name, value in fields.items())


def draw(seed: int) -> Plan:
    """Draw the plan of a seed."""
    rng = Random(seed)
    nodes = rng.randint(1 + (_whose_turn(seed) in OF_TWO_NODES), NODES_MAX)
    is_long = seed % LONG_EVERY == 0
    seconds = round(rng.uniform(*SECONDS), 1)
    typed = [Typed(0.5, create(rng))]
    typed += [_typed(rng, seconds, nodes) for _ in range(rng.randint(*COMMANDS))]
    faults = _faults(rng, seed, seconds, nodes)
    if is_long:
        name = rng.choice(TAKES_A_NODE_AWAY)
        worker = f"worker-{rng.randint(1, nodes)}"
        faults.append(read({"name": name, "target": f"{worker}/kubelet" if name == "kill" else worker, "start": 10.0}))
    has_members = seed % ETCD_MEMBERS_EVERY == 4 and not any(one.name in OF_ONE_MEMBER for one in faults)
    if has_members:
        faults += _of_members(Random(f"{seed}/members"), seconds)
    clients = [(round(rng.uniform(0.5, seconds * 0.7), 1), name) for name in _clients(rng)]
    system_pods = seed % SYSTEM_PODS_EVERY == 3
    if system_pods:  # where kube-proxy is in a pod its token is no file of the host
        faults = [one for one in faults if one.name != "token-refused"]
    return Plan(
        seed,
        nodes,
        LONG_SECONDS if is_long else seconds,
        tuple(sorted(typed, key=_at)),
        tuple(_compatible(faults)),
        tuple(_moment(rng, seconds, nodes) for _ in range(rng.random() < MOMENT_SHARE)),
        tuple(sorted(clients)),
        standby=seed % STANDBY_EVERY == 1,
        gateway=seed % GATEWAY_EVERY == 2,
        system_pods=system_pods,
        etcd_members=3 if has_members else 1,
        effort=REAL_EFFORT if seed % 2 else 0.0,
    )


def _typed(rng: Random, seconds: float, nodes: int) -> Typed:
    at, line = round(rng.uniform(0.5, seconds * 0.9), 1), draw_line(rng, nodes)
    patience = round(rng.uniform(3.0, 30.0), 1) if is_endless(line) else None
    return Typed(at, line, patience)


def _clients(rng: Random) -> list[str]:
    names = rng.sample(list(PROGRAMS), k=CLIENTS_EACH)
    return [name for name in names for _ in range(2 if name == "contender" else 1)]


def _moment(rng: Random, seconds: float, nodes: int) -> Moment:
    record = _fault(rng, rng.choice(MOMENTS), seconds, nodes)
    start = round(rng.uniform(0.0, 0.5), 2)
    end = None if record.end is None else start + round(rng.uniform(1.0, 10.0), 1)
    return Moment(replace(record, start=start, end=end), rng.choice(WHENS), sealed=rng.random() < 0.5)


def _at(typed: Typed) -> float:
    return typed.at


def _faults(rng: Random, seed: int, seconds: float, nodes: int) -> list[Fault]:
    chosen = [_whose_turn(seed), *rng.choices(list(KINDS), k=rng.randint(0, FAULTS_MAX - 1))]
    return [_fault(rng, name, seconds, nodes) for name in chosen if nodes > 1 or name not in OF_TWO_NODES]


def _whose_turn(seed: int) -> str:
    return list(KINDS)[seed % len(KINDS)]


def _fault(rng: Random, name: str, seconds: float, nodes: int) -> Fault:
    worker = f"worker-{rng.randint(1, nodes)}"
    start = round(rng.uniform(1.0, seconds * 0.7), 1)
    end = rng.choice([None, round(start + rng.uniform(0.5, seconds - start), 1)])
    document = {"name": name, "start": start, "end": end, "seed": rng.randrange(1000)}
    match name:
        case "stop" | "kill" | "restart" | "slow":
            document["target"] = _component(rng, worker)
            if name == "slow":
                document["times"] = rng.choice([20.0, 300.0])
        case "power-off":
            document["target"] = rng.choice(["control-plane", worker, worker])
        case "partition" | "latency" | "reset" | "half-open" | "bad-link" | "loss" | "jitter" | "bandwidth":
            document |= _link(rng, worker, nodes)
            if name == "partition":
                document["direction"] = rng.choice(["both", "out", "in"])
            elif name in ("latency", "jitter"):
                document["seconds"] = round(rng.uniform(0.01, 1.5), 2)
            elif name == "loss":
                document["lost"] = rng.choice([0.05, 0.3])
            elif name == "bandwidth":
                document["kilobits"] = rng.choice([64.0, 1000.0])
            elif name == "bad-link":
                document |= {share: rng.choice([0.0, 0.05, 0.2]) for share in ("lost", "late", "repeated")}
                document["damaged"] = rng.choice([0.0, 0.0, 0.02])
            elif name == "reset":
                document["which"] = rng.choice(["all", "one"])
        case (
            "certificate-expired"
            | "certificate-not-yet-valid"
            | "certificate-unknown-authority"
            | "certificate-wrong-identity"
            | "certificate-missing"
            | "tls-mismatch"
        ):
            program = rng.choice(CERTIFIED)
            document["target"] = f"{worker if program == 'kubelet' else 'control-plane'}/{program}"
        case "node-name-taken":
            clone, model = rng.sample(range(1, nodes + 1), k=2)
            document |= {"target": f"worker-{clone}", "peer": f"worker-{model}"}
        case "binding-revoked":
            document["target"] = rng.choice(BINDINGS)
        case "token-refused":
            document |= {"target": f"{worker}/kube-proxy", "how": rng.choice(("expired", "tampered"))}
        case "storyline":
            document |= {"target": rng.choice(list(STORYLINES)), "worker": worker}
        case "etcd-restored":
            document["revisions"] = rng.choice([1, 10, 100])
        case "image-not-found" | "crash-loop" | "out-of-memory" | "hang":
            document |= {"target": worker, "image": rng.choice(list(VERSIONS))}
            document["end"] = round(start + rng.uniform(1.0, 25.0), 1)  # or back-off would take minutes
        case "pressure":
            document |= {"target": worker, "resource": rng.choice(("memory", "disk", "pids"))}
        case "clock-skew":
            document |= {"target": rng.choice(["control-plane", worker]), "seconds": round(rng.uniform(-45.0, 45.0), 1)}
        case "etcd-slow-disk":
            document["seconds"] = rng.choice([0.02, 0.2, 1.5])
        case "slow-watcher":
            program = rng.choice(CERTIFIED)
            document["target"] = f"{worker if program == 'kubelet' else 'control-plane'}/{program}"
            document |= {"resource": rng.choice(RESOURCES[:-1]), "seconds": rng.choice([0.05, 2.0])}
        case "request-refused" | "answer-lost" | "watch-dropped" | "stale-cache":
            document |= _requests(rng, name)
    return read(document)


def _of_members(rng: Random, seconds: float) -> list[Fault]:
    """Draw what happens to one member of three, and to the link of two."""
    hosts = rng.sample(("control-plane", "etcd-2", "etcd-3"), k=3)
    start = round(rng.uniform(1.0, seconds * 0.5), 1)
    end = round(start + rng.uniform(1.0, seconds * 0.4), 1)
    first = rng.choice((
        {"name": "kill", "target": f"{hosts[0]}/etcd"},
        {"name": "stop", "target": f"{hosts[0]}/etcd"},
        {"name": "etcd-slow-disk", "target": f"{hosts[0]}/etcd", "seconds": rng.choice([0.2, 1.5])},
    ))  # fmt: skip
    link = {"name": "partition", "target": hosts[1], "peer": hosts[2], "direction": rng.choice(["both", "out", "in"])}
    return [read({**one, "start": start, "end": end}) for one in (first, link)]


def _requests(rng: Random, name: str) -> dict[str, Any]:
    drawn: dict[str, Any] = {"resource": rng.choice(RESOURCES)}
    if name in ("request-refused", "answer-lost"):
        drawn |= {"verb": rng.choice(("create", "update", "patch", "delete")), "nth": rng.randint(1, 4)}
    if name == "request-refused":
        code = rng.choice(CODES)
        drawn |= {"code": code, "times": rng.randint(1, 5)}
        if code not in (409, 410):
            drawn["verb"] = rng.choice((drawn["verb"], "get", "list", "watch"))
    return drawn


def _link(rng: Random, worker: str, nodes: int) -> dict[str, str]:
    other = f"worker-{rng.randint(1, nodes)}"
    if other != worker:
        return {"target": worker, "peer": rng.choice([other, "control-plane"])}
    target, peer = rng.choice([(worker, "control-plane"), (worker, "control-plane"), ("control-plane", worker)])
    return {"target": target, "peer": rng.choice([peer, peer, "workstation"])}


def _component(rng: Random, worker: str) -> str:
    control_plane = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    workers = ("containerd", "kubelet", "kube-proxy")
    return rng.choice([f"control-plane/{name}" for name in control_plane] + [f"{worker}/{name}" for name in workers])


def _compatible(faults: list[Fault]) -> list[Fault]:
    """Leave out what would claim what another has claimed."""
    kept: list[Fault] = []
    claimed: set[str] = set()
    for fault in faults:
        claims = {one.claims() for one in (fault, *fault.parts())} - {""}
        if not claims & claimed:
            kept.append(fault)
            claimed |= claims
    return sorted(kept, key=lambda fault: fault.start)
