"""What faults stand on: as much of a cluster as is needed to break it. `cluster.py` is the real one."""

from typing import Any, Protocol

from cluster_engine.cast import Cast
from cluster_engine.pki.layout import Pki
from cluster_engine.world.supervisor import Supervisor
from cluster_engine.world.world import World


class Ground(Protocol):
    """A cluster as faults see it."""

    @property
    def world(self) -> World:
        """Hosts and network."""
        ...

    @property
    def supervisor(self) -> Supervisor:
        """What runs where, and is kept running."""
        ...

    @property
    def pki(self) -> Pki:
        """The authorities."""
        ...

    @property
    def cast(self) -> Cast:
        """Hosts and components: what may be broken."""
        ...

    def objects(self, prefix: str) -> list[dict[str, Any]]:
        """Return the objects under a key prefix, as they lie in etcd."""
        ...

    async def administer(self, line: str) -> tuple[int, str]:
        """Run a command line on the control plane; give its exit code and all that it printed."""
        ...
