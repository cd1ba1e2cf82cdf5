"""Pod, the smallest thing that runs, PodTemplateSpec, from which controllers make them, and Binding, which places one.

From `core/v1`. Defaults follow `pkg/apis/core/v1/defaults.go`, columns `pkg/printers/internalversion/printers.go`.
"""

from cluster_engine.api.cells import pods as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.names import dns_subdomain_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import pods as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    PROXY_VERBS,
    QUANTITY,
    STATUS_SUBRESOURCE,
    STREAM_VERBS,
    STRING,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    Subresource,
    field_path,
    message,
)
from cluster_engine.api.schemas.containers import CONTAINER, EPHEMERAL_CONTAINER, RESOURCE_REQUIREMENTS
from cluster_engine.api.schemas.meta import OBJECT_META, object_message
from cluster_engine.api.schemas.placement import AFFINITY, TOLERATION, TOPOLOGY_SPREAD_CONSTRAINT
from cluster_engine.api.schemas.pod_status import POD_STATUS
from cluster_engine.api.schemas.policy import EVICTION
from cluster_engine.api.schemas.references import LOCAL_OBJECT_REFERENCE, OBJECT_REFERENCE, PACKAGE
from cluster_engine.api.schemas.security import POD_SECURITY_CONTEXT
from cluster_engine.api.schemas.volumes import VOLUME

HOST_ALIAS = message(
    PACKAGE + "HostAlias",
    "HostAlias is a line of the pod's /etc/hosts.",
    Field(1, "ip", STRING, "The address.", required=True),
    Field(2, "hostnames", ListOf(STRING), "Its names."),
)

POD_DNS_CONFIG_OPTION = message(
    PACKAGE + "PodDNSConfigOption",
    "PodDNSConfigOption is an option of resolv.conf.",
    Field(1, "name", STRING, "Name of the option."),
    Field(2, "value", STRING, "Its value.", pointer=True),
)

POD_DNS_CONFIG = message(
    PACKAGE + "PodDNSConfig",
    "PodDNSConfig is added to what the DNS policy gives.",
    Field(1, "nameservers", ListOf(STRING), "Addresses of name servers."),
    Field(2, "searches", ListOf(STRING), "Domains to search in."),
    Field(3, "options", ListOf(POD_DNS_CONFIG_OPTION), "Options of resolv.conf."),
)

POD_READINESS_GATE = message(
    PACKAGE + "PodReadinessGate",
    "PodReadinessGate is a condition that must be True for the pod to be ready.",
    Field(1, "conditionType", STRING, "Type of the condition.", required=True),
)

POD_OS = message(
    PACKAGE + "PodOS",
    "PodOS is the operating system of a pod.",
    Field(1, "name", STRING, "linux or windows.", required=True, enum=("linux", "windows")),
)

POD_SCHEDULING_GATE = message(
    PACKAGE + "PodSchedulingGate",
    "PodSchedulingGate keeps the scheduler from looking at the pod until it is removed.",
    Field(1, "name", STRING, "Name of the gate.", required=True),
)

POD_RESOURCE_CLAIM = message(
    PACKAGE + "PodResourceClaim",
    "PodResourceClaim refers to a claim of dynamic resource allocation.",
    Field(1, "name", STRING, "Name for the containers to refer to.", required=True),
    Field(3, "resourceClaimName", STRING, "Name of the claim.", pointer=True),
    Field(4, "resourceClaimTemplateName", STRING, "Name of a template for a claim.", pointer=True),
)


def default_pod_spec(spec: Object) -> None:
    """Keep the old name of the service account equal to the new, and expose host-network ports on the host.

    Resources of the pod as a whole are dropped: their gate, PodLevelResources, is off in 1.32.
    """
    spec.pop("resources", None)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if spec.get("hostNetwork"):
        for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
            for port in container.get("ports", ()):
                if not port.get("hostPort"):
                    port["hostPort"] = port["containerPort"]


def default_pod(pod: Object) -> None:
    """Requests are the limits where they are not given; containers are told of Services. Templates stay as they are."""
    spec = pod["spec"]
    spec.setdefault("enableServiceLinks", True)
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        limits = container["resources"].get("limits")
        if limits:
            requests = container["resources"].setdefault("requests", {})
            for resource, quantity in limits.items():
                requests.setdefault(resource, quantity)


