"""A container as a pod asks for it: image, command, environment, ports, resources, probes, mounts.

From `core/v1` `Container` and what hangs below it. Left out: Windows options' details, resource claims of dynamic
resource allocation beyond their names.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.rules import containers as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
    INT_OR_STRING,
    QUANTITY,
    STRING,
    Field,
    Inline,
    ListOf,
    MapOf,
    message,
)
from cluster_engine.api.schemas.references import (
    LOCAL_OBJECT_REFERENCE,
    OBJECT_FIELD_SELECTOR,
    PACKAGE,
    RESOURCE_FIELD_SELECTOR,
    key_selector,
)
from cluster_engine.api.schemas.security import SECURITY_CONTEXT

CONTAINER_PORT = message(
    PACKAGE + "ContainerPort",
    "ContainerPort is a port that a container listens on. It informs; ports not listed are reachable too.",
    Field(1, "name", STRING, "Name of the port, for Services to refer to. Unique within the pod."),
    Field(2, "hostPort", INT32, "Port of the node to expose it on. Most containers do not need this.", maximum=65535),
    Field(3, "containerPort", INT32, "Number of the port.", required=True, minimum=1, maximum=65535),
    Field(4, "protocol", STRING, "UDP, TCP or SCTP.", default="TCP", enum=("SCTP", "TCP", "UDP")),
    Field(5, "hostIP", STRING, "Address of the node to bind the host port to."),
    rules=rules.port,
)

ENV_VAR_SOURCE = message(
    PACKAGE + "EnvVarSource",
    "EnvVarSource is where the value of an environment variable comes from; exactly one.",
    Field(1, "fieldRef", OBJECT_FIELD_SELECTOR, "A field of the pod.", pointer=True),
    Field(2, "resourceFieldRef", RESOURCE_FIELD_SELECTOR, "A resource of the container.", pointer=True),
    Field(3, "configMapKeyRef", key_selector("ConfigMapKeySelector", "ConfigMap"), "A ConfigMap's key.", pointer=True),
    Field(4, "secretKeyRef", key_selector("SecretKeySelector", "Secret"), "A Secret's key.", pointer=True),
    rules=rules.env_source,
)

ENV_VAR = message(
    PACKAGE + "EnvVar",
    "EnvVar is one environment variable of a container.",
    Field(1, "name", STRING, "Name of the variable.", required=True),
    Field(2, "value", STRING, "Value; $(NAME) refers to variables defined before."),
    Field(3, "valueFrom", ENV_VAR_SOURCE, "Where the value comes from, if not given.", pointer=True),
    rules=rules.env,
)

CONFIG_MAP_ENV_SOURCE = message(
    PACKAGE + "ConfigMapEnvSource",
    "ConfigMapEnvSource takes every key of a ConfigMap as a variable.",
    Inline(1, LOCAL_OBJECT_REFERENCE),
    Field(2, "optional", BOOL, "Whether the ConfigMap may be missing.", pointer=True),
)

SECRET_ENV_SOURCE = message(
    PACKAGE + "SecretEnvSource",
    "SecretEnvSource takes every key of a Secret as a variable.",
    Inline(1, LOCAL_OBJECT_REFERENCE),
    Field(2, "optional", BOOL, "Whether the Secret may be missing.", pointer=True),
)

ENV_FROM_SOURCE = message(
    PACKAGE + "EnvFromSource",
    "EnvFromSource is a source of many environment variables.",
    Field(1, "prefix", STRING, "Text put before each name."),
    Field(2, "configMapRef", CONFIG_MAP_ENV_SOURCE, "The ConfigMap to take.", pointer=True),
    Field(3, "secretRef", SECRET_ENV_SOURCE, "The Secret to take.", pointer=True),
)

RESOURCE_CLAIM = message(
    PACKAGE + "ResourceClaim",
    "ResourceClaim names one of the pod's resource claims.",
    Field(1, "name", STRING, "Name of the entry in the pod's resourceClaims.", required=True),
    Field(2, "request", STRING, "Name of a request within the claim."),
)

RESOURCE_REQUIREMENTS = message(
    PACKAGE + "ResourceRequirements",
    "ResourceRequirements is what a container needs at least and may use at most.",
    Field(1, "limits", MapOf(QUANTITY), "At most this much, enforced on the node."),
    Field(2, "requests", MapOf(QUANTITY), "At least this much, what the scheduler counts. Limits where not given."),
    Field(
        3,
        "claims",
        ListOf(RESOURCE_CLAIM),
        "Claims of dynamic resource allocation that the container uses.",
        list_keys=("name",),
    ),
    rules=rules.resources,
)

VOLUME_MOUNT = message(
    PACKAGE + "VolumeMount",
    "VolumeMount puts a volume of the pod into the container's file system.",
    Field(1, "name", STRING, "Name of the volume.", required=True),
    Field(2, "readOnly", BOOL, "Mounted for reading only."),
    Field(3, "mountPath", STRING, "Where the volume appears in the container.", required=True),
    Field(4, "subPath", STRING, "Path within the volume to mount instead of its root."),
    Field(
        5,
        "mountPropagation",
        STRING,
        "How later mounts propagate: None, HostToContainer or Bidirectional.",
        pointer=True,
    ),
    Field(6, "subPathExpr", STRING, "Like subPath, with $(NAME) expanded."),
    Field(7, "recursiveReadOnly", STRING, "Whether mounts below are read-only too.", pointer=True),
)

VOLUME_DEVICE = message(
    PACKAGE + "VolumeDevice",
    "VolumeDevice maps a raw block device into the container.",
    Field(1, "name", STRING, "Name of a claim in the pod.", required=True),
    Field(2, "devicePath", STRING, "Path inside the container.", required=True),
)

EXEC_ACTION = message(
    PACKAGE + "ExecAction",
    "ExecAction runs a command in the container; exit status 0 is success.",
    Field(1, "command", ListOf(STRING), "The command and its arguments; no shell."),
)

HTTP_HEADER = message(
    PACKAGE + "HTTPHeader",
    "HTTPHeader is a header to send.",
    Field(1, "name", STRING, "Name of the header.", required=True),
    Field(2, "value", STRING, "Value of the header.", always=True),
)

HTTP_GET_ACTION = message(
    PACKAGE + "HTTPGetAction",
    "HTTPGetAction asks by HTTP GET; 200 to 399 is success.",
    Field(1, "path", STRING, "Path to ask for.", default="/"),
    Field(2, "port", INT_OR_STRING, "Number or name of the port.", required=True),
    Field(3, "host", STRING, "Host to connect to; the pod's address unless given."),
    Field(4, "scheme", STRING, "HTTP or HTTPS.", default="HTTP", enum=("HTTP", "HTTPS")),
    Field(5, "httpHeaders", ListOf(HTTP_HEADER), "Headers to send."),
)

TCP_SOCKET_ACTION = message(
    PACKAGE + "TCPSocketAction",
    "TCPSocketAction opens a connection; being accepted is success.",
    Field(1, "port", INT_OR_STRING, "Number or name of the port.", required=True),
    Field(2, "host", STRING, "Host to connect to; the pod's address unless given."),
)

GRPC_ACTION = message(
    PACKAGE + "GRPCAction",
    "GRPCAction asks the gRPC health service.",
    Field(1, "port", INT32, "Number of the port.", required=True, minimum=1, maximum=65535),
    Field(2, "service", STRING, "Service to ask about.", pointer=True, default=""),
)

SLEEP_ACTION = message(
    PACKAGE + "SleepAction",
    "SleepAction waits.",
    Field(1, "seconds", INT64, "Seconds to wait.", always=True),
)

PROBE_HANDLER = message(
    PACKAGE + "ProbeHandler",
    "ProbeHandler is what a probe does; exactly one.",
    Field(1, "exec", EXEC_ACTION, "Run a command.", pointer=True),
    Field(2, "httpGet", HTTP_GET_ACTION, "Ask by HTTP.", pointer=True),
    Field(3, "tcpSocket", TCP_SOCKET_ACTION, "Open a connection.", pointer=True),
    Field(4, "grpc", GRPC_ACTION, "Ask the gRPC health service.", pointer=True),
)

PROBE = message(
    PACKAGE + "Probe",
    "Probe is a check that the kubelet makes again and again.",
    Inline(1, PROBE_HANDLER),
    Field(2, "initialDelaySeconds", INT32, "Seconds after the container's start before the first check.", minimum=0),
    Field(3, "timeoutSeconds", INT32, "Seconds after which a check counts as failed.", default=1, minimum=1),
    Field(4, "periodSeconds", INT32, "Seconds between checks.", default=10, minimum=1),
    Field(5, "successThreshold", INT32, "Successes in a row to count as well again.", default=1, minimum=1),
    Field(6, "failureThreshold", INT32, "Failures in a row to count as failed.", default=3, minimum=1),
    Field(
        7,
        "terminationGracePeriodSeconds",
        INT64,
        "Seconds the pod has to end after a failed probe, instead of its own grace period.",
        pointer=True,
    ),
    rules=rules.probe,
)

LIFECYCLE_HANDLER = message(
    PACKAGE + "LifecycleHandler",
    "LifecycleHandler is what a lifecycle hook does; exactly one.",
    Field(1, "exec", EXEC_ACTION, "Run a command.", pointer=True),
    Field(2, "httpGet", HTTP_GET_ACTION, "Ask by HTTP.", pointer=True),
    Field(3, "tcpSocket", TCP_SOCKET_ACTION, "Not supported; kept for old objects.", pointer=True),
    Field(4, "sleep", SLEEP_ACTION, "Wait.", pointer=True),
    rules=rules.handler,
)

LIFECYCLE = message(
    PACKAGE + "Lifecycle",
    "Lifecycle is what to do after a container's start and before its end.",
    Field(1, "postStart", LIFECYCLE_HANDLER, "Done right after the start.", pointer=True),
    Field(2, "preStop", LIFECYCLE_HANDLER, "Done before the container is told to end.", pointer=True),
)

CONTAINER_RESIZE_POLICY = message(
    PACKAGE + "ContainerResizePolicy",
    "ContainerResizePolicy says what a change of a resource means for the running container.",
    Field(1, "resourceName", STRING, "cpu or memory.", required=True),
    Field(2, "restartPolicy", STRING, "NotRequired or RestartContainer.", required=True),
)


def default_container(container: Object) -> None:
    """Fill in what depends on other fields: the pull policy follows the image's tag."""
    if "imagePullPolicy" not in container and container.get("image"):
        container["imagePullPolicy"] = "Always" if _is_latest(container["image"]) else "IfNotPresent"


