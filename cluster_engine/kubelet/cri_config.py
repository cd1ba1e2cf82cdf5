"""What CRI is asked for: a pod's sandbox and containers, in CRI's own words.

Labels say whose it is, so that the kubelet finds its own again after a restart; annotations say from which version of
the spec it was made. Modelled on kuberuntime_sandbox.go, kuberuntime_container.go and labels.go.
"""

from collections.abc import Mapping

from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import parse
from cluster_engine.kubelet import pods
from cluster_engine.kubelet.actions import container_hash
from cluster_engine.kubelet.environment import expand, expand_all
from cluster_engine.kubelet.runtime_cache import CONTAINER_HASH, CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID
from cluster_engine.kubelet.security_context import namespaces, security_context
from cluster_engine.rpc import cri_pb2 as cri

CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
HOSTS = "/etc/hosts"
HOSTNAME_LENGTH_MAX = 63
CPU_PERIOD_MICROSECONDS = 100_000
TERMINATION_PATH = "io.kubernetes.container.terminationMessagePath"
TERMINATION_POLICY = "io.kubernetes.container.terminationMessagePolicy"
READ_ONLY = ("configMap", "secret", "downwardAPI", "projected")
"""Volumes that nobody can write to."""
_PLUGINS = {"emptyDir": "empty-dir", "downwardAPI": "downward-api"}
"""What the plugin of a kind is called where it is not called like the kind (pkg/volume/*, PluginName)."""


def sandbox_config(pod: Object, attempt: int, seen: str) -> cri.PodSandboxConfig:
    """Describe the pod's sandbox; `seen` is when the kubelet first saw the pod."""
    metadata = pod["metadata"]
    name, namespace, uid = metadata["name"], metadata["namespace"], metadata["uid"]
    return cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name=name, namespace=namespace, uid=uid, attempt=attempt),
        hostname="" if pods.uses_host_network(pod) else hostname(pod),
        log_directory=log_directory(pod),
        dns_config=dns_config(pod),
        port_mappings=[_port(port) for container in pods.containers(pod) for port in container.get("ports") or []],
        labels={**(metadata.get("labels") or {}), **_identity(pod)},
        annotations={
            **(metadata.get("annotations") or {}),
            "kubernetes.io/config.seen": seen,
            "kubernetes.io/config.source": pods.source(pod),
        },
        linux=cri.LinuxPodSandboxConfig(
            cgroup_parent=f"/kubepods/pod{uid}",
            security_context=cri.LinuxSandboxSecurityContext(namespace_options=namespaces(pod)),
            sysctls={one["name"].replace("/", "."): one["value"] for one in _sysctls(pod)},
        ),
    )


def container_config(
    pod: Object,
    container: Object,
    *,
    image: cri.Image,
    attempt: int,
    variables: Mapping[str, str],
    target_id: str = "",
) -> cri.ContainerConfig:
    """Describe a container of an image that is on the node; it is to see the processes of the container `target_id`.

    TooLargeError, RunAsRootError.
    """
    command, args = container.get("command") or [], container.get("args") or []
    words = expand_all([*command, *args], variables)
    return cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name=container["name"], attempt=attempt),
        image=cri.ImageSpec(image=image.id, user_specified_image=container["image"]),
        command=words[: len(command)],
        args=words[len(command) :],
        working_dir=container.get("workingDir") or "",
        envs=[cri.KeyValue(key=name, value=value) for name, value in variables.items()],
        mounts=[
            *(_mount(pod, mount, variables) for mount in container.get("volumeMounts") or []),
            *_hosts_mount(pod, container),
            cri.Mount(
                container_path=termination_path(container),
                host_path=termination_log(pods.uid(pod), container["name"], attempt),
            ),
        ],
        labels={CONTAINER_NAME: container["name"], **_identity(pod)},
        annotations={
            CONTAINER_HASH: container_hash(container),
            "io.kubernetes.container.restartCount": str(attempt),
            TERMINATION_PATH: termination_path(container),
            TERMINATION_POLICY: container.get("terminationMessagePolicy") or "File",
            "io.kubernetes.pod.terminationGracePeriod": str(pod["spec"].get("terminationGracePeriodSeconds", 30)),
        },
        log_path=f"{container['name']}/{attempt}.log",
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
        linux=cri.LinuxContainerConfig(
            resources=_resources(container.get("resources") or {}),
            security_context=security_context(pod, container, image, target_id),
        ),
    )


