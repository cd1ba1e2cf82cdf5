"""What can be broken in a cluster, as data: a record says what, where, from when to when.

`record` says what a fault is, `table` names them all, `active` lets them happen and heals them; the other modules are
the faults. They act on hosts, the network and files, or by an administrator's requests: no component knows of them.

    id = cluster.inject(PowerOff(target="worker-1", end=120.0))
    await cluster.heal(id)
"""

from cluster_engine.faults.record import Fault, FaultError
from cluster_engine.faults.table import FAULTS, UNOFFERED, describe, named, read, write

__all__ = ["FAULTS", "UNOFFERED", "Fault", "FaultError", "describe", "named", "read", "write"]
