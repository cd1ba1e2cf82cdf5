"""Faults of identity: a component shows a certificate that is not the one it should.

The file is replaced and the component restarted, so that it reads it; healing puts the old file back and restarts it
again. What follows is the others' ordinary checking: 401 for a certificate that does not hold, 403 for somebody who may
not, an alert in the handshake where a client does not trust a server.

A certificate may also run out while it is in use: nobody closes the connection, its watches go on, and each new request
over it is answered with 401, because a real API server verifies the certificate for every request.
"""

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Component, Fault, Heal, Text, bounded
from cluster_engine.pki import kubeconfig
from cluster_engine.pki.authority import Authority, KeyPair, Usage
from cluster_engine.pki.layout import CLUSTER, PKI
from cluster_engine.world.process import Host

CLIENTS = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"
KUBECONFIGS = {
    "kube-controller-manager": "/etc/kubernetes/controller-manager.conf",
    "kube-scheduler": "/etc/kubernetes/scheduler.conf",
    "kube-proxy": "/var/lib/kube-proxy/kubeconfig.conf",
}
EXPIRED_AGO = timedelta(minutes=-1)


async def _replace(ground: Ground, component: str, id_: str, files: dict[str, bytes]) -> Heal:
    host = ground.world.host(component.split("/", maxsplit=1)[0])
    before = {path: host.files.read(path) for path in files}
    await _write(ground, component, id_, files)
    return functools.partial(_write, ground, component, id_, before)


async def _write(ground: Ground, component: str, id_: str, files: dict[str, bytes]) -> None:
    host = ground.world.host(component.split("/", maxsplit=1)[0])
    for path, data in files.items():
        host.files.write(path, data)
    await ground.supervisor.restart(component, id_)


def _client_files(ground: Ground, component: str, pair: KeyPair) -> dict[str, bytes]:
    """Give the files in which a component's client certificate lies, with this one in them."""
    program = component.split("/")[1]
    if program == "kubelet":
        return {KUBELET_CERTIFICATE: pair.certificate + pair.key}
    pki = ground.pki
    user = identity(ground.world.host(component.split("/", maxsplit=1)[0]), program)[0]
    document = kubeconfig.write(CLUSTER, pki.server, ca=pki.cluster.pair.certificate, user=user, pair=pair)
    return {KUBECONFIGS[program]: document}


def identity(host: Host, program: str) -> tuple[str, list[str]]:
    """Say who a component rightly is: common name and organizations."""
    return (f"system:node:{host.name}", ["system:nodes"]) if program == "kubelet" else (f"system:{program}", [])


def _issue(ground: Ground, component: str, authority: Authority, lifetime: timedelta) -> KeyPair:
    host, program = component.split("/")
    name, organizations = identity(ground.world.host(host), program)
    return authority.issue(name, organizations=organizations, usage=Usage.CLIENT, lifetime=lifetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFault(Fault):
    """A client's certificate, replaced."""

    target: str = field(metadata=bounded(Component(CLIENTS)))

    def claims(self) -> str:
        """One replacement at a time, or the wrong one would be put back."""
        return f"the certificate of {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateExpired(CertificateFault):
    """Everything is right but the date."""

    name: ClassVar[str] = "certificate-expired"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        lifetime = ground.world.now() - ground.pki.cluster.now + EXPIRED_AGO
        pair = _issue(ground, self.target, ground.pki.cluster, min(lifetime, EXPIRED_AGO))
        return await _replace(ground, self.target, id_, _client_files(ground, self.target, pair))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateUnknownAuthority(CertificateFault):
    """An authority of the same name and another key."""

    name: ClassVar[str] = "certificate-unknown-authority"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        stranger = Authority("kubernetes", now=ground.pki.cluster.now)
        pair = _issue(ground, self.target, stranger, timedelta(days=365))
        return await _replace(ground, self.target, id_, _client_files(ground, self.target, pair))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWrongIdentity(CertificateFault):
    """A certificate that holds, of somebody else."""

    name: ClassVar[str] = "certificate-wrong-identity"

    common_name: str = field(default="intruder", metadata=bounded(Text(64)))
    organization: str = field(default="", metadata=bounded(Text(64, empty=True)))

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        organizations = [self.organization] if self.organization else []
        pair = ground.pki.cluster.issue(self.common_name, organizations=organizations, usage=Usage.CLIENT)
        return await _replace(ground, self.target, id_, _client_files(ground, self.target, pair))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCertificateWrongName(Fault):
    """Clients turn away in the handshake: the certificate does not name whom they called."""

    name: ClassVar[str] = "serving-certificate-wrong-name"

    target: str = field(default="control-plane/kube-apiserver", metadata=bounded(Component(("kube-apiserver",))))
    dns_name: str = field(default="elsewhere.example", metadata=bounded(Text()))

    def claims(self) -> str:
        """One replacement at a time."""
        return f"the certificate of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        pair = ground.pki.cluster.issue("kube-apiserver", usage=Usage.SERVER, names=[self.dns_name])
        files = {f"{PKI}/apiserver.crt": pair.certificate, f"{PKI}/apiserver.key": pair.key}
        return await _replace(ground, self.target, id_, files)
