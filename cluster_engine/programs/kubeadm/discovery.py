"""Discovery: how a machine that trusts nobody finds out whom to trust, with a token and a pin.

Theory of operation. It asks the API server, whose certificate it cannot verify, as nobody, for `cluster-info`. In it is
the cluster's authority, and a signature that only somebody who has the token can have made. So the answer is the
cluster's, or of somebody who knows the token too; against the latter there is the pin: the authority's key must have
that hash. Then it asks again over TLS that this authority vouches for, and the answer must be the same.

    GET cluster-info, insecurely  →  jws-kubeconfig-abcdef fits  →  sha256 of the key fits  →  GET, verified  →  equal

A signature that is not there yet is waited for, 5 minutes at most, as is an API server that does not answer. Modelled
on cmd/kubeadm/app/discovery/token/token.go. Left out: discovery by a file.
"""

import asyncio
import base64
import hmac
from collections.abc import Sequence

import msgspec

from cluster_engine.api import bootstrap_tokens
from cluster_engine.api.documents import Unreadable, read_one_yaml
from cluster_engine.api.kinds import CONFIG_MAP
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.client.kubeconfig import KubeConfig
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm import pins
from cluster_engine.programs.kubeadm.api import client_of
from cluster_engine.programs.kubeadm.errors import KubeadmError

RETRY_SECONDS, SECONDS_MAX = 5.0, 300.0
INFO = "cluster-info"


class Cluster(msgspec.Struct, frozen=True):
    """Whom to trust: the URL of the API server, and the certificate of the cluster's authority as PEM."""

    server: str
    authority: bytes


async def discover(invocation: Invocation, endpoint: tuple[str, int], token: str, wanted: Sequence[str]) -> Cluster:
    """Find out about the cluster behind an endpoint. KubeadmError."""
    try:
        return await _discover(invocation, endpoint, token, wanted)
    except KubeadmError as error:
        raise KubeadmError(f"couldn't validate the identity of the API Server: {error}") from error


async def _discover(invocation: Invocation, endpoint: tuple[str, int], token: str, wanted: Sequence[str]) -> Cluster:
    try:
        allowed = pins.read(wanted)
    except KubeadmError as error:
        raise KubeadmError(f"invalid discovery token CA certificate hash: {error}") from error
    id_, _, secret = token.partition(".")
    first = _text(await _cluster_info(invocation, _config(endpoint, None), id_), id_, secret)
    cluster = _cluster(first)
    if not allowed:
        return cluster
    try:
        pin = pins.pin_of(cluster.authority)
    except ValueError as error:
        why = "data does not contain any valid RSA or ECDSA certificates"
        raise KubeadmError(f"failed to parse cluster CA from the {INFO} ConfigMap: {why}") from error
    if pin.removeprefix(f"{pins.FORMAT}:") not in allowed:
        raise KubeadmError(
            f'cluster CA found in {INFO} ConfigMap is invalid: none of the public keys "{pin}" are pinned'
        )
    again = await _cluster_info(invocation, _config(endpoint, cluster.authority), id_)
    if (again.get("data") or {}).get("kubeconfig") != first:
        why = f"the second kubeconfig from the {INFO} ConfigMap (using validated TLS) was different from the first"
        raise KubeadmError(why)
    return cluster


def _config(endpoint: tuple[str, int], authority: bytes | None) -> KubeConfig:
    host, port = endpoint
    return KubeConfig(
        host=host,
        port=port,
        ca=authority,
        server_name=host,
        certificate=None,
        key=None,
        token=None,
        token_file=None,
        namespace="default",
        context="",
        insecure=authority is None,
    )


async def _cluster_info(invocation: Invocation, config: KubeConfig, id_: str) -> Object:
    """Read cluster-info once it is signed with the token. KubeadmError after SECONDS_MAX."""
    path = f"/api/v1/namespaces/kube-public/configmaps/{INFO}?timeout=10s"
    client, loop = client_of(invocation, config), asyncio.get_running_loop()
    until = loop.time() + SECONDS_MAX
    while True:
        try:
            found = await client.get(CONFIG_MAP, INFO, "kube-public")
        except (Refusal, OSError) as error:
            why = (
                str(error)
                if isinstance(error, Refusal)
                else f'Get "https://{config.host}:{config.port}{path}": {error}'
            )
            problem = f"failed to request the {INFO} ConfigMap: {why}"
        else:
            if f"{bootstrap_tokens.SIGNATURE_PREFIX}{id_}" in (found.get("data") or {}):
                await client.aclose()
                return found
            problem = f'could not find a JWS signature in the {INFO} ConfigMap for token ID "{id_}"'
        if loop.time() + RETRY_SECONDS >= until:
            await client.aclose()
            raise KubeadmError(problem)
        await asyncio.sleep(RETRY_SECONDS)


def _text(info: Object, id_: str, secret: str) -> str:
    """Return the kubeconfig in cluster-info, whose signature fits."""
    data = info.get("data") or {}
    content = data.get("kubeconfig")
    if not content:
        why = "This API Server isn't set up for token bootstrapping, can't connect"
        raise KubeadmError(f"there is no kubeconfig key in the {INFO} ConfigMap. {why}")
    signature = data[f"{bootstrap_tokens.SIGNATURE_PREFIX}{id_}"]
    if not hmac.compare_digest(signature.encode(), bootstrap_tokens.signature(content, id_, secret).encode()):
        raise KubeadmError(
            "failed to verify JWS signature of received cluster info object, can't trust this API Server"
        )
    return str(content)


def _cluster(text: str) -> Cluster:
    """Read what the signed kubeconfig says: of whoever has the token, so it may say anything."""
    try:
        document = read_one_yaml(text.encode())
        (entry, *_) = document["clusters"]
        server, authority = entry["cluster"]["server"], entry["cluster"]["certificate-authority-data"]
        decoded = base64.b64decode(authority, validate=True)
    except Unreadable as error:
        raise KubeadmError(f"couldn't parse the kubeconfig file in the {INFO} ConfigMap: {error}") from error
    except (TypeError, KeyError, ValueError) as error:
        raise KubeadmError(f"malformed kubeconfig in the {INFO} ConfigMap") from error
    if not isinstance(server, str):
        raise KubeadmError(f"malformed kubeconfig in the {INFO} ConfigMap")
    return Cluster(server, decoded)
