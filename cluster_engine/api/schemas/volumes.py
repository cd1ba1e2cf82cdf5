"""Volumes of a pod: the kinds that a cluster without a cloud can have.

From `core/v1` `Volume`. Left out: the clouds' and vendors' own volume types, ephemeral claims, cluster trust bundles.
A manifest that names one of these gets `unknown field`, not a pod that waits for ever.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.rules import volumes as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT64,
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
)

MODE_0644 = 0o644

KEY_TO_PATH = message(
    PACKAGE + "KeyToPath",
    "KeyToPath maps a key to a file of the volume.",
    Field(1, "key", STRING, "The key.", required=True),
    Field(2, "path", STRING, "Relative path of the file.", required=True),
    Field(3, "mode", INT32, "Permission bits of the file.", pointer=True, minimum=0, maximum=0o777),
)

HOST_PATH = message(
    PACKAGE + "HostPathVolumeSource",
    "HostPathVolumeSource is a file or directory of the node.",
    Field(1, "path", STRING, "Path on the node.", required=True),
    Field(
        2,
        "type",
        STRING,
        "What must be there: Directory, File, Socket, …; empty checks nothing.",
        pointer=True,
        default="",
    ),
)

EMPTY_DIR = message(
    PACKAGE + "EmptyDirVolumeSource",
    "EmptyDirVolumeSource is a directory that lives as long as the pod.",
    Field(1, "medium", STRING, "Empty for the node's disk, Memory for a tmpfs."),
    Field(2, "sizeLimit", QUANTITY, "How much may be stored.", pointer=True),
)

_ITEMS = "Keys to project, and under which paths; all of them under their names unless given."
_MODE = "Permission bits of the files that have none of their own."

SECRET_SOURCE = message(
    PACKAGE + "SecretVolumeSource",
    "SecretVolumeSource shows a Secret as files.",
    Field(1, "secretName", STRING, "Name of the Secret."),
    Field(2, "items", ListOf(KEY_TO_PATH), _ITEMS),
    Field(3, "defaultMode", INT32, _MODE, pointer=True, default=MODE_0644, minimum=0, maximum=0o777),
    Field(4, "optional", BOOL, "Whether the Secret may be missing.", pointer=True),
)

CONFIG_MAP_SOURCE = message(
    PACKAGE + "ConfigMapVolumeSource",
    "ConfigMapVolumeSource shows a ConfigMap as files.",
    Inline(1, LOCAL_OBJECT_REFERENCE),
    Field(2, "items", ListOf(KEY_TO_PATH), _ITEMS),
    Field(3, "defaultMode", INT32, _MODE, pointer=True, default=MODE_0644, minimum=0, maximum=0o777),
    Field(4, "optional", BOOL, "Whether the ConfigMap may be missing.", pointer=True),
)

DOWNWARD_API_FILE = message(
    PACKAGE + "DownwardAPIVolumeFile",
    "DownwardAPIVolumeFile is a file that holds a field of the pod.",
    Field(1, "path", STRING, "Relative path of the file.", required=True),
    Field(2, "fieldRef", OBJECT_FIELD_SELECTOR, "Field of the pod.", pointer=True),
    Field(3, "resourceFieldRef", RESOURCE_FIELD_SELECTOR, "Resource of a container.", pointer=True),
    Field(4, "mode", INT32, "Permission bits of the file.", pointer=True, minimum=0, maximum=0o777),
)

DOWNWARD_API_SOURCE = message(
    PACKAGE + "DownwardAPIVolumeSource",
    "DownwardAPIVolumeSource shows fields of the pod as files.",
    Field(1, "items", ListOf(DOWNWARD_API_FILE), "The files."),
    Field(2, "defaultMode", INT32, _MODE, pointer=True, default=MODE_0644, minimum=0, maximum=0o777),
)

NFS_SOURCE = message(
    PACKAGE + "NFSVolumeSource",
    "NFSVolumeSource is a directory of an NFS server.",
    Field(1, "server", STRING, "Name or address of the server.", required=True),
    Field(2, "path", STRING, "Path that the server exports.", required=True),
    Field(3, "readOnly", BOOL, "Mounted for reading only."),
)

PERSISTENT_VOLUME_CLAIM_SOURCE = message(
    PACKAGE + "PersistentVolumeClaimVolumeSource",
    "PersistentVolumeClaimVolumeSource is the volume bound to a claim.",
    Field(1, "claimName", STRING, "Name of the claim.", required=True),
    Field(2, "readOnly", BOOL, "Mounted for reading only."),
)

CSI_SOURCE = message(
    PACKAGE + "CSIVolumeSource",
    "CSIVolumeSource is storage that a CSI driver makes for this pod alone.",
    Field(1, "driver", STRING, "Name of the driver.", required=True),
    Field(2, "readOnly", BOOL, "Mounted for reading only.", pointer=True),
    Field(3, "fsType", STRING, "File system to mount.", pointer=True),
    Field(4, "volumeAttributes", MapOf(STRING), "Properties that the driver understands."),
    Field(5, "nodePublishSecretRef", LOCAL_OBJECT_REFERENCE, "Secret for the driver.", pointer=True),
)

IMAGE_SOURCE = message(
    PACKAGE + "ImageVolumeSource",
    "ImageVolumeSource is the content of an OCI image.",
    Field(1, "reference", STRING, "The image."),
    Field(2, "pullPolicy", STRING, "Always, Never or IfNotPresent."),
)

SECRET_PROJECTION = message(
    PACKAGE + "SecretProjection",
    "SecretProjection adds a Secret to a projected volume.",
    Inline(1, LOCAL_OBJECT_REFERENCE),
    Field(2, "items", ListOf(KEY_TO_PATH), _ITEMS),
    Field(4, "optional", BOOL, "Whether the Secret may be missing.", pointer=True),
)

CONFIG_MAP_PROJECTION = message(
    PACKAGE + "ConfigMapProjection",
    "ConfigMapProjection adds a ConfigMap to a projected volume.",
    Inline(1, LOCAL_OBJECT_REFERENCE),
    Field(2, "items", ListOf(KEY_TO_PATH), _ITEMS),
    Field(4, "optional", BOOL, "Whether the ConfigMap may be missing.", pointer=True),
)

DOWNWARD_API_PROJECTION = message(
    PACKAGE + "DownwardAPIProjection",
    "DownwardAPIProjection adds fields of the pod to a projected volume.",
    Field(1, "items", ListOf(DOWNWARD_API_FILE), "The files."),
)

SERVICE_ACCOUNT_TOKEN_PROJECTION = message(
    PACKAGE + "ServiceAccountTokenProjection",
    "ServiceAccountTokenProjection puts a fresh token of the pod's service account into a file.",
    Field(1, "audience", STRING, "Whom the token is for; the API server unless given."),
    Field(
        2,
        "expirationSeconds",
        INT64,
        "Seconds the token is good for; the kubelet renews it in time.",
        pointer=True,
        default=3600,
        minimum=600,
    ),
    Field(3, "path", STRING, "Relative path of the file.", required=True),
)

VOLUME_PROJECTION = message(
    PACKAGE + "VolumeProjection",
    "VolumeProjection is one source of a projected volume.",
    Field(1, "secret", SECRET_PROJECTION, "A Secret.", pointer=True),
    Field(2, "downwardAPI", DOWNWARD_API_PROJECTION, "Fields of the pod.", pointer=True),
    Field(3, "configMap", CONFIG_MAP_PROJECTION, "A ConfigMap.", pointer=True),
    Field(4, "serviceAccountToken", SERVICE_ACCOUNT_TOKEN_PROJECTION, "A token.", pointer=True),
)

PROJECTED_SOURCE = message(
    PACKAGE + "ProjectedVolumeSource",
    "ProjectedVolumeSource shows several sources in one directory.",
    Field(1, "sources", ListOf(VOLUME_PROJECTION), "The sources.", always=True),
    Field(2, "defaultMode", INT32, _MODE, pointer=True, default=MODE_0644, minimum=0, maximum=0o777),
)

VOLUME_SOURCE = message(
    PACKAGE + "VolumeSource",
    "VolumeSource is where a volume's content comes from; exactly one.",
    Field(1, "hostPath", HOST_PATH, "A path of the node.", pointer=True),
    Field(2, "emptyDir", EMPTY_DIR, "A directory that lives as long as the pod.", pointer=True),
    Field(6, "secret", SECRET_SOURCE, "A Secret.", pointer=True),
    Field(7, "nfs", NFS_SOURCE, "An NFS directory.", pointer=True),
    Field(10, "persistentVolumeClaim", PERSISTENT_VOLUME_CLAIM_SOURCE, "The volume bound to a claim.", pointer=True),
    Field(16, "downwardAPI", DOWNWARD_API_SOURCE, "Fields of the pod.", pointer=True),
    Field(19, "configMap", CONFIG_MAP_SOURCE, "A ConfigMap.", pointer=True),
    Field(26, "projected", PROJECTED_SOURCE, "Several sources in one directory.", pointer=True),
    Field(28, "csi", CSI_SOURCE, "Storage by a CSI driver.", pointer=True),
    Field(30, "image", IMAGE_SOURCE, "Content of an OCI image.", pointer=True),
)


def default_volume(volume: Object) -> None:
    """A volume without a source is an empty directory."""
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}


VOLUME = message(
    PACKAGE + "Volume",
    "Volume is a directory that containers of the pod can mount.",
    Field(1, "name", STRING, "Name of the volume, a DNS label unique within the pod.", required=True),
    Inline(2, VOLUME_SOURCE),
    defaults=default_volume,
    rules=rules.volume,
)
