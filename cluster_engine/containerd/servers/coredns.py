"""CoreDNS as a container's program: `coredns -conf /etc/coredns/Corefile`. What it does is in `coredns/`.

coredns -conf /etc/coredns/Corefile         .:53
                                            CoreDNS-1.11.3
"""

import asyncio

from cluster_engine.containerd.servers.hello import option
from cluster_engine.programs.invocation import Invocation


async def coredns(invocation: Invocation) -> int:
    """Run coredns until SIGTERM."""
    from cluster_engine.coredns.main import main  # here, so that a cluster without it starts without it

    path = option(invocation, "conf", "/etc/coredns/Corefile")
    try:
        await main(invocation.process, invocation.environment, path, invocation.out)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        invocation.out("[INFO] SIGTERM: Shutting down servers then terminating\n")
        return 0
    except (OSError, ValueError) as error:
        invocation.err(f"{error}\n")
        return 1
    return 0
