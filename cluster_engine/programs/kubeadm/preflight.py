"""What kubeadm looks at before it changes a machine (cmd/kubeadm/app/preflight/checks.go, RunJoinNodeChecks).

Each check has a name; `--ignore-preflight-errors=NAME,…` (or `all`) makes a warning of what it finds. Left out: swap,
kernel, cgroups, tools in the path: no machine here lacks them.
"""

from collections.abc import Iterable, Iterator

from cluster_engine.programs.crictl.runtime import SOCKET
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubeadm.errors import KubeadmError

MANIFESTS = "/etc/kubernetes/manifests"
KUBELET_CONF, BOOTSTRAP_CONF = "/etc/kubernetes/kubelet.conf", "/etc/kubernetes/bootstrap-kubelet.conf"
CA_FILE = "/etc/kubernetes/pki/ca.crt"
KUBELET_PORT = 10250
HINT = "[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`"


def check(invocation: Invocation, ignored: Iterable[str]) -> None:
    """Look at everything. KubeadmError, which names all that is in the way."""
    accepted = {one.strip().lower() for given in ignored for one in given.split(",")}
    errors = []
    for name, problem in _problems(invocation):
        if name.lower() in accepted or "all" in accepted:
            invocation.err(f"\t[WARNING {name}]: {problem}\n")
        else:
            errors.append(f"\t[ERROR {name}]: {problem}\n")
    if errors:
        raise KubeadmError(f"[preflight] Some fatal errors occurred:\n{''.join(errors)}{HINT}")


def _problems(invocation: Invocation) -> Iterator[tuple[str, str]]:
    machine, files = invocation.process.host.machine, invocation.files
    if files.exists(MANIFESTS) and files.listdir(MANIFESTS):
        yield f"DirAvailable-{_dashed(MANIFESTS)}", f"{MANIFESTS} is not empty"
    for path in (KUBELET_CONF, BOOTSTRAP_CONF):
        if files.exists(path):
            yield f"FileAvailable-{_dashed(path)}", f"{path} already exists"
    containerd = machine.units.get("containerd")
    if containerd is None or containerd.state != "active":
        why = f'validate CRI v1 runtime API for endpoint "unix://{SOCKET}": rpc error: code = Unavailable'
        yield "CRI", f"could not connect to the container runtime: {why}"
    if any(port == KUBELET_PORT for _, port in machine.listeners):
        yield f"Port-{KUBELET_PORT}", f"Port {KUBELET_PORT} is in use"
    if files.exists(CA_FILE):
        yield f"FileAvailable-{_dashed(CA_FILE)}", f"{CA_FILE} already exists"


def _dashed(path: str) -> str:
    return path.replace("/", "-")