POD_SPEC = message(
    PACKAGE + "PodSpec",
    "PodSpec is what a pod is to be.",
    Field(
        1,
        "volumes",
        ListOf(VOLUME),
        "Volumes that the containers can mount.",
        patch_strategy="merge,retainKeys",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(
        2,
        "containers",
        ListOf(CONTAINER),
        "Containers of the pod, at least one. They cannot be added or removed later.",
        required=True,
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(
        3,
        "restartPolicy",
        STRING,
        "Always, OnFailure or Never: what to do when a container ends.",
        default="Always",
        enum=("Always", "Never", "OnFailure"),
    ),
    Field(
        4,
        "terminationGracePeriodSeconds",
        INT64,
        "Seconds the containers have to end themselves before they are killed.",
        pointer=True,
        default=30,
        minimum=0,
    ),
    Field(5, "activeDeadlineSeconds", INT64, "Seconds the pod may be active on a node.", pointer=True, minimum=1),
    Field(
        6,
        "dnsPolicy",
        STRING,
        "ClusterFirst, ClusterFirstWithHostNet, Default or None.",
        default="ClusterFirst",
        enum=("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ),
    Field(7, "nodeSelector", MapOf(STRING), "Labels that a node must have.", atomic=True),
    Field(8, "serviceAccountName", STRING, "Name of the service account that the pod acts as."),
    Field(9, "serviceAccount", STRING, "Deprecated name of serviceAccountName."),
    Field(10, "nodeName", STRING, "Node that the pod is bound to. The scheduler sets it, through a Binding."),
    Field(11, "hostNetwork", BOOL, "Use the node's network."),
    Field(12, "hostPID", BOOL, "Use the node's process namespace."),
    Field(13, "hostIPC", BOOL, "Use the node's IPC namespace."),
    Field(14, "securityContext", POD_SECURITY_CONTEXT, "Security options of the pod.", pointer=True, default={}),
    Field(
        15,
        "imagePullSecrets",
        ListOf(LOCAL_OBJECT_REFERENCE),
        "Secrets to pull the images with.",
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(16, "hostname", STRING, "Host name of the pod; its name unless given."),
    Field(17, "subdomain", STRING, "Makes the full name <hostname>.<subdomain>.<namespace>.svc.<cluster domain>."),
    Field(18, "affinity", AFFINITY, "Where the pod wants to be.", pointer=True),
    Field(19, "schedulerName", STRING, "Scheduler that places the pod.", default="default-scheduler"),
    Field(
        20,
        "initContainers",
        ListOf(CONTAINER),
        "Containers that run, one after the other, to their end before the others start.",
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(21, "automountServiceAccountToken", BOOL, "Whether to mount a token of the service account.", pointer=True),
    Field(22, "tolerations", ListOf(TOLERATION), "Taints that the pod tolerates."),
    Field(
        23,
        "hostAliases",
        ListOf(HOST_ALIAS),
        "Lines for the pod's /etc/hosts.",
        patch_strategy="merge",
        merge_key="ip",
        list_keys=("ip",),
    ),
    Field(24, "priorityClassName", STRING, "Name of the pod's priority class."),
    Field(25, "priority", INT32, "Priority of the pod; admission sets it from the class.", pointer=True),
    Field(26, "dnsConfig", POD_DNS_CONFIG, "Name servers, domains and options of DNS.", pointer=True),
    Field(27, "shareProcessNamespace", BOOL, "Let the containers see each other's processes.", pointer=True),
    Field(28, "readinessGates", ListOf(POD_READINESS_GATE), "Conditions that must be True for the pod to be ready."),
    Field(29, "runtimeClassName", STRING, "Name of the RuntimeClass to run the pod with.", pointer=True),
    Field(30, "enableServiceLinks", BOOL, "Tell the containers of Services by variables.", pointer=True),
    Field(31, "preemptionPolicy", STRING, "Never, or PreemptLowerPriority.", pointer=True),
    Field(32, "overhead", MapOf(QUANTITY), "Resources of the pod beyond its containers'."),
    Field(
        33,
        "topologySpreadConstraints",
        ListOf(TOPOLOGY_SPREAD_CONSTRAINT),
        "How to spread pods over places.",
        patch_strategy="merge",
        merge_key="topologyKey",
        list_keys=("topologyKey", "whenUnsatisfiable"),
    ),
    Field(
        34,
        "ephemeralContainers",
        ListOf(EPHEMERAL_CONTAINER),
        "Containers added to look into the running pod.",
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(35, "setHostnameAsFQDN", BOOL, "Make the full name the host name.", pointer=True),
    Field(36, "os", POD_OS, "Operating system of the containers.", pointer=True),
    Field(37, "hostUsers", BOOL, "Use the node's user namespace.", pointer=True),
    Field(
        38,
        "schedulingGates",
        ListOf(POD_SCHEDULING_GATE),
        "While there is one, the pod is not scheduled.",
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(
        39,
        "resourceClaims",
        ListOf(POD_RESOURCE_CLAIM),
        "Claims that must be allocated before the pod starts.",
        patch_strategy="merge,retainKeys",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(40, "resources", RESOURCE_REQUIREMENTS, "Resources of all containers together.", pointer=True),
    defaults=default_pod_spec,
    rules=rules.pod_spec,
)

POD_TEMPLATE_SPEC = message(
    PACKAGE + "PodTemplateSpec",
    "PodTemplateSpec is a pod to be made from a template.",
    Field(1, "metadata", OBJECT_META, "Labels and annotations of the pods.", always=True),
    Field(2, "spec", POD_SPEC, "What the pods are to be.", always=True),
    rules=rules.pod_template,
)

BINDING = Kind(
    group="",
    version="v1",
    name="Binding",
    plural="bindings",
    singular="binding",
    namespaced=True,
    verbs=("create",),
    schema=object_message(
        PACKAGE + "Binding",
        "Binding ties a pod to a node. A scheduler creates it; it is not stored, the pod's nodeName is.",
        Field(2, "target", OBJECT_REFERENCE, "The node.", required=True, always=True),
    ),
)

POD = Kind(
    group="",
    version="v1",
    name="Pod",
    plural="pods",
    singular="pod",
    short_names=("po",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    status_carries=("labels", "annotations"),
    prepare_create=rules.prepare_pod,
    delete_returns_object=True,
    name_problems=dns_subdomain_problems,
    update_rules=rules.pod_update,
    schema=object_message(
        PACKAGE + "Pod",
        "Pod is a set of containers that run together on one node. Clients create it, the scheduler places it.",
        Field(2, "spec", POD_SPEC, "What the pod is to be.", always=True),
        Field(3, "status", POD_STATUS, "What is known of the pod.", always=True),
        defaults=default_pod,
    ),
    subresources=(
        Subresource("attach", STREAM_VERBS, connects="PodAttachOptions"),
        Subresource("binding", ("create",), BINDING),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", ("create",), EVICTION),
        Subresource("exec", STREAM_VERBS, connects="PodExecOptions"),
        Subresource("log", ("get",)),
        Subresource("portforward", STREAM_VERBS, connects="PodPortForwardOptions"),
        Subresource("proxy", PROXY_VERBS, connects="PodProxyOptions"),
        STATUS_SUBRESOURCE,
    ),
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "metadata.namespace": field_path("metadata.namespace"),
        "spec.nodeName": field_path("spec.nodeName"),
        "spec.restartPolicy": field_path("spec.restartPolicy"),
        "spec.schedulerName": field_path("spec.schedulerName"),
        "spec.serviceAccountName": field_path("spec.serviceAccountName"),
        "spec.hostNetwork": lambda pod: "true" if pod.get("spec", {}).get("hostNetwork") else "false",
        "status.phase": field_path("status.phase"),
        "status.podIP": field_path("status.podIP"),
        "status.podIPs": field_path("status.podIP"),
        "status.nominatedNodeName": field_path("status.nominatedNodeName"),
    },
    columns=(
        name(),
        Column("Ready", cells.ready, "Containers that are ready, of how many."),
        Column("Status", cells.status, "The pod's state in one word: its phase, or why it is not further."),
        Column("Restarts", cells.restarts, "How often its containers were restarted, and when last."),
        age(),
        Column("IP", cells.ip, "Address of the pod.", wide=True),
        Column("Node", cells.node, "Node of the pod.", wide=True),
        Column("Nominated Node", cells.nominated_node, "Node on which room is being made for it.", wide=True),
        Column("Readiness Gates", cells.readiness_gates, "Readiness gates that are open, of how many.", wide=True),
    ),
)
