"""machines: what a data centre's own console would be, to look at the machines and to switch on one more.

    machines                 name, address, power, and how its kubelet is
    machines add             worker-3 is powered on at 10.0.0.13 …
    machines add backup-1    one of that name

There is no such program in Kubernetes: who provides machines differs everywhere. A machine that is new has a node's
packages (containerd, kubelet, kubeadm) and belongs to no cluster. It is typed, so it is kept and done again as
everything that is typed.
"""

from cluster_engine.cast import OUTSIDE
from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.kubectl.tabwriter import layout
from cluster_engine.world.process import Host
from cluster_engine.world.world import World

USAGE = "usage: machines [add [NAME]]\n"
USAGE_CODE = 2


async def machines(invocation: Invocation) -> int:
    """List machines, or switch one on."""
    world = invocation.process.world
    assert isinstance(world, World), "programs run in a world"
    words = invocation.argv[1:]
    if not words:
        rows = ["NAME\tADDRESS\tPOWER\tKUBELET", *filter(None, map(_row, world.network.hosts.values()))]
        invocation.out(layout("".join(f"{row}\n" for row in rows), minimum=6, padding=3))
        return 0
    if words[0] != "add" or len(words) > 2:
        invocation.err(USAGE)
        return USAGE_CODE
    if world.add_machine is None:
        invocation.err("machines: there are no more machines\n")
        return 1
    try:
        machine = world.add_machine(words[1] if len(words) == 2 else "")
    except ValueError as problem:
        invocation.err(f"machines: {problem}\n")
        return 1
    invocation.out(f"{machine.name} is powered on at {machine.address}. containerd runs; the kubelet waits.\n")
    invocation.out(f"Go there with `ssh {machine.name}`; `kubeadm join` makes it a node.\n")
    return 0


def _row(host: Host) -> str:
    if host.name == OUTSIDE:
        return ""
    kubelet = host.units.get("kubelet")
    return f"{host.name}\t{host.address}\t{'on' if host.powered else 'off'}\t{kubelet.state if kubelet else '-'}"
