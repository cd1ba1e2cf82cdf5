"""What admission adds to a pod: its service account and token volume, its priority, its patience with a lost node.

Modelled on plugin/pkg/admission/{serviceaccount,runtimeclass,priority,defaulttolerationseconds}.

    volume kube-api-access-x7k2p = token (3607 s) + ConfigMap kube-root-ca.crt + namespace, mounted in every container
    tolerations not-ready and unreachable: NoExecute, for 300 s
"""

from cluster_engine.api.kinds import PRIORITY_CLASS, SERVICE_ACCOUNT
from cluster_engine.api.names import generated
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.admission import limits
from cluster_engine.apiserver.registry.backend import Backend, Call

MIRROR = "kubernetes.io/config.mirror"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_VOLUME = "kube-api-access-"
TOKEN_SECONDS = 3607
TOLERATION_SECONDS = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(backend: Backend, call: Call, pod: Object) -> None:
    """Fill in a new pod; refuse it when its service account does not exist."""
    spec = pod.setdefault("spec", {})
    limits.admit(backend, call, pod)
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        _service_account(backend, call, pod["metadata"], spec)
    _runtime_class(backend, call, pod["metadata"], spec)
    _priority(backend, call, pod["metadata"], spec)
    _tolerations(spec)


def admit_update(pod: Object) -> None:
    """DefaultTolerationSeconds looks at updates too; the rest of a pod stays as it was admitted."""
    pod["spec"] = dict(pod["spec"])
    _tolerations(pod["spec"])


def _service_account(backend: Backend, call: Call, metadata: Object, spec: Object) -> None:
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = backend.find(SERVICE_ACCOUNT, call.namespace, name)
    if account is None:
        pod_name = metadata.get("name") or metadata.get("generateName", "")
        why = f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found'
        raise Forbidden.because(call.kind, pod_name, why)
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]
    mounts = spec.get("automountServiceAccountToken")
    if mounts is None:
        mounts = account.get("automountServiceAccountToken", True)
    if mounts:
        _mount_token(backend, spec)


def _mount_token(backend: Backend, spec: Object) -> None:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    without = [
        container
        for container in containers
        if all(mount.get("mountPath") != MOUNT_PATH for mount in container.get("volumeMounts") or ())
    ]
    if not without:
        return
    volumes = spec.get("volumes") or ()
    name = next((volume["name"] for volume in volumes if volume["name"].startswith(TOKEN_VOLUME)), "")
    if not name:
        name = generated(TOKEN_VOLUME, backend.process.rng)
        spec["volumes"] = [*volumes, {"name": name, "projected": _projected()}]
    for container in without:
        mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]


def _projected() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 420,
    }


def _runtime_class(backend: Backend, call: Call, metadata: Object, spec: Object) -> None:
    """RuntimeClass: the class must exist."""
    name = spec.get("runtimeClassName")
    kind = backend.kinds.served.by_resource("node.k8s.io", "v1", "runtimeclasses")
    if name and (kind is None or backend.find(kind, "", name) is None):
        why = f'pod rejected: RuntimeClass "{name}" not found'
        raise Forbidden.because(call.kind, metadata.get("name", ""), why)


def _priority(backend: Backend, call: Call, metadata: Object, spec: Object) -> None:
    """Priority: the class must exist; it, or the one that is the default, says how important the pod is."""
    wanted = spec.get("priorityClassName", "")
    found = backend.find(PRIORITY_CLASS, "", wanted) if wanted else _default_class(backend)
    if wanted and found is None:
        raise Forbidden.because(call.kind, metadata.get("name", ""), f"no PriorityClass with name {wanted} was found")
    if found is not None and not wanted:
        spec["priorityClassName"] = found["metadata"]["name"]
    for field, kind, default in (("priority", "integer", 0), ("preemptionPolicy", "string", "PreemptLowerPriority")):
        computed = (found or {}).get("value" if field == "priority" else field, default)
        said = spec.setdefault(field, computed)
        if said != computed:
            name = field if field == "priority" else "PreemptionPolicy"
            why = (
                f"the {kind} value of {name} ({said}) must not be provided in pod spec; priority admission controller "
            )
            why += f"computed {computed} from the given PriorityClass name"
            raise Forbidden.because(call.kind, metadata.get("name", ""), why)


def _default_class(backend: Backend) -> Object | None:
    """Return the class of pods that name none: of several defaults the least."""
    found = [each for each in backend.caches[PRIORITY_CLASS].objects() if each.get("globalDefault")]
    return min(found, key=lambda each: each.get("value", 0), default=None)


def _tolerations(spec: Object) -> None:
    tolerations = list(spec.get("tolerations") or ())
    for taint in TAINTS:
        if not any(_tolerates(each, taint) for each in tolerations):
            tolerations.append(
                {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
            )
    spec["tolerations"] = tolerations


def _tolerates(toleration: Object, taint: str) -> bool:
    return toleration.get("key") in (taint, None, "") and toleration.get("effect") in ("NoExecute", None, "")