def _is_latest(image: str) -> bool:
    name = image.rpartition("/")[2]
    if "@" in name:
        return False
    _, colon, tag = name.partition(":")
    return not colon or tag == "latest"


_CONTAINER_FIELDS = (
    Field(1, "name", STRING, "Name of the container, a DNS label unique within the pod.", required=True),
    Field(2, "image", STRING, "Image to run."),
    Field(3, "command", ListOf(STRING), "What to run instead of the image's entry point; no shell."),
    Field(4, "args", ListOf(STRING), "Arguments instead of the image's."),
    Field(5, "workingDir", STRING, "Working directory instead of the image's."),
    Field(
        6,
        "ports",
        ListOf(CONTAINER_PORT),
        "Ports that the container listens on.",
        patch_strategy="merge",
        merge_key="containerPort",
        list_keys=("containerPort", "protocol"),
    ),
    Field(
        7,
        "env",
        ListOf(ENV_VAR),
        "Environment variables.",
        patch_strategy="merge",
        merge_key="name",
        list_keys=("name",),
    ),
    Field(8, "resources", RESOURCE_REQUIREMENTS, "Compute resources that the container needs.", always=True),
    Field(
        9,
        "volumeMounts",
        ListOf(VOLUME_MOUNT),
        "Volumes to put into the container's file system.",
        patch_strategy="merge",
        merge_key="mountPath",
        list_keys=("mountPath",),
    ),
    Field(10, "livenessProbe", PROBE, "When it fails the container is restarted.", pointer=True),
    Field(11, "readinessProbe", PROBE, "While it fails the pod is taken out of its Services.", pointer=True),
    Field(12, "lifecycle", LIFECYCLE, "What to do at start and end.", pointer=True),
    Field(
        13,
        "terminationMessagePath",
        STRING,
        "File from which the last words of the container are read.",
        default="/dev/termination-log",
    ),
    Field(
        14,
        "imagePullPolicy",
        STRING,
        "Always, IfNotPresent or Never. Always if the tag is latest or missing, else IfNotPresent.",
        enum=("Always", "IfNotPresent", "Never"),
    ),
    Field(15, "securityContext", SECURITY_CONTEXT, "Security options of the container.", pointer=True),
    Field(16, "stdin", BOOL, "Keep the standard input open."),
    Field(17, "stdinOnce", BOOL, "Close the standard input after the first attach."),
    Field(18, "tty", BOOL, "Give the container a terminal."),
    Field(19, "envFrom", ListOf(ENV_FROM_SOURCE), "Sources of many environment variables."),
    Field(
        20,
        "terminationMessagePolicy",
        STRING,
        "File, or FallbackToLogsOnError.",
        default="File",
        enum=("FallbackToLogsOnError", "File"),
    ),
    Field(
        21,
        "volumeDevices",
        ListOf(VOLUME_DEVICE),
        "Block devices for the container.",
        patch_strategy="merge",
        merge_key="devicePath",
        list_keys=("devicePath",),
    ),
    Field(22, "startupProbe", PROBE, "Until it succeeds the other probes wait.", pointer=True),
    Field(23, "resizePolicy", ListOf(CONTAINER_RESIZE_POLICY), "What resizing means for the container."),
    Field(24, "restartPolicy", STRING, "Always makes an init container a sidecar.", pointer=True),
)

CONTAINER = message(
    PACKAGE + "Container",
    "Container is one container that runs within a pod.",
    *_CONTAINER_FIELDS,
    defaults=default_container,
    rules=rules.container,
)

EPHEMERAL_CONTAINER_COMMON = message(
    PACKAGE + "EphemeralContainerCommon",
    "EphemeralContainerCommon is what an ephemeral container shares with others.",
    *_CONTAINER_FIELDS,
)

EPHEMERAL_CONTAINER = message(
    PACKAGE + "EphemeralContainer",
    "EphemeralContainer is added to a running pod to look into it; kubectl debug does that.",
    Inline(1, EPHEMERAL_CONTAINER_COMMON),
    Field(2, "targetContainerName", STRING, "Container whose namespaces it joins."),
    defaults=default_container,
    rules=rules.container,
)
