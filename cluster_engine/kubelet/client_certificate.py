"""The kubelet's client certificate: how it gets its first one, and the next before that runs out.

Theory of operation. A machine that joins has a bootstrap kubeconfig, with a token by which it may do little else than
post a CertificateSigningRequest. It makes a key, asks for a certificate of `CN=system:node:<name>, O=system:nodes`,
and waits until somebody approves and somebody signs. The certificate and its key lie in one file; the kubeconfig names
that file, so that it need not change any more.

    POST certificatesigningrequests {generateName: csr-}   WATCH metadata.name=csr-x7k2p   kubelet-client-current.pem

The next one is asked for as the node itself when 70 to 90 per cent of the certificate's life are over, at an instant
drawn once for each certificate. With it in hand the open connections are closed, and everything goes on over new ones.
What fails is tried again, after 2, 4, 8, 16, 32 seconds and so on each 32.

Modelled on pkg/kubelet/certificate/{bootstrap,kubelet.go} and client-go's util/certificate. Left out: starting the rest
of the kubelet, as nobody, while it waits for its first certificate; serving certificates by request.
"""

import asyncio
import base64
import contextlib
import random
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cryptography import x509

from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST as KIND
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.certificates import KUBELET_CLIENT_SIGNER, conditions, decoded
from cluster_engine.api.status import Expired, Refusal
from cluster_engine.client import kubeconfig
from cluster_engine.client.rest import Client
from cluster_engine.pki.authority import Authority, Usage, request_for
from cluster_engine.pki.kubeconfig import write_bootstrapped
from cluster_engine.world.files import MODE, PRIVATE_MODE

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

BOOTSTRAP = "/etc/kubernetes/bootstrap-kubelet.conf"
DIRECTORY = "/var/lib/kubelet/pki"
CURRENT = f"{DIRECTORY}/kubelet-client-current.pem"
SERVING = f"{DIRECTORY}/kubelet"
USAGES = ("digital signature", "client auth")
WAIT_SECONDS = 900.0
RETRY_SECONDS, RETRY_SECONDS_MAX = 2.0, 32.0
SHARE_MIN, SHARE_SPREAD = 0.7, 0.2


class NotSignedError(Exception):
    """A request was refused, or nobody answered it in time; says which."""


