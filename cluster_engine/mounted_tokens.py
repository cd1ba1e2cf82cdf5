"""The service-account tokens of programs that run on hosts where a real cluster has them in pods: kube-proxy's.

Theory of operation. kubeadm runs kube-proxy as a DaemonSet, and the kubelet mounts into its pod what TokenRequest gave:
`token`, `ca.crt` and `namespace` under /var/run/secrets/kubernetes.io/serviceaccount. Here the program is a process of
the host, and before it starts the same three files are put there; the token is signed as the API server would sign it,
for the account as it lies in etcd, and so is accepted for as long as that account exists.

    mount(world, component)  →  worker-1:/var/run/secrets/kubernetes.io/serviceaccount/token   "eyJhbGciOiJFUzI1NiIs…"

A token lasts a year, as those that kubelets ask for do (`WARN_AFTER_SECONDS` in `apiserver/authentication/tokens.py`).
Left out: the pod that it would be bound to, renewal.
"""

import random
from uuid import UUID

import msgspec

from cluster_engine.api.kinds import SERVICE_ACCOUNT
from cluster_engine.apiserver.authentication.tokens import EXTENDED_SECONDS, Grant, Signer, claims_for
from cluster_engine.apiserver.storage import key_of
from cluster_engine.cast import CONTROL_PLANE, PKI, Account, Component
from cluster_engine.etcd.store import DATA_DIRECTORY
from cluster_engine.world.world import World


def mount(world: World, component: Component) -> None:
    """Write a component's token onto its host; nothing for one that shows a certificate."""
    if component.identity is not None and component.identity.account is not None:
        token = issue(world, component.identity.account, component.id)
        files = world.host(component.host.name).files
        files.write(f"{component.identity.account.directory}/token", token)
        files.write(f"{component.identity.account.directory}/namespace", component.identity.account.namespace.encode())


def issue(world: World, account: Account, holder: str) -> bytes:
    """Make a token of an account that lies in etcd, for `holder`."""
    control_plane = world.host(CONTROL_PLANE)
    key = key_of(SERVICE_ACCOUNT, account.namespace, account.name).encode()
    (found,) = control_plane.disk[DATA_DIRECTORY].range(key).kvs
    signer = Signer(control_plane.files.read(f"{PKI}/sa.key"))
    grant = Grant(
        namespace=account.namespace,
        account=account.name,
        account_uid=msgspec.json.decode(found.value)["metadata"]["uid"],
        audiences=(signer.issuer,),
        expiration_seconds=EXTENDED_SECONDS,
    )
    number = random.Random(f"{world.seed}/{holder}/token").getrandbits(128)
    claims = claims_for(grant, signer.issuer, world.now(), str(UUID(int=number, version=4)))
    return signer.sign(claims).encode()