def hostname(pod: Object) -> str:
    """Return what a pod with a network of its own is called within it: at most 63 letters."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:HOSTNAME_LENGTH_MAX].rstrip("-.")


def hosts_path(uid: str) -> str:
    """Say where on the host the /etc/hosts of a pod's containers lies."""
    return f"{pod_directory(uid)}/etc-hosts"


def termination_path(container: Object) -> str:
    """Say where a container may leave its last words."""
    return str(container.get("terminationMessagePath") or "/dev/termination-log")


def log_directory(pod: Object) -> str:
    """Say where the logs of a pod's containers lie."""
    metadata = pod["metadata"]
    return f"/var/log/pods/{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"


def pod_directory(uid: str) -> str:
    """Say where on the host all lies that a pod has of its own."""
    return f"/var/lib/kubelet/pods/{uid}"


def volume_directory(uid: str, volume: Object) -> str:
    """Say where a pod's volume lies on the host: below the name of the plugin that is its kind's."""
    kind = next((key for key in volume if key != "name"), "emptyDir")
    return f"{pod_directory(uid)}/volumes/kubernetes.io~{_PLUGINS.get(kind, kind.lower())}/{volume['name']}"


def dns_config(pod: Object) -> cri.DNSConfig:
    """Say what /etc/resolv.conf of the pod's containers says (pkg/kubelet/network/dns, GetPodDNS).

    A policy "Default" is the host's own: nothing here, for hosts ask the data centre's DNS without a file.
    """
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    policy, own = spec.get("dnsPolicy") or "ClusterFirst", spec.get("dnsConfig") or {}
    of_cluster = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not pods.uses_host_network(pod))
    servers = [CLUSTER_DNS] if of_cluster else []
    searches = [f"{namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN] if of_cluster else []
    options = {"ndots": "5"} if of_cluster else {}
    options |= {one["name"]: one.get("value") or "" for one in own.get("options") or () if one.get("name")}
    return cri.DNSConfig(
        servers=list(dict.fromkeys([*servers, *(own.get("nameservers") or ())])),
        searches=list(dict.fromkeys([*searches, *(own.get("searches") or ())])),
        options=[f"{name}:{value}" if value else name for name, value in options.items()],
    )


def termination_log(uid: str, name: str, attempt: int) -> str:
    """Say where a container's last words lie on the host."""
    return f"{pod_directory(uid)}/containers/{name}/{attempt}"


def _identity(pod: Object) -> dict[str, str]:
    metadata = pod["metadata"]
    return {POD_NAME: metadata["name"], POD_NAMESPACE: metadata["namespace"], POD_UID: metadata["uid"]}


def _sysctls(pod: Object) -> list[Object]:
    return list((pod["spec"].get("securityContext") or {}).get("sysctls") or ())


def _hosts_mount(pod: Object, container: Object) -> list[cri.Mount]:
    """Return the mount of /etc/hosts, where the container has none of its own there."""
    if any("/" + mount["mountPath"].strip("/") == HOSTS for mount in container.get("volumeMounts") or []):
        return []
    return [cri.Mount(container_path=HOSTS, host_path=hosts_path(pods.uid(pod)))]


def _port(port: Object) -> cri.PortMapping:
    return cri.PortMapping(
        protocol=port.get("protocol") or "TCP",
        container_port=port["containerPort"],
        host_port=port.get("hostPort") or 0,
        host_ip=port.get("hostIP") or "",
    )


def _mount(pod: Object, mount: Object, variables: Mapping[str, str]) -> cri.Mount:
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    volume = volumes.get(mount["name"]) or {"name": mount["name"]}
    path = str((volume.get("hostPath") or {}).get("path") or volume_directory(pods.uid(pod), volume))
    inside = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
    return cri.Mount(
        container_path="/" + mount["mountPath"].strip("/"),
        host_path=f"{path.rstrip('/')}/{inside.strip('/')}" if inside else path,
        readonly=bool(mount.get("readOnly")) or any(kind in volume for kind in READ_ONLY),
    )


def _resources(resources: Object) -> cri.LinuxContainerResources:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    cpu = parse(str(requests.get("cpu", "0")))
    quota = parse(str(limits.get("cpu", "0")))
    return cri.LinuxContainerResources(
        cpu_shares=max(2, int(cpu * 1024)),
        cpu_period=CPU_PERIOD_MICROSECONDS,
        cpu_quota=int(quota * CPU_PERIOD_MICROSECONDS),
        memory_limit_in_bytes=int(parse(str(limits.get("memory", "0")))),
    )
