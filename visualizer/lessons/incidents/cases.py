"""What an incident can be: faults whose effect shows within a few minutes and that have a remedy.

The cluster has a workload that changes all the time (`made`), so whoever is missing is soon missed. For each case:

    fault       the record that is let happen, sealed
    also        other names of the same state: who is asked what is broken may say that kube-apiserver was killed, or
                that the API server is down; nobody could tell the two apart
    remedy      what a person would do. MINE are done from the workstation with kubectl, the others by whoever gets at
                the host, and happen once they are asked for
    seen        the first message that shows it, after it began
    works       what is seen once the cluster works again, after the remedy
    by_hand     of MINE: lines that repair it, which the tests type

Some are storylines, several faults one after the other. Their last part is what is broken in the end, so its name is
right too. Left out are faults that are over at once (restart, reset, etcd-compacted), and what shows too late or too
little; the tests say which, and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults import read

Document = dict[str, Any]
Place = tuple[str, str]

API_SERVER, ETCD = f"{CONTROL_PLANE}/kube-apiserver", f"{CONTROL_PLANE}/etcd"
SCHEDULER, MANAGER = f"{CONTROL_PLANE}/kube-scheduler", f"{CONTROL_PLANE}/kube-controller-manager"
WORKERS = ("worker-1", "worker-2")
DOWN = ("stop", "kill")
LATENCY_SECONDS, JITTER_SECONDS, LOST, KILOBITS = 3.0, 6.0, 0.4, 16.0
FSYNC_SECONDS, SLOW_TIMES, EVENT_SECONDS = 1.5, 10_000.0, 20.0


class Remedy(StrEnum):
    """What is done about it; the page has the words in the prose of the question `remedy`."""

    START = "start"
    POWER = "power"
    LINK = "link"
    CERTIFICATE = "certificate"
    BINDING = "binding"
    IMAGE = "image"
    TOKEN = "token"
    UPDATE = "update"
    DISK = "disk"
    ROOM = "room"
    PROCESSOR = "processor"
    NAME = "name"


MINE = (Remedy.BINDING, Remedy.IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that an incident can be. `seen` and `works` are predicates, as documents."""

    fault: Document
    remedy: Remedy
    seen: Document
    works: Document
    also: tuple[Place, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Return the fault's name and its target."""
        return self.fault["name"], self.fault["target"]

    @property
    def id(self) -> str:
        """Name the case, for tests and their reports."""
        return " ".join(self.place)


# -- what shows it, and what shows that it is over ---------------------------------------------------------------------


def _entry(kind: Any, *, to: str | list[str] | None = None, by: str | None = None, **fields: Any) -> Document:
    ends = {key: value for key, value in (("from", by), ("to", to)) if value is not None}
    return {"entry": {"kind": kind, **ends, "fields": fields}}


def _after(name: str, document: Document) -> Document:
    return {"entry": {**document["entry"], "after": name}}


def _began(document: Document) -> Document:
    return _after("began", document)


def _goodbye(component: str) -> Document:
    peer = {"to": API_SERVER} if component != API_SERVER else {}
    return _began({"entry": {"kind": ["tcp.fin", "tcp.rst"], "from": component, **peer}})


def _silent(worker: str) -> Document:
    """kube-controller-manager says that it has not heard of a node for too long."""
    return _began(_entry("http.request", by=MANAGER, resource="nodes", subresource="status", name=worker))


def _refused(component: str, status: int) -> Document:
    return _began(_entry("http.response", to=component, status=status))


def _alert(component: str) -> Document:
    return _began(_entry("tls.alert", to=component, level="fatal"))


def _pods_wait_for_a_node() -> Document:
    """A pod is created, and then nothing follows for a while; there is no message that says so."""
    return _began(_entry("http.response", to=MANAGER, resource="pods", verb="create", status=201))


def _node_is_back(worker: str) -> Document:
    renewed = _entry("http.response", to=f"{worker}/kubelet", resource="leases", status=200)
    ready = {
        "objects": {"resource": "nodes", "name": worker, "where": {"status.conditions[type=Ready].status": "True"}}
    }
    return {"all": [_after("mended", renewed), ready]}


def _pods_are_bound() -> Document:
    kubelets = [f"{worker}/kubelet" for worker in WORKERS]
    return _after("mended", _entry("watch.event", to=kubelets, type="ADDED", resource="pods"))


def _pods_are_made() -> Document:
    return _after("mended", _entry("http.response", to=MANAGER, resource="pods", verb="create", status=201))


def _writes_succeed() -> Document:
    return _after("mended", _entry("http.response", to="workstation/kubectl", verb="patch", status=200))


def _pressure_is_over(worker: str) -> Document:
    """Five minutes after there is room again: so long a kubelet waits (evictionPressureTransitionPeriod)."""
    reported = _after("mended", _entry("http.request", by=f"{worker}/kubelet", resource="nodes", subresource="status"))
    gone = {f"status.conditions[type={one}Pressure].status": "False" for one in ("Memory", "Disk")}
    return {"all": [reported, {"objects": {"resource": "nodes", "name": worker, "where": gone}}]}


def _works_again(component: str) -> Document:
    works = {SCHEDULER: _pods_are_bound, MANAGER: _pods_are_made, API_SERVER: _writes_succeed, ETCD: _writes_succeed}
    return works[component]() if component in works else _node_is_back(component.split("/", maxsplit=1)[0])


# -- the cases ---------------------------------------------------------------------------------------------------------


def _down(component: str, special: str | None = None) -> Iterator[Case]:
    """A component that is stopped or killed; `special` is the fault of its own that kills it."""
    works = _works_again(component)
    names = (*DOWN, special) if special else DOWN
    for name in (special,) if special else DOWN:
        yield Case(
            fault={"name": name, "target": component},
            also=tuple((other, component) for other in names if other != name),
            remedy=Remedy.START,
            seen=_goodbye(component),
            works=works,
        )


def _certificate(component: str, name: str, status: int) -> Case:
    works = _works_again(component)
    return Case(
        fault={"name": name, "target": component},
        remedy=Remedy.CERTIFICATE,
        seen=_refused(component, status),
        works=works,
    )


def _old_tls(component: str) -> Case:
    return Case(
        fault={"name": "tls-mismatch", "target": component},
        remedy=Remedy.UPDATE,
        seen=_alert(component),
        works=_works_again(component),
    )


def _slow(name: str, other: str, **how: Any) -> Case:
    """The scheduler is late; whether at reading or at thinking, nobody could tell."""
    return Case(
        fault={"name": name, "target": SCHEDULER, **how},
        also=((other, SCHEDULER),),
        remedy=Remedy.PROCESSOR,
        seen=_pods_wait_for_a_node(),
        works=_pods_are_bound(),
    )


def _storyline(name: str, remedy: Remedy, seen: Document, works: Document, **how: Any) -> Case:
    fault = {"name": "storyline", "target": name, **how}
    last = read(fault).parts()[-1]
    return Case(fault=fault, also=((last.name, last.target),), remedy=remedy, seen=seen, works=works)


def _binding(name: str, account: str, flag: str, refused: str, works: Document) -> Case:
    bound = {"roleRef.name": name, f"subjects[name={account}].name": account}
    return Case(
        fault={"name": "binding-revoked", "target": name},
        remedy=Remedy.BINDING,
        seen=_refused(refused, 403),
        works={"all": [{"objects": {"resource": "clusterrolebindings", "where": bound}}, works]},
        by_hand=(f"kubectl create clusterrolebinding {name} --clusterrole={name} {flag}",),
    )


def _image(worker: str, name: str, seen: Document) -> Case:
    """Another image, or a cordoned worker without pods of it: either way all are ready."""
    deployment = {"resource": "deployments", "group": "apps", "name": "web"}
    ready = {"status.unavailableReplicas": None, "status.readyReplicas": {"least": 2}}
    another = {
        "objects": {
            **deployment,
            "where": {"spec.template.spec.containers[name=nginx].image": {"not": "nginx"}, **ready},
        }
    }
    cordoned = {"objects": {"resource": "nodes", "name": worker, "where": {"spec.unschedulable": True}}}
    nowhere = {"objects": {"resource": "pods", "name": "web-*", "where": {"spec.nodeName": worker}, "count": 0}}
    elsewhere = {"all": [cordoned, nowhere, {"objects": {**deployment, "where": ready}}]}
    return Case(
        fault={"name": name, "target": worker, "image": "nginx"},
        remedy=Remedy.IMAGE,
        seen=_began(seen),
        works={"any": [another, elsewhere]},
        by_hand=("kubectl set image deployment/web nginx=httpd", "kubectl rollout status deployment/web --timeout=90s"),
    )


def _of_worker(worker: str) -> Iterator[Case]:
    kubelet, containerd, link = f"{worker}/kubelet", f"{worker}/containerd", {"target": worker, "peer": CONTROL_PLANE}
    yield from _down(kubelet)
    for name, remedy in (("power-off", Remedy.POWER), ("partition", Remedy.LINK)):
        fault = {"name": name, "target": worker} if remedy is Remedy.POWER else {"name": name, **link}
        yield Case(fault=fault, remedy=remedy, seen=_silent(worker), works=_node_is_back(worker))
    for name, how in (
        ("latency", {"seconds": LATENCY_SECONDS}),
        ("jitter", {"seconds": JITTER_SECONDS}),
        ("loss", {"lost": LOST}),
        ("bandwidth", {"kilobits": KILOBITS}),
    ):
        yield Case(
            fault={"name": name, **link, **how},
            remedy=Remedy.LINK,
            seen=_began(_entry("http.request", by=kubelet, resource="leases")),
            works=_node_is_back(worker),
        )
    for name, status in (
        ("certificate-expired", 401),
        ("certificate-not-yet-valid", 401),
        ("certificate-unknown-authority", 401),
        ("certificate-wrong-identity", 403),
        ("certificate-missing", 403),
    ):
        yield _certificate(kubelet, name, status)
    yield _old_tls(kubelet)
    yield Case(
        fault={"name": "token-refused", "target": f"{worker}/kube-proxy"},
        remedy=Remedy.TOKEN,
        seen=_refused(f"{worker}/kube-proxy", 401),
        works=_after("mended", _entry("http.response", to=f"{worker}/kube-proxy", status=200)),
    )
    yield Case(
        fault={"name": "node-name-taken", "target": worker, "peer": next(one for one in WORKERS if one != worker)},
        remedy=Remedy.NAME,
        seen=_silent(worker),
        works=_node_is_back(worker),
    )
    yield Case(
        fault={"name": "pressure", "target": worker, "resource": "memory" if worker == WORKERS[0] else "disk"},
        remedy=Remedy.ROOM,
        seen=_began(_entry("http.request", by=kubelet, resource="nodes", subresource="status")),
        works=_pressure_is_over(worker),
    )
    yield _image(
        worker,
        "image-not-found",
        {"entry": {"kind": "grpc.response", "to": kubelet, "fields": {"method": "PullImage", "status": {"not": "OK"}}}},
    )
    for name in ("crash-loop", "out-of-memory"):
        yield _image(worker, name, {"entry": {"kind": "grpc.message", "from": containerd, "label": "STOPPED web-*"}})


def _cases() -> Iterator[Case]:
    for worker in WORKERS:
        yield from _of_worker(worker)
    for component in (SCHEDULER, MANAGER):
        yield from _down(component)
        for name in ("certificate-expired", "certificate-not-yet-valid", "certificate-unknown-authority"):
            yield _certificate(component, name, 401)
        yield _old_tls(component)
    for name in ("certificate-wrong-identity", "certificate-missing"):
        yield _certificate(SCHEDULER, name, 403)
    yield _slow("slow", "slow-watcher", times=SLOW_TIMES)
    yield _slow("slow-watcher", "slow", seconds=EVENT_SECONDS)
    yield from _down(API_SERVER, "api-server-down")
    yield from _down(ETCD, "etcd-down")
    yield Case(
        fault={"name": "serving-certificate-wrong-name", "target": API_SERVER},
        remedy=Remedy.CERTIFICATE,
        seen=_alert(API_SERVER),
        works=_writes_succeed(),
    )
    yield Case(
        fault={"name": "stale-cache", "target": API_SERVER, "resource": "pods"},
        remedy=Remedy.START,
        seen=_pods_wait_for_a_node(),
        works=_pods_are_bound(),
    )
    yield Case(
        fault={"name": "etcd-slow-disk", "target": ETCD, "seconds": FSYNC_SECONDS},
        also=(("slow", ETCD),),
        remedy=Remedy.DISK,
        seen=_pods_wait_for_a_node(),
        works=_writes_succeed(),
    )
    yield Case(
        fault={"name": "etcd-no-space", "target": ETCD},
        remedy=Remedy.ROOM,
        seen=_refused(MANAGER, 500),
        works=_writes_succeed(),
    )
    yield _storyline("etcd-fills-up", Remedy.ROOM, _refused(MANAGER, 500), _writes_succeed())
    worker = WORKERS[-1]
    yield _storyline("a-node-fails-slowly", Remedy.POWER, _silent(worker), _node_is_back(worker), worker=worker)
    name = "system:kube-scheduler"
    yield _binding(name, name, f"--user={name}", SCHEDULER, _pods_are_bound())
    for account in ("replicaset-controller", "deployment-controller"):
        flag = f"--serviceaccount=kube-system:{account}"
        yield _binding(f"system:controller:{account}", account, flag, MANAGER, _pods_are_made())


CASES: tuple[Case, ...] = tuple(_cases())

__all__ = ["CASES", "MINE", "Case", "Document", "Place", "Remedy"]
