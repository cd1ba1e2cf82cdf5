"""The cast of a cluster: its hosts, the programs that run on them, in which order, as whom and on which ports.

Whatever names a component reads it here: `cluster.py` starts the programs, `pki/layout.py` writes their certificates
and kubeconfigs, `faults/` aims at them, and pages, which are served `describe()`, show them before they have spoken.
One more program is one more row of PROGRAMS.

    control-plane 10.0.0.1    kube-apiserver, etcd, kube-controller-manager, kube-scheduler
    worker-N      10.0.0.1N   kubelet, containerd, kube-proxy
    workstation   10.0.0.100  whatever a person types
    outside       10.0.0.254  real programs of this machine, through the gateway

    cast(2).component("worker-1/kubelet").identity.common_name     "system:node:worker-1"
    cast(2).component("worker-1/kubelet").program.ports            (10250, 10248)

A row names its entry point ("module:function") instead of importing it: a web process, the faults and the PKI know the
cast without loading components. Rows stand in the order in which people look at them; `stage` says which start first.

Names, files and identities are kubeadm's: cmd/kubeadm/app/phases/certs/certlist.go and phases/kubeconfig/kubeconfig.go
(v1.32). kube-proxy shows the token of its service account, as in the pod that kubeadm runs it in (`mounted_tokens`).

`cast(2, etcd_members=3)` has members of etcd on two hosts more, etcd-2 10.0.0.2 and etcd-3 10.0.0.3.
`cast(2, system_pods=True)` is that of a cluster whose control plane is a node too, with a kubelet, containerd and
kube-proxy, and whose other programs run in containers of pods, as kubeadm has them (`kubeadm/`).
"""

import enum
import functools
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

PKI = "/etc/kubernetes/pki"
CLUSTER_CA = "kubernetes"
ETCD_CA = "etcd-ca"
FRONT_PROXY_CA = "front-proxy-ca"
CONTROL_PLANE = "control-plane"
WORKSTATION = "workstation"
OUTSIDE = "outside"
OWN_NAMES = ("{host}", "{address}", "localhost", "127.0.0.1")
SERVICE_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "10.96.0.1",
)


class Role(enum.Enum):
    """What a host is there for."""

    CONTROL_PLANE = enum.auto()
    ETCD = enum.auto()
    """It has a member of etcd, and nothing else."""
    WORKER = enum.auto()
    PERSON = enum.auto()
    """Somebody types there."""
    GATEWAY = enum.auto()
    """Real connections seem to come from there."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A service account whose token and authority lie in a directory of the host, as kubelets mount them into pods."""

    namespace: str
    name: str
    directory: str = "/var/run/secrets/kubernetes.io/serviceaccount"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a program is to the API server: the subject of its client certificate, and the kubeconfig that has it.

    `certificate`: a file with certificate and key that the kubeconfig names; None: the kubeconfig has both itself.
    One with an `account` shows no certificate, but the account's token.
    """

    common_name: str
    organizations: tuple[str, ...] = ()
    kubeconfig: str
    certificate: str | None = None
    account: Account | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate, `stem`.crt, and its key, `stem`.key.

    One with `names`, DNS names and addresses, is for a server; for a client too where `client`. An `authority` that is
    neither CLUSTER_CA, ETCD_CA nor FRONT_PROXY_CA is made for this certificate alone.
    """

    stem: str
    common_name: str
    organizations: tuple[str, ...] = ()
    authority: str = CLUSTER_CA
    names: tuple[str, ...] = ()
    client: bool = True
    algorithm: Literal["ECDSA-P256", "RSA-2048"] = "ECDSA-P256"


class HostProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program that runs on every host of a role for as long as the cluster does.

    Texts of its identity, certificates and command line may have the fields {host} and {address}. `ports` are TCP ports
    on which it listens. Programs of a `stage` start when those of all lower ones are ready. `argv` is its command line
    as kubeadm and the packages make it, as far as it holds here. `kubeadm_pod` says in which kind of pod kubeadm runs
    it, if in any; whether this cluster does so says `in_pod`.
    """

    name: str
    role: Role
    stage: int
    entry: str
    description: str = ""
    argv: tuple[str, ...] = ()
    kubeadm_pod: Literal["", "static", "daemon"] = ""
    in_pod: bool = False
    identity: Identity | None = None
    certificates: tuple[Certificate, ...] = ()
    ports: tuple[int, ...] = ()

    @property
    def is_addon(self) -> bool:
        """Whether it begins with an object that kubeadm creates, once there is an API server."""
        return self.in_pod and self.kubeadm_pod == "daemon"

    def load(self) -> Callable[..., Awaitable[None]]:
        """Import the entry point; give what runs the program in a process. ImportError, AttributeError if it is not."""
        main: Callable[..., Awaitable[None]] = pkgutil.resolve_name(self.entry)
        return main if self.identity is None else functools.partial(main, kubeconfig=self.identity.kubeconfig)


class Host(msgspec.Struct, frozen=True):
    """A host: its name, its IPv4 address, what it is there for."""

    name: str
    address: str
    role: Role


class Component(msgspec.Struct, frozen=True):
    """A program on one of its hosts."""

    host: Host
    program: HostProgram

    @property
    def id(self) -> str:
        """The participant it is: "worker-1/kubelet"."""
        return f"{self.host.name}/{self.program.name}"

    @property
    def identity(self) -> Identity | None:
        """Who it is to the API server; None for who never asks it anything."""
        identity = self.program.identity
        return identity and replace(identity, common_name=self._here(identity.common_name))

    @property
    def argv(self) -> tuple[str, ...]:
        """Its command line."""
        return tuple(map(self._here, self.program.argv))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates that lie in files of their own."""
        return tuple(
            replace(
                one,
                common_name=self._here(one.common_name),
                authority=self._here(one.authority),
                names=tuple(map(self._here, one.names)),
            )
            for one in self.program.certificates
        )

    def _here(self, text: str) -> str:
        return text.format(host=self.host.name, address=self.host.address)


class Cast(msgspec.Struct, frozen=True):
    """The hosts of a cluster, and its components host by host."""

    hosts: tuple[Host, ...]
    components: tuple[Component, ...]

    def component(self, id_: str) -> Component:
        """Find a component by its id; KeyError when there is none."""
        for one in self.components:
            if one.id == id_:
                return one
        raise KeyError(id_)

    @property
    def api_server(self) -> Component:
        """The API server."""
        return self.component(f"{CONTROL_PLANE}/kube-apiserver")

    def of_role(self, *roles: Role) -> list[Host]:
        """List the hosts that are there for one of these."""
        return [host for host in self.hosts if host.role in roles]

    def with_worker(self, host: Host) -> "Cast":
        """Return the cast with one more worker, on which runs what runs on the others."""
        programs = dict.fromkeys(one.program for one in self.components if one.host.role is Role.WORKER)
        return Cast((*self.hosts, host), (*self.components, *(Component(host, one) for one in programs)))

    def stages(self) -> list[list[Component]]:
        """Return the components in order of start: program by program within a stage, and host by host."""
        programs = list(dict.fromkeys(one.program for one in self.components))
        stages = sorted({program.stage for program in programs})
        return [
            [one for program in programs if program.stage == stage for one in self.components if one.program is program]
            for stage in stages
        ]

    def describe(self) -> dict[str, Any]:
        """Return as JSON what can be seen and broken, by name, in the order in which people look at it."""
        return {
            "people": [host.name for host in self.of_role(Role.PERSON)],
            "hosts": [host.name for host in self.of_role(Role.CONTROL_PLANE, Role.ETCD, Role.WORKER)],
            "workers": [host.name for host in self.of_role(Role.WORKER)],
            "components": [one.id for one in self.components],
        }


