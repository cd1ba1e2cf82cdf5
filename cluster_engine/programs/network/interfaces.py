"""The interfaces and routes of a host: what `ip`, `arp`, `netstat -r` and `tcpdump -D` go by.

Theory of operation. Every machine has lo and eth0, on one wire with the other machines. A pod's network has an eth0 of
its own, whose other end is a veth on the machine; packets to pods of another machine go by way of that one. So it is in
clusters of kind, whose kindnet writes these routes:

    worker-1    10.0.0.0/24 dev eth0 · 10.244.1.0/24 via 10.0.0.12 dev eth0 · 10.244.0.2 dev veth5e4c3a10 scope host
    a pod       default via 10.244.0.1 dev eth0 · 10.244.0.0/24 via 10.244.0.1 dev eth0 src 10.244.0.2 · …

The network obeys no routes, it knows where every address is; these say the same. So a range of pods has a route where
there are pods in it, and nothing is behind the default route. Hardware addresses are made of the others as Docker does,
02:42 and the four bytes. Left out: IPv6, counters.
"""

import ipaddress
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.programs.network.sockets import ends_of, network

if TYPE_CHECKING:
    from cluster_engine.world.process import Host
    from cluster_engine.world.sockets import Machine

DEFAULT_GATEWAY = "10.0.0.254"
"""Where the gateway's connections seem to come from (`cast.py`)."""
MACHINE_PREFIX = POD_PREFIX = 24
NO_HARDWARE = "00:00:00:00:00:00"


class Interface(msgspec.Struct, frozen=True):
    """A network interface: its number, name, MTU, hardware address and address with prefix ("10.0.0.11/24").

    `peer`: of a veth the number of its other end.
    """

    number: int
    name: str
    mtu: int
    hardware: str
    address: str = ""
    peer: int | None = None


class Route(msgspec.Struct, frozen=True):
    """One route of the main table; `gateway` is "" where the destination is on the interface's own wire."""

    network: ipaddress.IPv4Network
    interface: str
    gateway: str = ""
    source: str = ""
    scope: str = ""
    is_kernels: bool = False


def hardware_address(address: str) -> str:
    """Return the MAC of the interface that has an IPv4 address."""
    return ":".join(["02", "42", *(f"{byte:02x}" for byte in ipaddress.IPv4Address(address).packed)])


def is_pod(host: "Machine") -> bool:
    """Return whether a host is a pod's network."""
    return host.machine is not host


def interfaces_of(host: "Host") -> list[Interface]:
    """List a host's interfaces, lo first."""
    own = ipaddress.IPv4Interface(f"{host.address}/{POD_PREFIX if is_pod(host) else MACHINE_PREFIX}")
    peer = next((one.number for one in _veths(host.machine) if one.hardware == _veth_hardware(host)), None)
    found = [
        Interface(1, "lo", 65536, NO_HARDWARE, "127.0.0.1/8"),
        Interface(2, "eth0", 1500, hardware_address(host.address), str(own), peer if is_pod(host) else None),
    ]
    return found if is_pod(host) else [*found, *_veths(host)]


def routes_of(host: "Host") -> list[Route]:
    """List the routes of a host's main table, in the kernel's order."""
    own = ipaddress.IPv4Interface(f"{host.address}/24")
    everything = ipaddress.IPv4Network("0.0.0.0/0")
    if is_pod(host):
        gateway = str(own.network.network_address + 1)
        return [
            Route(everything, "eth0", gateway),
            Route(own.network, "eth0", gateway, source=host.address),
            Route(ipaddress.IPv4Network(gateway), "eth0", source=host.address, scope="link"),
        ]
    routes = [Route(own.network, "eth0", source=host.address, scope="link", is_kernels=True)]
    for pod in _pods():
        if pod.machine is host:
            routes.append(Route(ipaddress.IPv4Network(pod.address), veth_name(pod.name), scope="host"))
        else:
            range_ = ipaddress.IPv4Interface(f"{pod.address}/{POD_PREFIX}").network
            routes.append(Route(range_, "eth0", pod.machine.address))
    routes = sorted(set(routes), key=lambda route: (route.network.network_address, route.network.prefixlen))
    return routes if host.address == DEFAULT_GATEWAY else [Route(everything, "eth0", DEFAULT_GATEWAY), *routes]


def route_to(host: "Host", address: str) -> Route:
    """Return the route that a packet to an address takes: the longest prefix that has it."""
    target = ipaddress.IPv4Address(address)
    if address in host.addresses or address.startswith("127."):
        source = "127.0.0.1" if address.startswith("127.") else address
        return Route(ipaddress.IPv4Network(address), "lo", source=source, scope="local")
    fitting = [route for route in routes_of(host) if target in route.network]
    return max(fitting, key=lambda route: route.network.prefixlen)


def neighbours_of(host: "Host") -> list[tuple[str, str, str]]:
    """List whom a host has spoken to on its wires: address, interface, hardware address."""
    spoken = {end.remote.address for end in ends_of(host) if end.remote.port}
    hops = set()
    for address in spoken - host.addresses:
        route = route_to(host, address)
        hops.add((route.gateway or address, route.interface))
    return [
        (address, interface, hardware_address(address))
        for address, interface in sorted(hops, key=lambda hop: ipaddress.IPv4Address(hop[0]))
        if interface != "lo"
    ]


def _pods() -> list["Host"]:
    return sorted(network().namespaces(), key=lambda pod: ipaddress.IPv4Address(pod.address))


def _veths(machine: "Host") -> Iterator[Interface]:
    for number, pod in enumerate((pod for pod in _pods() if pod.machine is machine), start=3):
        yield Interface(number, veth_name(pod.name), 1500, _veth_hardware(pod), peer=2)


def veth_name(pod: str) -> str:
    """Return the name of the machine's end of a pod's wire; the pod is called as its network is."""
    return f"veth{zlib.crc32(pod.encode()):08x}"


def _veth_hardware(pod: "Host") -> str:
    return ":".join(["02", "43", *(f"{byte:02x}" for byte in ipaddress.IPv4Address(pod.address).packed)])
