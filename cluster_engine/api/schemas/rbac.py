"""Kinds of the rbac family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

ROLE = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="Role",
    plural="roles",
    singular="role",
    namespaced=True,
    schema=object_message("io.k8s.api.rbac.v1.Role", "Role."),
    create_on_update=True,
)

ROLE_BINDING = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    namespaced=True,
    schema=object_message("io.k8s.api.rbac.v1.RoleBinding", "RoleBinding."),
    create_on_update=True,
)

CLUSTER_ROLE = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    schema=object_message("io.k8s.api.rbac.v1.ClusterRole", "ClusterRole."),
    create_on_update=True,
)

CLUSTER_ROLE_BINDING = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    schema=object_message("io.k8s.api.rbac.v1.ClusterRoleBinding", "ClusterRoleBinding."),
    create_on_update=True,
)