PROGRAMS = (
    HostProgram(
        name="kube-apiserver",
        role=Role.CONTROL_PLANE,
        stage=2,
        entry="cluster_engine.apiserver.main:main",
        description="Kubernetes API server (a static pod under kubeadm)",
        argv=(
            "kube-apiserver",
            "--advertise-address={address}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={PKI}/ca.crt",
            "--enable-admission-plugins=NodeRestriction",
            "--enable-bootstrap-token-auth=true",
            f"--etcd-cafile={PKI}/etcd/ca.crt",
            f"--etcd-certfile={PKI}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={PKI}/apiserver-etcd-client.key",
            "--etcd-servers=https://127.0.0.1:2379",
            f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            f"--proxy-client-cert-file={PKI}/front-proxy-client.crt",
            f"--proxy-client-key-file={PKI}/front-proxy-client.key",
            "--requestheader-allowed-names=front-proxy-client",
            f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            "--secure-port=6443",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={PKI}/sa.pub",
            f"--service-account-signing-key-file={PKI}/sa.key",
            "--service-cluster-ip-range=10.96.0.0/12",
            f"--tls-cert-file={PKI}/apiserver.crt",
            f"--tls-private-key-file={PKI}/apiserver.key",
        ),
        kubeadm_pod="static",
        certificates=(
            Certificate(
                stem=f"{PKI}/apiserver",
                common_name="kube-apiserver",
                names=(*SERVICE_NAMES, *OWN_NAMES),
                client=False,
            ),
            Certificate(
                stem=f"{PKI}/apiserver-etcd-client", common_name="kube-apiserver-etcd-client", authority=ETCD_CA
            ),
            Certificate(
                stem=f"{PKI}/apiserver-kubelet-client",
                common_name="kube-apiserver-kubelet-client",
                organizations=("kubeadm:cluster-admins",),
            ),
            Certificate(stem=f"{PKI}/front-proxy-client", common_name="front-proxy-client", authority=FRONT_PROXY_CA),
        ),
        ports=(6443,),
    ),
    HostProgram(
        name="etcd",
        role=Role.CONTROL_PLANE,
        stage=1,
        entry="cluster_engine.etcd.server:main",
        description="etcd key-value store (a static pod under kubeadm)",
        argv=(
            "etcd",
            "--advertise-client-urls=https://{address}:2379",
            f"--cert-file={PKI}/etcd/server.crt",
            "--client-cert-auth=true",
            "--data-dir=/var/lib/etcd",
            f"--key-file={PKI}/etcd/server.key",
            "--listen-client-urls=https://127.0.0.1:2379,https://{address}:2379",
            "--listen-metrics-urls=http://127.0.0.1:2381",
            "--listen-peer-urls=https://{address}:2380",
            "--name={host}",
            f"--peer-cert-file={PKI}/etcd/peer.crt",
            "--peer-client-cert-auth=true",
            f"--peer-key-file={PKI}/etcd/peer.key",
            f"--peer-trusted-ca-file={PKI}/etcd/ca.crt",
            f"--trusted-ca-file={PKI}/etcd/ca.crt",
        ),
        kubeadm_pod="static",
        certificates=(
            Certificate(stem=f"{PKI}/etcd/server", common_name="{host}", authority=ETCD_CA, names=OWN_NAMES),
            Certificate(stem=f"{PKI}/etcd/peer", common_name="{host}", authority=ETCD_CA, names=OWN_NAMES),
            Certificate(
                stem=f"{PKI}/etcd/healthcheck-client", common_name="kube-etcd-healthcheck-client", authority=ETCD_CA
            ),
        ),
        ports=(2379, 2380, 2381),
    ),
    HostProgram(
        name="kube-controller-manager",
        role=Role.CONTROL_PLANE,
        stage=3,
        entry="cluster_engine.controllers.manager:main",
        description="Kubernetes controller manager (a static pod under kubeadm)",
        argv=(
            "kube-controller-manager",
            "--allocate-node-cidrs=true",
            "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--bind-address=127.0.0.1",
            "--cluster-cidr=10.244.0.0/16",
            f"--cluster-signing-cert-file={PKI}/ca.crt",
            "--kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--leader-elect=true",
            f"--root-ca-file={PKI}/ca.crt",
            f"--service-account-private-key-file={PKI}/sa.key",
            "--use-service-account-credentials=true",
        ),
        kubeadm_pod="static",
        identity=Identity(
            common_name="system:kube-controller-manager", kubeconfig="/etc/kubernetes/controller-manager.conf"
        ),
        ports=(10257,),
    ),
    HostProgram(
        name="kube-scheduler",
        role=Role.CONTROL_PLANE,
        stage=3,
        entry="cluster_engine.scheduler.main:main",
        description="Kubernetes scheduler (a static pod under kubeadm)",
        argv=(
            "kube-scheduler",
            "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--bind-address=127.0.0.1",
            "--kubeconfig=/etc/kubernetes/scheduler.conf",
            "--leader-elect=true",
        ),
        kubeadm_pod="static",
        identity=Identity(common_name="system:kube-scheduler", kubeconfig="/etc/kubernetes/scheduler.conf"),
        ports=(10259,),
    ),
    HostProgram(
        name="kubelet",
        role=Role.WORKER,
        stage=3,
        entry="cluster_engine.kubelet.main:main",
        description="kubelet: The Kubernetes Node Agent",
        argv=(
            "/usr/bin/kubelet",
            "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
            "--kubeconfig=/etc/kubernetes/kubelet.conf",
            "--config=/var/lib/kubelet/config.yaml",
            "--container-runtime-endpoint=unix:///run/containerd/containerd.sock",
            "--pod-infra-container-image=registry.k8s.io/pause:3.10",
        ),
        identity=Identity(
            common_name="system:node:{host}",
            organizations=("system:nodes",),
            kubeconfig="/etc/kubernetes/kubelet.conf",
            certificate="/var/lib/kubelet/pki/kubelet-client-current.pem",
        ),
        certificates=(
            Certificate(
                stem="/var/lib/kubelet/pki/kubelet",
                common_name="{host}",
                authority="{host}-ca",
                names=("{host}", "{address}"),
                client=False,
            ),
        ),
        ports=(10250, 10248),
    ),
    HostProgram(
        name="containerd",
        role=Role.WORKER,
        stage=2,
        entry="cluster_engine.containerd.main:main",
        description="containerd container runtime",
        argv=("/usr/bin/containerd",),
    ),
    HostProgram(
        name="kube-proxy",
        role=Role.WORKER,
        stage=3,
        entry="cluster_engine.proxy.main:main",
        description="Kubernetes network proxy (a DaemonSet's pod under kubeadm)",
        argv=(
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override={host}",
        ),
        kubeadm_pod="daemon",
        identity=Identity(
            common_name="system:serviceaccount:kube-system:kube-proxy",
            kubeconfig="/var/lib/kube-proxy/kubeconfig.conf",
            account=Account(namespace="kube-system", name="kube-proxy"),
        ),
        ports=(10249, 10256),
    ),
)


