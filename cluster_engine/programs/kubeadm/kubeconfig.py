"""`kubeadm kubeconfig user`: kubeconfigs for people.

Kubernetes has no table of users. Who somebody is stands in a certificate, and whoever holds the key of the cluster's
authority can write one. So this runs on the control plane, where that key lies, opens no connection, and prints:

    kubeadm kubeconfig user --client-name=anna --org=shop > anna.conf      CN=anna, O=shop, valid for a year

Modelled on cmd/kubeadm/app/cmd/kubeconfig.go and phases/kubeconfig (1.32). Left out: --config, --rootfs.
"""

import base64
from collections.abc import Mapping
from datetime import timedelta

import yaml

from cluster_engine.cast import PKI
from cluster_engine.pki.authority import LEAF_LIFETIME, Authority, KeyPair, Usage
from cluster_engine.pki.layout import CLUSTER
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.errors import KubeadmError
from cluster_engine.programs.kubectl.flags import Flag, Parsed

API_SERVER_PORT = 6443
FLAGS = (
    Flag("client-name", default=""),
    Flag("org", kind="strings"),
    Flag("token", default=""),
    Flag("validity-period", kind="duration", default=LEAF_LIFETIME.total_seconds()),
)
USAGE = """Output a kubeconfig file for an additional user.

Usage:
  kubeadm kubeconfig user [flags]

Examples:
  # Output a kubeconfig file for an additional user named foo
  kubeadm kubeconfig user --client-name=foo

Flags:
      --client-name string         The name of user. It will be used as the CN if client certificates are created
      --org strings                The organizations of the client certificate
      --token string               The token that should be used instead of client certificates
      --validity-period duration   The validity period of the client certificate (default 8760h0m0s)
"""


async def user(invocation: Invocation, flags: Parsed) -> int:
    """Print a kubeconfig for somebody."""
    if not flags["client-name"]:
        raise KubeadmError('required flag(s) "client-name" not set')
    if flags.arguments:
        raise KubeadmError(f'unknown command "{flags.arguments[0]}" for "kubeadm kubeconfig user"')
    shown: Mapping[str, str] = {"token": flags["token"]}
    if not flags["token"]:
        organizations = [one for given in flags["org"] for one in given.split(",")]
        shown = _signed(invocation, flags["client-name"], organizations, flags["validity-period"])
    invocation.out(_kubeconfig(invocation, flags["client-name"], shown))
    return 0


def _signed(invocation: Invocation, name: str, organizations: list[str], seconds: float) -> Mapping[str, str]:
    """Sign a certificate with the key that lies on this host. KubeadmError where there is none."""
    files = invocation.files
    try:
        pair = KeyPair(files.read(f"{PKI}/ca.crt"), files.read(f"{PKI}/ca.key"))
        authority = Authority.of(pair, now=invocation.process.now())
        lifetime = timedelta(seconds=seconds)
        leaf = authority.issue(name, organizations=organizations, usage=Usage.CLIENT, lifetime=lifetime)
    except FileNotFoundError as error:
        text = f"failure loading ca: couldn't load the certificate file: open {error.filename}: {error.strerror}"
        raise KubeadmError(f"couldn't use CA certificate {CLUSTER}: {text.lower()}") from error
    except (ValueError, OverflowError) as error:
        raise KubeadmError(f"couldn't create a certificate: {error}") from error
    return {"client-certificate-data": _base64(leaf.certificate), "client-key-data": _base64(leaf.key)}


def _kubeconfig(invocation: Invocation, name: str, user: Mapping[str, str]) -> str:
    host, context = invocation.process.host, f"{name}@{CLUSTER}"
    authority = _base64(invocation.files.read(f"{PKI}/ca.crt")) if invocation.files.exists(f"{PKI}/ca.crt") else ""
    cluster = {"certificate-authority-data": authority, "server": f"https://{host.address}:{API_SERVER_PORT}"}
    document = {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": CLUSTER}],
        "contexts": [{"context": {"cluster": CLUSTER, "user": name}, "name": context}],
        "current-context": context,
        "kind": "Config",
        "preferences": {},
        "users": [{"name": name, "user": dict(user)}],
    }
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, width=1 << 30)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