class ClientCertificate:
    """The certificate of one kubelet, in its file. ValueError where there is none, and no way to get one."""

    def __init__(self, process: "Process", path: str, *, user_agent: str) -> None:
        self._process = process
        self._path = path
        self._user_agent = user_agent
        self._chance = random.Random(f"{process.world.seed}/{process.id}/certificate")
        can_ask = process.files.exists(BOOTSTRAP)
        self.is_missing = can_ask and not self._is_good()
        if not can_ask and not process.files.exists(path):
            text = f"stat {BOOTSTRAP}: no such file or directory"
            raise ValueError(f"failed to run Kubelet: unable to load bootstrap kubeconfig: {text}")

    def _is_good(self) -> bool:
        """Return whether the kubeconfig has a certificate whose time is not over."""
        try:
            found = kubeconfig.load(self._process.files, self._path).certificate
            return found is None or self._process.now() < _leaf(found).not_valid_after_utc
        except (OSError, ValueError):
            return False

    async def bootstrap(self) -> None:
        """Get the first certificate; returns when there is one."""
        text = "Kubeconfig does not exist, or its client certificate has expired. Using bootstrap kubeconfig"
        self._process.note("kubelet.bootstrap", text)
        client = Client.from_kubeconfig(self._process, BOOTSTRAP, user_agent=self._user_agent)
        await self._until_signed(client)
        config, files = client.config, self._process.files
        server = f"https://{config.host}:{config.port}"
        ca = None if config.insecure else config.ca or b""
        files.write(self._path, write_bootstrapped(server, ca=ca, path=CURRENT), PRIVATE_MODE)
        await client.aclose()

    async def rotate(self, client: Client) -> None:
        """Renew the certificate whenever it is time, for ever; nothing where the kubeconfig names none."""
        while (shown := client.config.certificate) is not None:
            leaf = _leaf(shown)
            life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
            at = leaf.not_valid_before_utc + life * (SHARE_MIN + SHARE_SPREAD * self._chance.random())
            if (seconds := (at - self._process.now()).total_seconds()) > 0:
                await asyncio.sleep(seconds)
            note = self._process.note
            note("kubelet.certificate", "kubernetes.io/kube-apiserver-client-kubelet: Rotating certificates")
            await self._until_signed(client)
            client.show(kubeconfig.load(self._process.files, self._path))
            text = "Certificate rotation detected, shutting down client connections to start using new credentials"
            note("kubelet.certificate", text)

    async def _until_signed(self, client: Client) -> None:
        wait = RETRY_SECONDS
        while True:
            try:
                await self._request(client)
            except (Refusal, OSError, NotSignedError) as error:
                text = f"Failed while requesting a signed certificate from the control plane: {error}"
                self._process.note("kubelet.certificate", text)
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_SECONDS_MAX)
            else:
                return

    async def _request(self, client: Client) -> None:
        pem, key = request_for(f"system:node:{self._process.host.hostname}", ["system:nodes"])
        spec = {
            "request": base64.b64encode(pem).decode(),
            "signerName": KUBELET_CLIENT_SIGNER,
            "usages": list(USAGES),
        }
        document = {"kind": KIND.name, "apiVersion": KIND.api_version, "metadata": {"generateName": "csr-"}}
        name = (await client.create(KIND, document | {"spec": spec}))["metadata"]["name"]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                certificate = await _signed(client, name)
        except TimeoutError as error:
            raise NotSignedError(f"certificate request {name} was not signed: timed out") from error
        dated = f"{DIRECTORY}/kubelet-client-{self._process.now():%Y-%m-%d-%H-%M-%S}.pem"
        for path in (dated, CURRENT):
            self._process.files.write(path, certificate + key, PRIVATE_MODE)


async def _signed(client: Client, name: str) -> bytes:
    """Wait for the certificate of a request. NotSignedError when it is refused."""
    selector = f"metadata.name={name}"
    while True:
        listed = await client.list(KIND, fieldSelector=selector)
        for obj in listed["items"]:
            if found := _certificate_of(obj):
                return found
        version = listed["metadata"]["resourceVersion"]
        with contextlib.suppress(Expired):
            async with client.watch(KIND, resource_version=version, fieldSelector=selector) as events:
                async for found in _certificates(events):
                    return found


async def _certificates(events: AsyncIterator[tuple[str, Object]]) -> AsyncIterator[bytes]:
    async for type_, obj in events:
        if type_ == "DELETED":
            raise NotSignedError("the certificate signing request was deleted")
        if type_ != "BOOKMARK" and (found := _certificate_of(obj)):
            yield found


def _certificate_of(obj: Object) -> bytes:
    """Return the certificate that a request has got, b"" while it has none. NotSignedError."""
    for type_, word in (("Denied", "is denied"), ("Failed", "failed")):
        for each in conditions(obj, type_):
            why = f"reason: {each.get('reason', '')}, message: {each.get('message', '')}"
            raise NotSignedError(f"certificate signing request {word}, {why}")
    return decoded((obj.get("status") or {}).get("certificate")) if conditions(obj, "Approved") else b""


def _leaf(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def make_serving_pair(process: "Process") -> None:
    """Sign a serving certificate for oneself, where there is none: nobody verifies a kubelet's."""
    files, host = process.files, process.host
    if files.exists(f"{SERVING}.crt") and files.exists(f"{SERVING}.key"):
        return
    now = process.now()
    authority = Authority(f"{host.name}-ca@{int(now.timestamp())}", now=now)
    pair = authority.issue(f"{host.name}@{int(now.timestamp())}", usage=Usage.SERVER, names=[host.name])
    files.write(f"{SERVING}.crt", pair.certificate, MODE)
    files.write(f"{SERVING}.key", pair.key, PRIVATE_MODE)
