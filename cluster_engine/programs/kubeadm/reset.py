"""`kubeadm reset`: takes back what `kubeadm join` did to a machine.

    systemctl stop kubelet; every pod is stopped and removed; /var/lib/kubelet, /etc/kubernetes/… are emptied

The Node stays in the API: `kubectl delete node` is the administrator's affair. Modelled on cmd/kubeadm/app/cmd/reset.go
and phases/reset (1.32). Left out: the control plane, whose etcd would go.
"""

from cluster_engine.cast import PKI
from cluster_engine.programs.crictl.runtime import SOCKET, CrictlError, Runtime
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.errors import KubeadmError
from cluster_engine.programs.kubectl.flags import Flag, Parsed

FLAGS = (
    Flag("force", "f", kind="bool"),
    Flag("cri-socket", default=""),
    Flag("ignore-preflight-errors", kind="strings"),
)
DIRECTORIES = ("/etc/kubernetes/manifests", "/var/lib/kubelet", PKI)
NAMES = ("admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler")
FILES = tuple(f"/etc/kubernetes/{name}.conf" for name in NAMES)
WARNING = "[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted."
LEFT = """
The reset process does not perform cleanup of CNI plugin configuration,
network filtering rules and kubeconfig files.

For information on how to perform this cleanup manually, please see:
    https://k8s.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/

"""


async def reset(invocation: Invocation, flags: Parsed) -> int:
    """Make a machine one that belongs to no cluster."""
    if invocation.files.exists(f"{PKI}/ca.key"):
        raise KubeadmError("this machine's control plane is not to be reset: the cluster would end with its etcd")
    if not flags["force"]:
        await _confirm(invocation)
    invocation.out("[preflight] Running pre-flight checks\n[reset] Stopping the kubelet service\n")
    units = invocation.process.host.machine.units
    for name in ("kubelet", "kube-proxy"):
        if name in units and units[name].state == "active":
            await units[name].stop()
    await _remove_pods(invocation)
    invocation.out('[reset] Unmounting mounted directories in "/var/lib/kubelet"\n')
    invocation.out(f"[reset] Deleting contents of directories: [{' '.join(DIRECTORIES)}]\n")
    files = invocation.files
    for directory in DIRECTORIES:
        files.remove_below(directory)
    invocation.out(f"[reset] Deleting files: [{' '.join(FILES)}]\n")
    for path in FILES:
        if files.exists(path):
            files.remove(path)
    invocation.out(LEFT)
    return 0


async def _confirm(invocation: Invocation) -> None:
    now = invocation.process.now()
    invocation.err(f"W{now:%m%d %H:%M:%S.%f}    {invocation.process.pid:4} preflight.go:56] {WARNING}\n")
    invocation.out("[reset] Are you sure you want to proceed? [y/N]: ")
    async for line in invocation.lines():
        if line.strip().lower() in ("y", "yes"):
            return
        break
    raise KubeadmError("error execution phase preflight: aborted reset operation")


async def _remove_pods(invocation: Invocation) -> None:
    runtime = Runtime(invocation, f"unix://{SOCKET}")
    try:
        for pod in await runtime.pods():
            await runtime.call("StopPodSandbox", "stopping a pod", pod_sandbox_id=pod.id)
            await runtime.call("RemovePodSandbox", "removing a pod", pod_sandbox_id=pod.id)
    except CrictlError as error:
        invocation.err(f"[reset] Failed to remove containers: {error}\n")
    finally:
        runtime.close()
