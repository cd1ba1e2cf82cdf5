"""As whom a container runs: what pod and container say together, what is refused, and how CRI says it.

    pod runAsUser 1000, fsGroup 2000; container runAsUser 2000       run_as_user 2000, supplemental_groups [2000]
    runAsNonRoot, and nobody says who                               the image's user; if that is root, no start

Modelled on pkg/kubelet/kuberuntime/security_context.go, security_context_others.go and
pkg/securitycontext/util.go. Left out: SELinux, seccomp and AppArmor, which nothing here obeys.
"""

from cluster_engine.api.objects import Object
from cluster_engine.kubelet import pods
from cluster_engine.rpc import cri_pb2 as cri

SHARED = ("runAsUser", "runAsGroup", "runAsNonRoot")
"""What a pod says for all of its containers."""


class RunAsRootError(Exception):
    """A container that must not run as root would, or might; the text is the kubelet's."""


def effective(pod: Object, container: Object) -> Object:
    """Return a container's security context: its own, and what it does not say as the pod does."""
    of_pod = pod["spec"].get("securityContext") or {}
    own = {name: value for name, value in (container.get("securityContext") or {}).items() if value is not None}
    return {name: of_pod[name] for name in SHARED if of_pod.get(name) is not None} | own


def namespaces(pod: Object, target_id: str = "") -> cri.NamespaceOption:
    """Say which namespaces a pod's containers are in; one with a `target_id` sees that container's processes."""
    spec = pod["spec"]
    pid = cri.CONTAINER
    if target_id:
        pid = cri.TARGET
    elif spec.get("hostPID"):
        pid = cri.NODE
    elif spec.get("shareProcessNamespace"):
        pid = cri.POD
    network = cri.NODE if pods.uses_host_network(pod) else cri.POD
    ipc = cri.NODE if spec.get("hostIPC") else cri.POD
    return cri.NamespaceOption(network=network, pid=pid, ipc=ipc, target_id=target_id)


def security_context(
    pod: Object, container: Object, image: cri.Image, target_id: str = ""
) -> cri.LinuxContainerSecurityContext:
    """Say as whom a container of an image runs, and among which processes. RunAsRootError."""
    wanted = effective(pod, container)
    of_pod = pod["spec"].get("securityContext") or {}
    if wanted.get("runAsNonRoot"):
        _verify(wanted.get("runAsUser"), image, f'(pod: "{pods.format_pod(pod)}", container: {container["name"]})')
    capabilities = wanted.get("capabilities") or {}
    groups = [] if of_pod.get("fsGroup") is None else [of_pod["fsGroup"]]
    said = cri.LinuxContainerSecurityContext(
        capabilities=cri.Capability(
            add_capabilities=capabilities.get("add") or (), drop_capabilities=capabilities.get("drop") or ()
        ),
        privileged=bool(wanted.get("privileged")),
        namespace_options=namespaces(pod, target_id),
        readonly_rootfs=bool(wanted.get("readOnlyRootFilesystem")),
        supplemental_groups=[*groups, *(of_pod.get("supplementalGroups") or ())],
        no_new_privs=wanted.get("allowPrivilegeEscalation") is False,
    )
    if (user := wanted.get("runAsUser")) is not None:
        said.run_as_user.value = user
    elif image.username:
        said.run_as_username = image.username
    else:
        said.run_as_user.value = image.uid.value
    if (group := wanted.get("runAsGroup")) is not None:
        said.run_as_group.value = group
    return said


def volume_owner(pod: Object) -> tuple[int | None, int | None]:
    """Return the user that all of a pod's containers run as, if it is one, and the group that its volumes are given."""
    users = {effective(pod, one).get("runAsUser") for one in pods.init_containers(pod) + pods.containers(pod)}
    user = users.pop() if len(users) == 1 else None
    return user, (pod["spec"].get("securityContext") or {}).get("fsGroup")


def _verify(user: int | None, image: cri.Image, where: str) -> None:
    if user is not None:
        if user == 0:
            raise RunAsRootError(f"container's runAsUser breaks non-root policy {where}")
    elif image.username:
        why = f"image has non-numeric user ({image.username}), cannot verify user is non-root"
        raise RunAsRootError(f"container has runAsNonRoot and {why} {where}")
    elif image.uid.value == 0:
        raise RunAsRootError(f"container has runAsNonRoot and image will run as root {where}")
