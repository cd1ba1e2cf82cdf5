"""What a gRPC message means: the form in which `etcd` and `cri` tell it to `grpc`.

Both know their services' messages and nothing else; a service known to neither is shown by its names alone.
"""

from typing import Any

import msgspec

from cluster_engine.lens.causes import Tokens


class Meaning(msgspec.Struct):
    """A message in facts and tokens.

    `heartbeat` None: housekeeping if its cause is. `writes`: the call can make a new revision of a store. `renews`: it
    is housekeeping unless somebody asked for it (an API server renews a lease of its own).
    """

    label: str
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    tokens: Tokens = ()
    heartbeat: bool | None = None
    writes: bool = False
    renews: bool = False
