"""How much a container may compute: a budget that time refills, as a CPU quota is.

Nothing in a container runs for nothing: each command and each byte of work costs seconds of the world's time. The first
BURST_SECONDS of it are there at once; who has spent them waits until what was spent is paid. So a script of any length
comes to its end, and `while true; do :; done` takes a bounded share of the machine for ever.

    a script of 300 commands          runs at once
    while true; do echo x; done       2000 turns, then 20 a second

Memory and nesting are bounded as in any shell (`shell/budget.py`).
"""

import asyncio

from cluster_engine.shell.budget import Budget, Limits

COMMANDS_A_SECOND = 20
WORK_BYTES_A_SECOND = 64 * 1024
BURST_SECONDS = 100.0
MEMORY_BYTES = 256 * 1024
"""What the values of a script may have, beside the environment that it is given."""
DEPTH = 50


class Quota:
    """What one container has spent, all its processes together, in seconds."""

    def __init__(self) -> None:
        self._spent = self._paid_at = 0.0
        self.total = 0.0
        """All of it, since the container's start."""

    def spend(self, seconds: float) -> None:
        """Count work."""
        self._spent += seconds
        self.total += seconds

    async def pay(self) -> None:
        """Wait until what was spent is not more than there is at once."""
        now = asyncio.get_running_loop().time()
        self._spent = max(0.0, self._spent - (now - self._paid_at))
        self._paid_at = now
        if self._spent > BURST_SECONDS:
            await asyncio.sleep(self._spent - BURST_SECONDS)


class ThrottledBudget(Budget):
    """The budget of one shell in a container: what it runs is taken from the container's quota, and never refused."""

    def __init__(self, quota: Quota, environment_bytes: int) -> None:
        memory = MEMORY_BYTES + environment_bytes
        super().__init__(Limits(steps=0, work_bytes=0, memory_bytes=memory, depth=DEPTH))
        self.quota = quota

    def step(self) -> None:
        """See Budget."""
        self.quota.spend(1 / COMMANDS_A_SECOND)

    def work(self, size: int) -> None:
        """See Budget."""
        self.quota.spend(size / WORK_BYTES_A_SECOND)
