"""Node: a machine that runs pods, as its kubelet reports it.

From `core/v1` `Node`. Left out: dynamic kubelet configuration, which Kubernetes itself took away.
"""

from cluster_engine.api.cells import nodes as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import placement as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    PROXY_VERBS,
    QUANTITY,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    Subresource,
    field_path,
    message,
)
from cluster_engine.api.schemas.meta import conditions, object_message
from cluster_engine.api.schemas.references import PACKAGE

TAINT = message(
    PACKAGE + "Taint",
    "Taint keeps pods that do not tolerate it away from a node.",
    Field(1, "key", STRING, "Key of the taint.", required=True),
    Field(2, "value", STRING, "Value of the taint."),
    Field(
        3,
        "effect",
        STRING,
        "NoSchedule, PreferNoSchedule, or NoExecute, which also evicts.",
        required=True,
        enum=("NoExecute", "NoSchedule", "PreferNoSchedule"),
    ),
    Field(4, "timeAdded", TIME, "When it was added; only for NoExecute.", pointer=True),
)

NODE_SPEC = message(
    PACKAGE + "NodeSpec",
    "NodeSpec is what a node is to be.",
    Field(1, "podCIDR", STRING, "Range of addresses for pods."),
    Field(2, "externalID", STRING, "Deprecated."),
    Field(3, "providerID", STRING, "Identity of the machine at its cloud."),
    Field(4, "unschedulable", BOOL, "No new pods here; kubectl cordon sets it."),
    Field(5, "taints", ListOf(TAINT), "Taints of the node."),
    Field(7, "podCIDRs", ListOf(STRING), "Ranges of addresses for pods.", patch_strategy="merge"),
    rules=rules.node_spec,
)

