"""`kubectl create clusterrolebinding` and `rolebinding`: who gets which role, from a few flags.

    create clusterrolebinding ops --clusterrole=view --user=ben --serviceaccount=default:web
        POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings?fieldManager=kubectl-create&…

Modelled on kubectl/pkg/cmd/create.
"""

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.create import COMMON_FLAGS, create, named
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

GROUP = "rbac.authorization.k8s.io"
_SUBJECT_FLAGS = (
    Flag("clusterrole", default=""),
    Flag("user", kind="strings"),
    Flag("group", kind="strings"),
    Flag("serviceaccount", kind="strings"),
)
CLUSTER_FLAGS = (*COMMON_FLAGS, *_SUBJECT_FLAGS)
NAMESPACED_FLAGS = (*CLUSTER_FLAGS, Flag("role", default=""))


async def cluster_role_binding(session: Session, arguments: list[str]) -> int:
    """Bind a ClusterRole in the whole cluster."""
    if not session.flags["clusterrole"]:
        raise CommandError('required flag(s) "clusterrole" not set')
    name = named(arguments, "clusterrolebinding")
    obj = _binding(session, "ClusterRoleBinding", name, "ClusterRole")
    path = f"/apis/{GROUP}/v1/clusterrolebindings"
    return await _create(session, obj, path, "clusterrolebinding")


async def role_binding(session: Session, arguments: list[str]) -> int:
    """Bind a Role or a ClusterRole in one namespace."""
    name = named(arguments, "rolebinding")
    if bool(session.flags["clusterrole"]) == bool(session.flags["role"]):
        raise CommandError("exactly one of clusterrole or role must be specified")
    obj = _binding(session, "RoleBinding", name, "ClusterRole" if session.flags["clusterrole"] else "Role")
    if session.flags["namespace"]:
        obj["metadata"]["namespace"] = session.namespace
    path = f"/apis/{GROUP}/v1/namespaces/{session.namespace}/rolebindings"
    return await _create(session, obj, path, "rolebinding")


def _binding(session: Session, kind: str, name: str, role_kind: str) -> Object:
    role = session.flags["clusterrole"] or session.flags["role"]
    subjects: list[Object] = [{"apiGroup": GROUP, "kind": "User", "name": user} for user in session.flags["user"]]
    subjects += [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in session.flags["group"]]
    subjects += [service_account(account) for account in session.flags["serviceaccount"]]
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"creationTimestamp": None, "name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
        **({"subjects": subjects} if subjects else {}),
    }


def service_account(text: str) -> Object:
    """Return the subject that NAMESPACE:NAME names. CommandError."""
    namespace, _, name = text.partition(":")
    if not namespace or not name or ":" in name:
        raise CommandError("serviceaccount must be <namespace>:<name>")
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


async def _create(session: Session, obj: Object, path: str, kind: str) -> int:
    label = f"{kind}.{GROUP}/{obj['metadata']['name']}"
    return await create(session, obj, path, label, failed=f"failed to create {kind}: ")
