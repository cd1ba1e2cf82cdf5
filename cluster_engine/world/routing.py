"""Which way a packet goes between the machines, and what their packet filters make of it.

Theory of operation. A process sends a packet from its own network: its machine's, or its pod's. It meets the machine's
packet filter, which may send it elsewhere; then it crosses a link to the machine that has the address, or on which the
pod is that has it, and meets the filter there, which may send it on. What comes out is a *route*: the machines that it
passes, who gets it, and between which addresses it seems to that one to travel.

    worker-1: curl 10.96.4.7:80        10.0.0.11:40000 → 10.96.4.7:80    its filter: DNAT 10.244.2.3:8080, MASQUERADE
    worker-2: web.default/nginx        10.0.0.11:51712 → 10.244.2.3:8080      Route(machines=(worker-1, worker-2), …)

A route holds for the whole connection, in both directions: this is what connection tracking keeps in each kernel.
What stays within a pod, and what goes to an address within it, no filter sees. An address that nobody has, in a network
where others are, is asked for in vain (ARP), and who wanted it is told; one of another network is *beyond*: the packet
leaves by the default route, and nobody ever hears of it again.
"""

from collections.abc import Mapping

import msgspec

from cluster_engine.world.packet_filter import Packet, Verdict
from cluster_engine.world.process import Host
from cluster_engine.world.tap import Endpoint

MACHINES_MAX = 8


class Route(msgspec.Struct, frozen=True):
    """Where a packet comes to. `source` and `destination` are as its receiver sees them.

    `target` is who has the destination's address: None where nobody has it, or where a filter (that of the last of the
    `machines`) does not let it pass. `is_beyond`: nobody has it, and nobody will say so.
    """

    verdict: Verdict
    source: Endpoint
    destination: Endpoint
    machines: tuple[Host, ...]
    target: Host | None
    is_beyond: bool = False

    @property
    def is_unplugged(self) -> bool:
        """Whether the last machine on the way asks for the address in vain."""
        if self.verdict is not Verdict.ACCEPT or self.is_beyond:
            return False
        return self.target is None or not self.target.powered

    def translated(self, source: Endpoint, destination: Endpoint) -> tuple[Endpoint, Endpoint] | None:
        """Return both ends as the receiver sees them, where that is not how the sender sees them."""
        seen = (self.source, self.destination)
        return seen if self.target is not None and seen != (source, destination) else None


def find(hosts: Mapping[str, Host], sender: Host, protocol: str, source: Endpoint, destination: Endpoint) -> Route:
    """Find the route of a first packet; `hosts` are all there are, by address."""
    machine = sender.machine
    if destination.address in sender.addresses and sender is not machine:
        return Route(Verdict.ACCEPT, source, destination, (machine,), sender)
    packet = Packet(protocol, source, destination)
    machines = [machine]
    verdict = machine.packet_filter.sends(packet) if sender is machine else machine.packet_filter.arrives(packet)
    target: Host | None = None
    while verdict is Verdict.ACCEPT:
        target = _holder(hosts, machine, packet.destination.address)
        if target is None or target.machine is machine or len(machines) == MACHINES_MAX:
            break
        machine = target.machine
        machines.append(machine)
        verdict = machine.packet_filter.arrives(packet)
    found = target if verdict is Verdict.ACCEPT else None
    is_beyond = verdict is Verdict.ACCEPT and target is None and not _is_near(hosts, packet.destination.address)
    return Route(verdict, packet.source, packet.destination, tuple(machines), found, is_beyond)


def _is_near(hosts: Mapping[str, Host], address: str) -> bool:
    """Whether an address is of a network in which there is anybody: by its first two numbers."""
    network = ".".join(address.split(".")[:2]) + "."
    return any(other.startswith(network) for other in hosts)


def _holder(hosts: Mapping[str, Host], machine: Host, address: str) -> Host | None:
    return machine if address in machine.addresses else hosts.get(address)
