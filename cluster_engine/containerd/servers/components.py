"""The components of a cluster as programs of containers: `kube-scheduler --kubeconfig=…` in a pod.

Theory of operation. Which programs a machine's components are, says the machine (`Host.components`); an image has but
the name. In its machine's network a component is what it would be as a process of the host: its participant, its ports,
its files, which the pod mounts at their own paths. What it notes it writes to standard error, in its own form of log.

    kube-scheduler in a static pod of the control plane     the participant control-plane/kube-scheduler
    etcd in anybody's pod                                   no component: runs, and says nothing

Left out: what stands on its command line; a component is started as its machine has it.
"""

import asyncio
from typing import Any

from cluster_engine.containerd.servers.unknown import unknown
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.log_forms import formed
from cluster_engine.world.system_log import Line

DIES_OF_SIGTERM = frozenset({"kube-controller-manager", "kube-proxy"})
"""Those that leave SIGTERM to the Go runtime, which exits with 2 where it is process 1 and cannot die of a signal."""
GO_EXIT_CODE = 2


async def component(invocation: Invocation) -> int:
    """Run a component until SIGTERM."""
    process = invocation.process
    main = process.host.components.get(process.name)
    if main is None:
        return await unknown(invocation)

    def write_log(**said: Any) -> None:
        invocation.err(f"{formed(Line(number=0, **said))}\n")

    process.write_log = write_log
    if process.name == "etcd":
        write_log(
            boot=process.host.boots, at=process.now(), unit="", by="etcd", pid=process.pid, kind="", text="Running: ",
            fields={"args": list(invocation.argv)}, source="etcd/server.py",
        )  # fmt: skip
    try:
        await main(process)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        return GO_EXIT_CODE if process.name in DIES_OF_SIGTERM else 0
    return 0