NODE_CONDITION = message(
    PACKAGE + "NodeCondition",
    "NodeCondition is one aspect of the node's current state.",
    Field(1, "type", STRING, "Ready, MemoryPressure, DiskPressure, PIDPressure or NetworkUnavailable.", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastHeartbeatTime", TIME, "When it was last reported.", always=True),
    Field(4, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(5, "reason", STRING, "Why, as one word in CamelCase."),
    Field(6, "message", STRING, "Why, for people."),
)

NODE_ADDRESS = message(
    PACKAGE + "NodeAddress",
    "NodeAddress is one address of the node.",
    Field(1, "type", STRING, "Hostname, InternalIP, ExternalIP, …", always=True),
    Field(2, "address", STRING, "The address.", always=True),
)

DAEMON_ENDPOINT = message(
    PACKAGE + "DaemonEndpoint",
    "DaemonEndpoint is where a daemon listens.",
    Field(1, "Port", INT32, "Its port.", always=True),
)

NODE_DAEMON_ENDPOINTS = message(
    PACKAGE + "NodeDaemonEndpoints",
    "NodeDaemonEndpoints are the ports of the node's daemons.",
    Field(1, "kubeletEndpoint", DAEMON_ENDPOINT, "The kubelet's.", always=True),
)

NODE_SYSTEM_INFO = message(
    PACKAGE + "NodeSystemInfo",
    "NodeSystemInfo identifies the node and its software.",
    Field(1, "machineID", STRING, "Identity of the machine.", always=True),
    Field(2, "systemUUID", STRING, "Identity of the hardware.", always=True),
    Field(3, "bootID", STRING, "Identity of this boot.", always=True),
    Field(4, "kernelVersion", STRING, "Kernel, as uname -r.", always=True),
    Field(5, "osImage", STRING, "Operating system, as in /etc/os-release.", always=True),
    Field(6, "containerRuntimeVersion", STRING, "Container runtime, such as containerd://1.7.0.", always=True),
    Field(7, "kubeletVersion", STRING, "Version of the kubelet.", always=True),
    Field(8, "kubeProxyVersion", STRING, "Deprecated.", always=True),
    Field(9, "operatingSystem", STRING, "linux or windows.", always=True),
    Field(10, "architecture", STRING, "Architecture, such as amd64.", always=True),
)

CONTAINER_IMAGE = message(
    PACKAGE + "ContainerImage",
    "ContainerImage is an image that is on the node.",
    Field(1, "names", ListOf(STRING), "Its names."),
    Field(2, "sizeBytes", INT64, "Its size."),
)

ATTACHED_VOLUME = message(
    PACKAGE + "AttachedVolume",
    "AttachedVolume is a volume attached to the node.",
    Field(1, "name", STRING, "Name of the volume.", always=True),
    Field(2, "devicePath", STRING, "Where it is.", always=True),
)

NODE_RUNTIME_HANDLER_FEATURES = message(
    PACKAGE + "NodeRuntimeHandlerFeatures",
    "NodeRuntimeHandlerFeatures is what a runtime handler can do.",
    Field(1, "recursiveReadOnlyMounts", BOOL, "Recursive read-only mounts.", pointer=True),
    Field(2, "userNamespaces", BOOL, "User namespaces.", pointer=True),
)

NODE_RUNTIME_HANDLER = message(
    PACKAGE + "NodeRuntimeHandler",
    "NodeRuntimeHandler is one of the container runtime's handlers.",
    Field(1, "name", STRING, "Its name; empty for the default one.", always=True),
    Field(2, "features", NODE_RUNTIME_HANDLER_FEATURES, "What it can do.", pointer=True),
)

NODE_FEATURES = message(
    PACKAGE + "NodeFeatures",
    "NodeFeatures is what the container runtime can do.",
    Field(1, "supplementalGroupsPolicy", BOOL, "Supplemental groups policies.", pointer=True),
)

NODE_STATUS = message(
    PACKAGE + "NodeStatus",
    "NodeStatus is what is known of a node; its kubelet reports it.",
    Field(1, "capacity", MapOf(QUANTITY), "Resources of the node."),
    Field(2, "allocatable", MapOf(QUANTITY), "Resources that pods can have."),
    Field(3, "phase", STRING, "Deprecated."),
    conditions(4, NODE_CONDITION),
    Field(
        5,
        "addresses",
        ListOf(NODE_ADDRESS),
        "Addresses of the node.",
        patch_strategy="merge",
        merge_key="type",
        list_keys=("type",),
    ),
    Field(6, "daemonEndpoints", NODE_DAEMON_ENDPOINTS, "Ports of the node's daemons.", always=True),
    Field(7, "nodeInfo", NODE_SYSTEM_INFO, "Identity of the node and its software.", always=True),
    Field(8, "images", ListOf(CONTAINER_IMAGE), "Images on the node."),
    Field(9, "volumesInUse", ListOf(STRING), "Attached volumes in use."),
    Field(10, "volumesAttached", ListOf(ATTACHED_VOLUME), "Attached volumes."),
    Field(12, "runtimeHandlers", ListOf(NODE_RUNTIME_HANDLER), "Handlers of the container runtime."),
    Field(13, "features", NODE_FEATURES, "What the container runtime can do.", pointer=True),
)


def default_node(node: Object) -> None:
    """All of the node's capacity is allocatable unless its kubelet says otherwise."""
    status = node["status"]
    if status.get("capacity") and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])


NODE = Kind(
    group="",
    version="v1",
    name="Node",
    plural="nodes",
    singular="node",
    short_names=("no",),
    namespaced=False,
    has_status=True,
    keeps_status_on_create=True,  # a kubelet registers with it
    status_carries=("labels", "annotations"),
    storage_prefix="minions",
    subresources=(Subresource("proxy", PROXY_VERBS, connects="NodeProxyOptions"), STATUS_SUBRESOURCE),
    schema=object_message(
        PACKAGE + "Node",
        "Node is a machine that runs pods.",
        Field(2, "spec", NODE_SPEC, "What the node is to be.", always=True),
        Field(3, "status", NODE_STATUS, "What is known of the node.", always=True),
        defaults=default_node,
    ),
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "spec.unschedulable": lambda node: "true" if node.get("spec", {}).get("unschedulable") else "false",
    },
    columns=(
        name(),
        Column("Status", cells.status, "Whether the node is ready, and whether it takes pods."),
        Column("Roles", cells.roles, "Roles of the node, by its labels."),
        age(),
        Column("Version", cells.version, "Version of the kubelet."),
        Column("Internal-IP", cells.internal_ip, "Address within the cluster.", wide=True),
        Column("External-IP", cells.external_ip, "Address from outside.", wide=True),
        Column("OS-Image", cells.os_image, "Operating system.", wide=True),
        Column("Kernel-Version", cells.kernel_version, "Kernel.", wide=True),
        Column("Container-Runtime", cells.container_runtime, "Container runtime.", wide=True),
    ),
)
