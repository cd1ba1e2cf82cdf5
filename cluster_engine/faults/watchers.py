"""The fault of a slow watcher: a program takes the events of its watch more slowly than they come.

What it does with them is as before, and late. What it has not read waits in HTTP/2's windows, so nobody else is held
up; once its stream's window of 4 MiB is full and 22 events more wait at the API server, it has a tenth of a second, and
then its watch is ended (`apiserver/dispatch_budget`). It reads what had arrived, and resumes at the last version of
that; if the API server has forgotten what came after it, it gets 410 and lists again.

    SlowWatcher(target="control-plane/kube-scheduler", resource="pods", seconds=5.0)     a pod waits for its node

A real reflector hands events to a queue of its own and so is seldom slow; programs of people are, and every program
that gets no processor or whose link is narrow.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from cluster_engine.faults.ground import Ground
from cluster_engine.faults.identities import TALKS_TO_THE_API_SERVER
from cluster_engine.faults.record import Component, Fault, Heal, Range, Text, bounded

SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowWatcher(Fault):
    """A component takes so many seconds over each event of its watch of the resource."""

    name: ClassVar[str] = "slow-watcher"

    target: str = field(metadata=bounded(Component(TALKS_TO_THE_API_SERVER)))
    resource: str = field(default="pods", metadata=bounded(Text()))
    seconds: float = field(default=5.0, metadata=bounded(Range(0.01, SECONDS_MAX)))

    def claims(self) -> str:
        """One slowness at a time."""
        return f"how fast {self.target} reads its watch of {self.resource}"

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Make it slow; the event that it is at when it is healed takes its time still."""
        host, _, program = self.target.partition("/")
        slow, watch = ground.world.host(host).slow_watches, (program, self.resource)
        slow[watch] = self.seconds

        async def quicken() -> None:
            slow.pop(watch, None)

        return quicken