def by_certificate(programs: tuple[HostProgram, ...] = PROGRAMS) -> tuple[HostProgram, ...]:
    """Return the programs with those that show a token showing a certificate instead: kube-proxy, `system:kube-proxy`.

    So clusters have it that run kube-proxy as a service of the host, without kubeadm.
    """
    return tuple(_certified(one) for one in programs)


def _certified(program: HostProgram) -> HostProgram:
    if program.identity is None or program.identity.account is None:
        return program
    identity = replace(program.identity, common_name=f"system:{program.name}", account=None)
    return replace(program, identity=identity, kubeadm_pod="")


def with_flags(programs: tuple[HostProgram, ...], name: str, flags: Sequence[str]) -> tuple[HostProgram, ...]:
    """Return the programs with one of them called with more flags, `--name=value`; one that it has is replaced."""
    return tuple(replace(one, argv=_flagged(one.argv, flags)) if one.name == name else one for one in programs)


def _flagged(argv: tuple[str, ...], flags: Sequence[str]) -> tuple[str, ...]:
    found = {word.partition("=")[0]: word for word in (*argv[1:], *flags)}
    return (argv[0], *(found[name] for name in sorted(found)))


KEY_LAB_FLAGS = ("--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_GCM_SHA256",)


def with_key_lab(programs: tuple[HostProgram, ...]) -> tuple[HostProgram, ...]:
    """Return the programs with an API server that a client can agree with on keys by RSA, by ECDHE and by TLS 1.3.

    Its serving certificate has an RSA key, as kubeadm makes them, and its flags offer what Go does not by itself.
    """
    return with_flags(tuple(map(_with_rsa, programs)), "kube-apiserver", KEY_LAB_FLAGS)


