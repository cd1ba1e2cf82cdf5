"""Security options of containers and pods."""

from cluster_engine.api.schema import BOOL, INT64, STRING, Field, ListOf, message
from cluster_engine.api.schemas.references import PACKAGE

SE_LINUX_OPTIONS = message(
    PACKAGE + "SELinuxOptions",
    "SELinuxOptions are labels for SELinux.",
    Field(1, "user", STRING, "SELinux user label."),
    Field(2, "role", STRING, "SELinux role label."),
    Field(3, "type", STRING, "SELinux type label."),
    Field(4, "level", STRING, "SELinux level label."),
)

SECCOMP_PROFILE = message(
    PACKAGE + "SeccompProfile",
    "SeccompProfile says which system calls are allowed.",
    Field(
        1,
        "type",
        STRING,
        "Localhost, RuntimeDefault or Unconfined.",
        required=True,
        enum=("Localhost", "RuntimeDefault", "Unconfined"),
    ),
    Field(2, "localhostProfile", STRING, "Profile file on the node, for type Localhost.", pointer=True),
)

APP_ARMOR_PROFILE = message(
    PACKAGE + "AppArmorProfile",
    "AppArmorProfile says which AppArmor profile applies.",
    Field(
        1,
        "type",
        STRING,
        "Localhost, RuntimeDefault or Unconfined.",
        required=True,
        enum=("Localhost", "RuntimeDefault", "Unconfined"),
    ),
    Field(2, "localhostProfile", STRING, "Profile loaded on the node, for type Localhost.", pointer=True),
)

WINDOWS_OPTIONS = message(
    PACKAGE + "WindowsSecurityContextOptions",
    "WindowsSecurityContextOptions are options for Windows nodes.",
    Field(1, "gmsaCredentialSpecName", STRING, "Name of the GMSA credential spec.", pointer=True),
    Field(2, "gmsaCredentialSpec", STRING, "The GMSA credential spec itself.", pointer=True),
    Field(3, "runAsUserName", STRING, "Windows user to run as.", pointer=True),
    Field(4, "hostProcess", BOOL, "Run as a HostProcess container.", pointer=True),
)

CAPABILITIES = message(
    PACKAGE + "Capabilities",
    "Capabilities are POSIX capabilities to add to, or take from, a running container.",
    Field(1, "add", ListOf(STRING), "Capabilities to add."),
    Field(2, "drop", ListOf(STRING), "Capabilities to take away."),
)

SECURITY_CONTEXT = message(
    PACKAGE + "SecurityContext",
    "SecurityContext holds a container's security options; they win over the pod's.",
    Field(1, "capabilities", CAPABILITIES, "Capabilities to add and drop.", pointer=True),
    Field(2, "privileged", BOOL, "Run as if root on the node.", pointer=True),
    Field(3, "seLinuxOptions", SE_LINUX_OPTIONS, "SELinux labels.", pointer=True),
    Field(4, "runAsUser", INT64, "UID of the container's process.", pointer=True, minimum=0),
    Field(5, "runAsNonRoot", BOOL, "Refuse to start as root.", pointer=True),
    Field(6, "readOnlyRootFilesystem", BOOL, "Make the root file system read-only.", pointer=True),
    Field(7, "allowPrivilegeEscalation", BOOL, "Whether a process can gain more rights than its parent.", pointer=True),
    Field(8, "runAsGroup", INT64, "GID of the container's process.", pointer=True, minimum=0),
    Field(9, "procMount", STRING, "Default or Unmasked /proc.", pointer=True),
    Field(10, "windowsOptions", WINDOWS_OPTIONS, "Options for Windows.", pointer=True),
    Field(11, "seccompProfile", SECCOMP_PROFILE, "Allowed system calls.", pointer=True),
    Field(12, "appArmorProfile", APP_ARMOR_PROFILE, "AppArmor profile.", pointer=True),
)

SYSCTL = message(
    PACKAGE + "Sysctl",
    "Sysctl is a kernel parameter to set.",
    Field(1, "name", STRING, "Name of the parameter.", required=True),
    Field(2, "value", STRING, "Value of the parameter.", always=True),
)

POD_SECURITY_CONTEXT = message(
    PACKAGE + "PodSecurityContext",
    "PodSecurityContext holds security options for the whole pod and defaults for its containers.",
    Field(1, "seLinuxOptions", SE_LINUX_OPTIONS, "SELinux labels.", pointer=True),
    Field(2, "runAsUser", INT64, "UID of the containers' processes.", pointer=True, minimum=0),
    Field(3, "runAsNonRoot", BOOL, "Refuse to start as root.", pointer=True),
    Field(4, "supplementalGroups", ListOf(INT64), "Groups of the first process besides its GID."),
    Field(5, "fsGroup", INT64, "Group that owns the pod's volumes.", pointer=True, minimum=0),
    Field(6, "runAsGroup", INT64, "GID of the containers' processes.", pointer=True, minimum=0),
    Field(7, "sysctls", ListOf(SYSCTL), "Kernel parameters to set."),
    Field(8, "windowsOptions", WINDOWS_OPTIONS, "Options for Windows.", pointer=True),
    Field(
        9, "fsGroupChangePolicy", STRING, "OnRootMismatch or Always.", pointer=True, enum=("Always", "OnRootMismatch")
    ),
    Field(10, "seccompProfile", SECCOMP_PROFILE, "Allowed system calls.", pointer=True),
    Field(11, "appArmorProfile", APP_ARMOR_PROFILE, "AppArmor profile.", pointer=True),
    Field(12, "supplementalGroupsPolicy", STRING, "Merge or Strict.", pointer=True, enum=("Merge", "Strict")),
    Field(13, "seLinuxChangePolicy", STRING, "MountOption or Recursive.", pointer=True),
)
