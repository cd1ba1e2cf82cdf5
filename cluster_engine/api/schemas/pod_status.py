"""What is known of a pod: its phase, conditions, addresses, and the state of each container.

From `core/v1` `PodStatus`. The kubelet writes it; the API server takes it without much validation.
"""

from cluster_engine.api.schema import BOOL, INT32, INT64, QUANTITY, STRING, TIME, Field, ListOf, MapOf, message
from cluster_engine.api.schemas.containers import RESOURCE_REQUIREMENTS
from cluster_engine.api.schemas.meta import conditions
from cluster_engine.api.schemas.references import PACKAGE

POD_CONDITION = message(
    PACKAGE + "PodCondition",
    "PodCondition is one aspect of the pod's current state.",
    Field(1, "type", STRING, "PodScheduled, Initialized, ContainersReady, Ready, …", always=True),
    Field(2, "status", STRING, "True, False or Unknown.", always=True),
    Field(3, "lastProbeTime", TIME, "When it was last looked at.", always=True),
    Field(4, "lastTransitionTime", TIME, "When the status last changed.", always=True),
    Field(5, "reason", STRING, "Why, as one word in CamelCase."),
    Field(6, "message", STRING, "Why, for people."),
)

CONTAINER_STATE_WAITING = message(
    PACKAGE + "ContainerStateWaiting",
    "ContainerStateWaiting: the container has not started yet.",
    Field(1, "reason", STRING, "Why, such as ContainerCreating or CrashLoopBackOff."),
    Field(2, "message", STRING, "Why, for people."),
)

CONTAINER_STATE_RUNNING = message(
    PACKAGE + "ContainerStateRunning",
    "ContainerStateRunning: the container runs.",
    Field(1, "startedAt", TIME, "Since when.", always=True),
)

CONTAINER_STATE_TERMINATED = message(
    PACKAGE + "ContainerStateTerminated",
    "ContainerStateTerminated: the container has ended.",
    Field(1, "exitCode", INT32, "Exit status of its process.", always=True),
    Field(2, "signal", INT32, "Signal that ended it."),
    Field(3, "reason", STRING, "Why, such as Completed, Error or OOMKilled."),
    Field(4, "message", STRING, "Its last words."),
    Field(5, "startedAt", TIME, "When it started.", always=True),
    Field(6, "finishedAt", TIME, "When it ended.", always=True),
    Field(7, "containerID", STRING, "Which container it was, as type://id."),
)

CONTAINER_STATE = message(
    PACKAGE + "ContainerState",
    "ContainerState is waiting, running or terminated; waiting if it says nothing.",
    Field(1, "waiting", CONTAINER_STATE_WAITING, "Not started yet.", pointer=True),
    Field(2, "running", CONTAINER_STATE_RUNNING, "Running.", pointer=True),
    Field(3, "terminated", CONTAINER_STATE_TERMINATED, "Ended.", pointer=True),
)

VOLUME_MOUNT_STATUS = message(
    PACKAGE + "VolumeMountStatus",
    "VolumeMountStatus is a mount as it was made.",
    Field(1, "name", STRING, "Name of the mount.", always=True),
    Field(2, "mountPath", STRING, "Where it is.", always=True),
    Field(3, "readOnly", BOOL, "Whether it is read-only."),
    Field(4, "recursiveReadOnly", STRING, "Disabled, IfPossible or Enabled.", pointer=True),
)

LINUX_CONTAINER_USER = message(
    PACKAGE + "LinuxContainerUser",
    "LinuxContainerUser is the first process's user on Linux.",
    Field(1, "uid", INT64, "Its UID.", always=True),
    Field(2, "gid", INT64, "Its GID.", always=True),
    Field(3, "supplementalGroups", ListOf(INT64), "Its other groups."),
)

CONTAINER_USER = message(
    PACKAGE + "ContainerUser",
    "ContainerUser is the identity of the container's first process.",
    Field(1, "linux", LINUX_CONTAINER_USER, "On Linux.", pointer=True),
)

CONTAINER_STATUS = message(
    PACKAGE + "ContainerStatus",
    "ContainerStatus is the state of one container.",
    Field(1, "name", STRING, "Name of the container.", always=True),
    Field(2, "state", CONTAINER_STATE, "What it is doing.", always=True),
    Field(3, "lastState", CONTAINER_STATE, "How its previous run ended.", always=True),
    Field(4, "ready", BOOL, "Whether it passes its readiness probe.", always=True),
    Field(5, "restartCount", INT32, "How often it was restarted.", always=True),
    Field(6, "image", STRING, "Image that it runs.", always=True),
    Field(7, "imageID", STRING, "Digest of that image.", always=True),
    Field(8, "containerID", STRING, "Which container it is, as type://id."),
    Field(9, "started", BOOL, "Whether it has passed its startup probe.", pointer=True),
    Field(10, "allocatedResources", MapOf(QUANTITY), "Resources that the node has set aside for it."),
    Field(11, "resources", RESOURCE_REQUIREMENTS, "Resources as they are enforced now.", pointer=True),
    Field(
        12,
        "volumeMounts",
        ListOf(VOLUME_MOUNT_STATUS),
        "Mounts as they were made.",
        patch_strategy="merge",
        merge_key="mountPath",
        list_keys=("mountPath",),
    ),
    Field(13, "user", CONTAINER_USER, "Identity of its first process.", pointer=True),
)

POD_IP = message(
    PACKAGE + "PodIP",
    "PodIP is one address of the pod.",
    Field(1, "ip", STRING, "The address.", always=True),
)

HOST_IP = message(
    PACKAGE + "HostIP",
    "HostIP is one address of the pod's node.",
    Field(1, "ip", STRING, "The address.", always=True),
)

POD_STATUS = message(
    PACKAGE + "PodStatus",
    "PodStatus is what is known of a pod; it may lag behind.",
    Field(1, "phase", STRING, "Pending, Running, Succeeded, Failed or Unknown: the pod's life in one word."),
    conditions(2, POD_CONDITION),
    Field(3, "message", STRING, "Why the pod is in this state, for people."),
    Field(4, "reason", STRING, "Why the pod is in this state, such as Evicted."),
    Field(5, "hostIP", STRING, "Address of the pod's node."),
    Field(6, "podIP", STRING, "Address of the pod."),
    Field(7, "startTime", TIME, "When the kubelet first saw the pod, before it pulled images.", pointer=True),
    Field(8, "containerStatuses", ListOf(CONTAINER_STATUS), "State of each container."),
    Field(9, "qosClass", STRING, "Guaranteed, Burstable or BestEffort, by its resources."),
    Field(10, "initContainerStatuses", ListOf(CONTAINER_STATUS), "State of each init container."),
    Field(11, "nominatedNodeName", STRING, "Node on which pods are being preempted for this one."),
    Field(
        12,
        "podIPs",
        ListOf(POD_IP),
        "Addresses of the pod, at most one of each family.",
        patch_strategy="merge",
        merge_key="ip",
        list_keys=("ip",),
    ),
    Field(13, "ephemeralContainerStatuses", ListOf(CONTAINER_STATUS), "State of each ephemeral container."),
    Field(14, "resize", STRING, "How far a resize of the containers has come."),
    Field(
        16,
        "hostIPs",
        ListOf(HOST_IP),
        "Addresses of the pod's node.",
        patch_strategy="merge",
        merge_key="ip",
    ),
)