def _with_rsa(program: HostProgram) -> HostProgram:
    if program.name != "kube-apiserver":
        return program
    serving, *others = program.certificates
    return replace(program, certificates=(replace(serving, algorithm="RSA-2048"), *others))


def with_system_pods(programs: tuple[HostProgram, ...]) -> tuple[HostProgram, ...]:
    """Return the programs as kubeadm runs them: in pods, and with what runs pods on the control plane too.

    The control plane's containerd and kubelet come first (stages -1 and 0), since they start all else.
    """
    runs_pods = {"containerd": -1, "kubelet": 0}
    of_node = [
        replace(one, role=Role.CONTROL_PLANE, stage=runs_pods.get(one.name, one.stage))
        for one in programs
        if one.role is Role.WORKER and (one.name in runs_pods or one.kubeadm_pod == "daemon")
    ]
    return tuple(replace(one, in_pod=bool(one.kubeadm_pod)) for one in (*programs, *of_node))


def with_etcd_members(programs: tuple[HostProgram, ...], members: Sequence[Host]) -> tuple[HostProgram, ...]:
    """Return the programs where etcd has several members: they know each other, and the API server knows them all."""
    known = ",".join(f"{host.name}=https://{host.address}:2380" for host in members)
    servers = ",".join(f"https://{host.address}:2379" for host in members)
    more = {
        "etcd": (
            "--initial-advertise-peer-urls=https://{address}:2380",
            f"--initial-cluster={known}",
            "--initial-cluster-state=new",
        ),
        "kube-apiserver": (f"--etcd-servers={servers}",),
    }
    for name, flags in more.items():
        programs = with_flags(programs, name, flags)
    alone = [
        # Those on hosts of their own are a majority, and need nobody to start them.
        replace(one, role=Role.ETCD, kubeadm_pod="", in_pod=False, description="etcd key-value store", stage=-2)
        for one in programs
        if one.name == "etcd"
    ]
    return (*programs, *alone)


def worker(number: int, name: str = "") -> Host:
    """Return a worker; the first is number 1."""
    return Host(name or f"worker-{number}", f"10.0.0.{10 + number}", Role.WORKER)


def cast(
    nodes: int, programs: tuple[HostProgram, ...] = PROGRAMS, *, system_pods: bool = False, etcd_members: int = 1
) -> Cast:
    """Return the cast of a cluster with so many workers; with `system_pods` as kubeadm makes one.

    Of several `etcd_members` the first runs on the control plane and each other one on a host of its own.
    """
    members = (
        Host(CONTROL_PLANE, "10.0.0.1", Role.CONTROL_PLANE),
        *(Host(f"etcd-{n}", f"10.0.0.{n}", Role.ETCD) for n in range(2, etcd_members + 1)),
    )
    if system_pods:
        programs = with_system_pods(programs)
    if etcd_members > 1:
        programs = with_etcd_members(programs, members)
    hosts = (
        *members,
        *(worker(n) for n in range(1, nodes + 1)),
        Host(WORKSTATION, "10.0.0.100", Role.PERSON),
        Host(OUTSIDE, "10.0.0.254", Role.GATEWAY),
    )
    components = tuple(Component(host, one) for host in hosts for one in programs if one.role is host.role)
    return Cast(hosts, components)


__all__ = [
    "PROGRAMS",
    "Account",
    "Cast",
    "Certificate",
    "Component",
    "Host",
    "HostProgram",
    "Identity",
    "Role",
    "by_certificate",
    "cast",
    "with_flags",
    "with_key_lab",
    "worker",
]
