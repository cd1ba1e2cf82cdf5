"""As whom a program runs: the numbers of its user and groups, and which of root's rights it has (capabilities).

    User(1000, 1000, (1000, 2000)).may(READ, mode=0o640, owner=(0, 2000))       True: the group may
    User(1000).can("NET_BIND_SERVICE")                                         False: no port below 1024
    ROOT.can("DAC_OVERRIDE")                                                   True: no mode keeps root out

On hosts everybody is root; in a container a program is who the pod's securityContext says it is. Modelled on
credentials(7), capabilities(7) and path_resolution(7). Left out: set-user-ID programs, ACLs, and who may search a
directory above the one that a file is in.
"""

import msgspec

CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
"""In the order of their bits (include/uapi/linux/capability.h)."""
ALL_CAPABILITIES = frozenset(CAPABILITIES)
READ, WRITE = 4, 2

Owner = tuple[int, int]
"""A file's user and group, by number."""
ROOT_OWNER: Owner = (0, 0)


class User(msgspec.Struct, frozen=True):
    """Who runs a program. `capabilities` are the effective ones: of anybody but root, none."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = (0,)
    capabilities: frozenset[str] = frozenset()

    def can(self, capability: str) -> bool:
        """Return whether it has one of root's rights."""
        return capability in self.capabilities

    def may(self, wanted: int, mode: int, owner: Owner) -> bool:
        """Return whether it may READ or WRITE what has this mode and owner."""
        if self.can("DAC_OVERRIDE"):
            return True
        shift = 6 if owner[0] == self.uid else 3 if owner[1] in (self.gid, *self.groups) else 0
        return bool(mode >> shift & wanted)


ROOT = User(capabilities=ALL_CAPABILITIES)
