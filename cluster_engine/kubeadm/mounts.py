"""Paths of the host in the control plane's static pods."""

import msgspec


class Mount(msgspec.Struct, frozen=True):
    """A path of the host that a component sees at the same place; `type` as hostPath has it."""

    name: str
    path: str
    type: str = "DirectoryOrCreate"
    read_only: bool = True
