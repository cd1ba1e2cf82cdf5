"""`kubeadm certs check-expiration`: until when the certificates of the control plane hold.

Certificates that lie in kubeconfigs are read there. Modelled on cmd/kubeadm/app/cmd/certs.go and phases/certs/renewal
(1.32). Left out: renew, generate-csr.
"""

from datetime import datetime

from cryptography import x509

from cluster_engine.cast import PKI
from cluster_engine.client import kubeconfig
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.api import admin, cluster_configuration, short
from cluster_engine.programs.kubeadm.errors import KubeadmError
from cluster_engine.programs.kubectl.flags import Flag, Parsed
from cluster_engine.programs.kubectl.tabwriter import layout

FLAGS = (Flag("kubeconfig", default=""), Flag("cert-dir", default=PKI))
CERTIFICATES = (
    ("admin.conf", "", "ca"),
    ("apiserver", "apiserver", "ca"),
    ("apiserver-etcd-client", "apiserver-etcd-client", "etcd-ca"),
    ("apiserver-kubelet-client", "apiserver-kubelet-client", "ca"),
    ("controller-manager.conf", "", "ca"),
    ("etcd-healthcheck-client", "etcd/healthcheck-client", "etcd-ca"),
    ("etcd-peer", "etcd/peer", "etcd-ca"),
    ("etcd-server", "etcd/server", "etcd-ca"),
    ("front-proxy-client", "front-proxy-client", "front-proxy-ca"),
    ("scheduler.conf", "", "ca"),
    ("super-admin.conf", "", "ca"),
)
"""Each with its file below the directory ("": it lies in a kubeconfig) and its authority."""
AUTHORITIES = (("ca", "ca"), ("etcd-ca", "etcd/ca"), ("front-proxy-ca", "front-proxy-ca"))


async def check_expiration(invocation: Invocation, flags: Parsed) -> int:
    """Print a table of certificates, and one of authorities."""
    try:
        client = admin(invocation, flags["kubeconfig"])
        await cluster_configuration(invocation, client, "check-expiration")
        await client.aclose()
        invocation.out("\n")
    except KubeadmError:
        text = "Error reading configuration from the Cluster. Falling back to default configuration"
        invocation.out(f"[check-expiration] {text}\n\n")
    folder, now = invocation.absolute(flags["cert-dir"]), invocation.process.now()
    lines = ["CERTIFICATE\tEXPIRES\tRESIDUAL TIME\tCERTIFICATE AUTHORITY\tEXTERNALLY MANAGED"]
    for name, file, authority in CERTIFICATES:
        end = _end(invocation, f"{folder}/{file}.crt" if file else f"/etc/kubernetes/{name}")
        lines.append(f"{name}\t{_left(end, now)}\t{authority}\t{'no':8}" if end else f"!MISSING! {name}\t\t\t\t")
    lines += ["", "CERTIFICATE AUTHORITY\tEXPIRES\tRESIDUAL TIME\tEXTERNALLY MANAGED"]
    for name, file in AUTHORITIES:
        end = _end(invocation, f"{folder}/{file}.crt")
        lines.append(f"{name}\t{_left(end, now)}\t{'no':8}" if end else f"!MISSING! {name}\t\t\t")
    invocation.out(layout("".join(f"{line}\n" for line in lines), minimum=10, padding=3))
    return 0


def _left(end: datetime, now: datetime) -> str:
    return f"{end:%b %d, %Y %H:%M} UTC\t{short(end - now)}"


def _end(invocation: Invocation, path: str) -> datetime | None:
    """Return when a certificate ends, in a file or in a kubeconfig; None where there is none."""
    files = invocation.files
    try:
        pem = files.read(path) if path.endswith(".crt") else kubeconfig.load(files, path).certificate
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise KubeadmError(f"failed to load existing certificate {path}: {error}") from error
    try:
        return x509.load_pem_x509_certificate(pem or b"").not_valid_after_utc
    except ValueError as error:
        raise KubeadmError(f"failed to load existing certificate {path}: {error}") from error
