"""Faults of identity: a component shows a certificate that is not the one it should.

The file is replaced and the component restarted, so that it reads it; healing puts the old file back and restarts it
again. What follows is the others' ordinary checking: 401 for a certificate that does not hold, 403 for somebody who may
not, an alert in the handshake where a client does not trust a server.

A certificate may also run out while it is in use: nobody closes the connection, its watches go on, and each new request
over it is answered with 401, because a real API server verifies the certificate for every request.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cluster_engine.cast import CLUSTER_CA, CONTROL_PLANE, Component, Identity
from cluster_engine.faults import record as bounds
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Fault, Heal, Text, bounded
from cluster_engine.pki.authority import BACKDATED, LEAF_LIFETIME, Authority, KeyPair, Usage
from cluster_engine.pki.layout import files_without_credentials, identity_files, pair_files

EXPIRED_AGO = timedelta(minutes=-1)
NOT_YET = timedelta(days=1)


async def _replace(ground: Ground, component: Component, id_: str, files: dict[str, bytes]) -> Heal:
    read = ground.world.host(component.host.name).files.read
    before = {path: read(path) for path in files}
    await _write(ground, component, id_, files)
    return functools.partial(_write, ground, component, id_, before)


async def _write(ground: Ground, component: Component, id_: str, files: dict[str, bytes]) -> None:
    write = ground.world.host(component.host.name).files.write
    for path, data in files.items():
        write(path, data)
    await ground.supervisor.restart(component.id, id_)


def _issue(authority: Authority, identity: Identity, *, lifetime: timedelta, begins: timedelta = -BACKDATED) -> KeyPair:
    """Issue what the component itself has, but by this authority, from then on and for so long."""
    name, organizations = identity.common_name, identity.organizations
    return authority.issue(name, organizations=organizations, usage=Usage.CLIENT, lifetime=lifetime, begins=begins)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFault(Fault):
    """A client's certificate, replaced."""

    target: str = field(metadata=bounded(bounds.Component(client=True)))

    def claims(self) -> str:
        """One replacement at a time, or the wrong one would be put back."""
        return f"the certificate of {self.target}"

    async def replace(self, ground: Ground, id_: str, make: Callable[[Identity], KeyPair]) -> Heal:
        """Have the target show the certificate that `make` gives for its identity; give what puts the old one back."""
        component = ground.cast.component(self.target)
        assert component.identity is not None, "only clients are targets"
        files = identity_files(ground.pki, component.identity, make(component.identity))
        return await _replace(ground, component, id_, files)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateExpired(CertificateFault):
    """Everything is right but the date."""

    name: ClassVar[str] = "certificate-expired"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        lifetime = ground.world.now() - ground.pki.cluster.now + EXPIRED_AGO
        expired = functools.partial(_issue, ground.pki.cluster, lifetime=min(lifetime, EXPIRED_AGO))
        return await self.replace(ground, id_, expired)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNotYetValid(CertificateFault):
    """Everything is right but the date: it begins a day from now."""

    name: ClassVar[str] = "certificate-not-yet-valid"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        begins = ground.world.now() - ground.pki.cluster.now + NOT_YET
        later = functools.partial(_issue, ground.pki.cluster, lifetime=begins + LEAF_LIFETIME, begins=begins)
        return await self.replace(ground, id_, later)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateMissing(CertificateFault):
    """Its kubeconfig has no certificate: it asks as system:anonymous."""

    name: ClassVar[str] = "certificate-missing"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the kubeconfig."""
        component = ground.cast.component(self.target)
        assert component.identity is not None, "only clients are targets"
        return await _replace(ground, component, id_, files_without_credentials(ground.pki, component.identity))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateUnknownAuthority(CertificateFault):
    """An authority of the same name and another key."""

    name: ClassVar[str] = "certificate-unknown-authority"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        stranger = Authority(CLUSTER_CA, now=ground.pki.cluster.now)
        return await self.replace(ground, id_, functools.partial(_issue, stranger, lifetime=LEAF_LIFETIME))


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
        return await self.replace(ground, id_, lambda _: pair)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCertificateWrongName(Fault):
    """Clients turn away in the handshake: the certificate does not name whom they called."""

    name: ClassVar[str] = "serving-certificate-wrong-name"

    target: str = field(
        default=f"{CONTROL_PLANE}/kube-apiserver", metadata=bounded(bounds.Component(("kube-apiserver",)))
    )
    dns_name: str = field(default="elsewhere.example", metadata=bounded(Text()))

    def claims(self) -> str:
        """One replacement at a time."""
        return f"the certificate of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the certificate."""
        component = ground.cast.component(self.target)
        (serving,) = [one for one in component.certificates if one.names]
        pair = ground.pki.cluster.issue(serving.common_name, usage=Usage.SERVER, names=[self.dns_name])
        return await _replace(ground, component, id_, pair_files(serving.stem, pair))
