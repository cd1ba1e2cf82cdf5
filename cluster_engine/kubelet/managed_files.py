"""Files of a pod's directory that the kubelet makes for its containers: /etc/hosts, and where they leave last words.

    # Kubernetes-managed hosts file.
    127.0.0.1       localhost
    …
    10.244.1.2      web-0.nginx.default.svc.cluster.local   web-0       with hostname and subdomain; else web-0 alone

    # Entries added by HostAliases.
    10.1.2.3        foo.local       bar.local

The file is written anew for each container that is made. Modelled on pkg/kubelet/kubelet_pods.go (makeHostsMount,
managedHostsFileContent). Left out: addresses of IPv6.
"""

import contextlib
from typing import TYPE_CHECKING

from cluster_engine.api.objects import Object
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.cri_config import CLUSTER_DOMAIN, hostname, hosts_path, termination_log

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem
    from cluster_engine.world.process import Host

HEADER = "# Kubernetes-managed hosts file.\n"
HEADER_OF_HOST_NETWORK = "# Kubernetes-managed hosts file (host network).\n"
LOCAL = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
LAST_WORDS_MODE = 0o666


class DiskError(Exception):
    """The host's disk does not take a file; the text is Go's."""


def write(files: "FileSystem", path: str, data: bytes, mode: int | None = None) -> None:
    """Write a file on the host. DiskError."""
    try:
        files.write(path, data, mode)
    except OSError as error:
        raise DiskError(f"open {path}: {str(error.strerror).lower()}") from error


def prepare(host: "Host", pod: Object, container: Object, *, ip: str, attempt: int) -> None:
    """Write the files for a container that is about to be made. DiskError where there is no room for /etc/hosts."""
    text = hosts_of_node(host) if pods.uses_host_network(pod) else hosts_of_pod(pod, ip)
    write(host.files, hosts_path(pods.uid(pod)), (text + aliases(pod)).encode())
    with contextlib.suppress(DiskError):
        write(host.files, termination_log(pods.uid(pod), container["name"], attempt), b"", LAST_WORDS_MODE)


def hosts_of_pod(pod: Object, ip: str) -> str:
    """Return /etc/hosts of a pod with an address of its own."""
    name, domain = hostname(pod), str(pod["spec"].get("subdomain") or "")
    if domain:
        name = f"{name}.{domain}.{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}\t{name}"
    return f"{HEADER}{LOCAL}{ip}\t{name}\n"


def hosts_of_node(host: "Host") -> str:
    """Return /etc/hosts of a pod in the node's network: the node's own."""
    path = "/etc/hosts"
    own = host.files.read(path).decode("utf-8", "replace") if host.files.exists(path) else "127.0.0.1\tlocalhost\n"
    return HEADER_OF_HOST_NETWORK + own


def aliases(pod: Object) -> str:
    """Return the lines of a pod's hostAliases."""
    lines = ["\t".join([one["ip"], *(one.get("hostnames") or ())]) for one in pod["spec"].get("hostAliases") or ()]
    return "".join(["\n# Entries added by HostAliases.\n", *(f"{line}\n" for line in lines)]) if lines else ""
