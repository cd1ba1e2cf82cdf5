"""As whom a container's programs run, by what CRI says of it and by its image.

    run_as_user 1000, run_as_group 3000, supplemental_groups [2000]     uid=1000 gid=3000 groups=2000,3000
    nothing said, the image's USER is 101                               uid=101 gid=101 groups=101
    run_as_user 0, drop ALL, add NET_BIND_SERVICE                       root, who can do nothing but that

Root has DEFAULT of the kernel's capabilities, anybody else none: nobody here has a file that would give them some.
Modelled on containerd's internal/cri/server/container_create_linux.go and pkg/oci/spec_opts.go. Left out: groups that
an image's /etc/group puts a user in.
"""

from collections.abc import Iterable, Mapping

from cluster_engine.rpc import cri_pb2 as cri
from cluster_engine.world.users import ALL_CAPABILITIES, CAPABILITIES, User

DEFAULT = frozenset({
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW",
    "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP",
})  # fmt: skip
"""defaultUnixCaps of containerd's oci package."""
ROOT_LINE, NOBODY_LINE = "root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/nonexistent:/bin/false"


def user_of(security: cri.LinuxContainerSecurityContext, image_user: str, passwd: str) -> User:
    """Return a container's user; `image_user` is that of the image, "" for root, `passwd` a line of its /etc/passwd."""
    known = {name: (int(uid), int(gid)) for name, _, uid, gid, *_ in map(_fields, (ROOT_LINE, passwd)) if name}
    said = str(security.run_as_user.value) if security.HasField("run_as_user") else security.run_as_username
    said = said or image_user or "0"
    primary = dict(known.values())
    uid = int(said) if said.isdecimal() else known[said][0]
    gid = security.run_as_group.value if security.HasField("run_as_group") else primary.get(uid, 0)
    groups = tuple(sorted({gid, *security.supplemental_groups}))
    return User(uid, gid, groups, bounding(security) if uid == 0 else frozenset())


def bounding(security: cri.LinuxContainerSecurityContext) -> frozenset[str]:
    """Return the capabilities that root has in a container, and nobody can exceed."""
    if security.privileged:
        return ALL_CAPABILITIES
    added, dropped = _named(security.capabilities.add_capabilities), _named(security.capabilities.drop_capabilities)
    if "ALL" in added:
        return ALL_CAPABILITIES - dropped
    return (frozenset() if "ALL" in dropped else DEFAULT - dropped) | added & ALL_CAPABILITIES


def files_of(user: User, security: cri.LinuxContainerSecurityContext, passwd: str) -> Mapping[str, bytes]:
    """Return the files of a container that tell who is who, and who its processes are."""
    lines = [line for line in (ROOT_LINE, NOBODY_LINE, passwd) if line]
    groups = [f"{name}:x:{gid}:" for name, _, _, gid, *_ in map(_fields, lines)]
    status = _status(user, security).encode()
    return {
        "/etc/passwd": "".join(f"{line}\n" for line in lines).encode(),
        "/etc/group": "".join(f"{line}\n" for line in groups).encode(),
        "/proc/1/status": status,
        "/proc/self/status": status,
    }


def home_of(user: User, passwd: str) -> str:
    """Return the directory that HOME names (runc looks it up where the image does not say)."""
    homes = {uid: home for _, _, uid, _, _, home, *_ in map(_fields, filter(None, (ROOT_LINE, NOBODY_LINE, passwd)))}
    return homes.get(str(user.uid), "/")


def _status(user: User, security: cri.LinuxContainerSecurityContext) -> str:
    """Write those lines of /proc/PID/status that are about rights."""
    effective, limit = _mask(user.capabilities), _mask(bounding(security))
    values = {
        "Uid": "\t".join([str(user.uid)] * 4),
        "Gid": "\t".join([str(user.gid)] * 4),
        "Groups": "".join(f"{group} " for group in user.groups),
        "CapInh": _mask(()),
        "CapPrm": effective,
        "CapEff": effective,
        "CapBnd": limit,
        "CapAmb": _mask(()),
        "NoNewPrivs": str(int(security.no_new_privs)),
    }
    return "".join(f"{name}:\t{value}\n" for name, value in values.items())


def _mask(capabilities: Iterable[str]) -> str:
    return f"{sum(1 << CAPABILITIES.index(name) for name in capabilities):016x}"


def _named(capabilities: Iterable[str]) -> frozenset[str]:
    return frozenset(name.upper().removeprefix("CAP_") for name in capabilities)


def _fields(line: str) -> list[str]:
    return line.split(":") if line else [""] * 7
