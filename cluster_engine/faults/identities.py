"""Faults of who somebody is and how it is shown: an old build's TLS, a token that does not hold, a name taken twice.

As with certificates, files are replaced and the component is restarted; healing puts them back and restarts it again.

    TlsMismatch(target="worker-1/kubelet", what="version")        ClientHello TLS 1.1 → alert protocol_version
    TokenRefused(target="worker-1/kube-proxy", how="expired")     401 for each request
    NodeNameTaken(target="worker-2", peer="worker-1")             two kubelets say how worker-1 is
"""

import base64
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from cluster_engine.apiserver.authentication.tokens import Signer
from cluster_engine.cast import CONTROL_PLANE, PKI
from cluster_engine.faults import record as bounds
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.record import Choice, Fault, FaultError, Heal, Host, bounded

HOUR_SECONDS = 3600
TALKS_TO_THE_API_SERVER = ("kube-scheduler", "kube-controller-manager", "kubelet", "kube-proxy")


def _old_version(context: ssl.SSLContext) -> None:
    """Offer TLS 1.1 and nothing newer, as what was built before 2008 does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


def _old_ciphers(context: ssl.SSLContext) -> None:
    """Offer TLS 1.2 with ciphers for RSA keys only; the keys here are ECDSA."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384")


OLD: dict[str, Callable[[ssl.SSLContext], None]] = {"version": _old_version, "cipher": _old_ciphers}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMismatch(Fault):
    """Client and server have no version of TLS, or no cipher, in common: the server breaks the handshake off."""

    name: ClassVar[str] = "tls-mismatch"

    target: str = field(metadata=bounded(bounds.Component(TALKS_TO_THE_API_SERVER)))
    what: str = field(default="version", metadata=bounded(Choice(tuple(OLD))))

    def claims(self) -> str:
        """One build at a time."""
        return f"the TLS of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Put the old build in place."""
        host, _, program = self.target.partition("/")
        old = ground.world.host(host).old_tls
        old[program] = OLD[self.what]
        await ground.supervisor.restart(self.target, id_)

        async def renew() -> None:
            old.pop(program, None)
            await ground.supervisor.restart(self.target, id_)

        return renew


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Fault):
    """The token of a service account has expired, or says what its signature does not cover: 401."""

    name: ClassVar[str] = "token-refused"

    target: str = field(metadata=bounded(bounds.Component(("kube-proxy",))))
    how: str = field(default="expired", metadata=bounded(Choice(("expired", "tampered"))))

    def check(self, ground: Ground) -> None:
        """Raise FaultError also where the token is not a file of the host."""
        Fault.check(self, ground)
        if not ground.world.host(self.target.partition("/")[0]).files.exists(self._path(ground)):
            raise FaultError(f"{self.target} has no token in a file of its host")

    def claims(self) -> str:
        """Replaced and put back by one."""
        return f"the token of {self.target}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Replace the token."""
        files, path = ground.world.host(self.target.partition("/")[0]).files, self._path(ground)
        before = files.read(path)
        files.write(path, self._expired(ground, before) if self.how == "expired" else _tampered(before))
        await ground.supervisor.restart(self.target, id_)

        async def put_back() -> None:
            files.write(path, before)
            await ground.supervisor.restart(self.target, id_)

        return put_back

    def _path(self, ground: Ground) -> str:
        identity = ground.cast.component(self.target).identity
        return "" if identity is None or identity.account is None else f"{identity.account.directory}/token"

    def _expired(self, ground: Ground, token: bytes) -> bytes:
        now = int(ground.world.now().timestamp())
        signer = Signer(ground.world.host(CONTROL_PLANE).files.read(f"{PKI}/sa.key"))
        dates = {"iat": now - 2 * HOUR_SECONDS, "nbf": now - 2 * HOUR_SECONDS, "exp": now - HOUR_SECONDS}
        return signer.sign({**_claims(token), **dates}).encode()


def _claims(token: bytes) -> dict[str, Any]:
    payload = token.split(b".")[1]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    return claims


def _tampered(token: bytes) -> bytes:
    """Let a token say that it is an administrator's, under the signature that it has."""
    header, _, signature = token.split(b".")
    claims = {**_claims(token), "sub": "system:serviceaccount:kube-system:clusterrole-aggregation-controller"}
    return b".".join((header, base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"="), signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNameTaken(Fault):
    """A machine that was cloned: the kubelet of `target` has the name and the certificate of `peer`'s node."""

    name: ClassVar[str] = "node-name-taken"

    target: str = field(metadata=bounded(Host(worker=True)))
    peer: str = field(default="worker-1", metadata=bounded(Host(worker=True)))

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when it is one machine."""
        Fault.check(self, ground)
        if self.target == self.peer:
            raise FaultError(f"two machines have one name, and {self.target} is one")

    def claims(self) -> str:
        """Replaced and put back by one, as by the faults of certificates."""
        return f"the certificate of {self.target}/kubelet"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Clone it."""
        mine, theirs = ground.world.host(self.target), ground.world.host(self.peer)
        kubelet = f"{self.target}/kubelet"
        identity = ground.cast.component(kubelet).identity
        assert identity is not None and identity.certificate is not None, "kubelets show a certificate"
        paths = (identity.certificate, identity.kubeconfig)
        before = {path: mine.files.read(path) for path in paths}
        mine.hostname = self.peer
        for path in paths:
            mine.files.write(path, theirs.files.read(path))
        await ground.supervisor.restart(kubelet, id_)

        async def rename() -> None:
            mine.hostname = self.target
            for path, data in before.items():
                mine.files.write(path, data)
            await ground.supervisor.restart(kubelet, id_)

        return rename
