"""What can be broken in a cluster, as data: a record says what, where, from when to when.

`record` says what a fault is, `table` names them all, `active` lets them happen and heals them; the other modules are
the faults. They act on hosts, the network and files, or by an administrator's requests: no component knows of them.

    id = cluster.inject(PowerOff(target="worker-1", end=120.0))
    await cluster.heal(id)

The table, and with it every kind of fault, is loaded when somebody first asks for it: a cluster starts without.
"""

from typing import TYPE_CHECKING, Any

from cluster_engine.faults.record import Fault, FaultError

if TYPE_CHECKING:
    from cluster_engine.faults.table import FAULTS, UNOFFERED, describe, named, read, write

__all__ = ["FAULTS", "UNOFFERED", "Fault", "FaultError", "describe", "named", "read", "write"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cluster_engine.faults import table

    return getattr(table, name)
