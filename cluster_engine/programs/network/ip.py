"""ip: a host's interfaces, addresses, routes and neighbours; arp, and hostname -I, say parts of it in their own words.

    ip -br addr                  eth0             UP             10.0.0.11/24
    ip route get 10.244.1.3      10.244.1.3 via 10.0.0.12 dev eth0 src 10.0.0.11 uid 0

Modelled on iproute2 6.1.0 and net-tools 2.10. They only show: whatever would change something is refused as to a user
without rights. Left out: -j, -s, -6, rules, tunnels, namespaces.
"""

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cluster_engine.programs.invocation import Invocation
from cluster_engine.programs.network.interfaces import (
    Interface,
    Route,
    interfaces_of,
    neighbours_of,
    route_to,
    routes_of,
)
from cluster_engine.programs.network.sockets import names_of, resolve

if TYPE_CHECKING:
    from cluster_engine.world.process import Host

USAGE = """Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neighbour | route }
       OPTIONS := { -V[ersion] | -4 | -br[ief] | -o[neline] | -c[olor] }
"""
OBJECTS = ("address", "link", "neighbour", "neighbor", "route")
CHANGES = frozenset({"add", "del", "delete", "change", "replace", "set", "append", "flush", "save", "restore"})
BROADCAST = "ff:ff:ff:ff:ff:ff"


class IpError(Exception):
    """What ip says, and the code that it ends with."""

    def __init__(self, text: str, code: int = 255) -> None:
        super().__init__(text)
        self.code = code


async def ip(invocation: Invocation) -> int:
    """Run ip."""
    words, flags = list(invocation.argv[1:]), set()
    while words and words[0].startswith("-"):
        flags.add(words.pop(0).lstrip("-"))
    try:
        for line in _lines(invocation.process.host, words, flags):
            invocation.out(f"{line}\n")
    except IpError as problem:
        invocation.err(f"{problem}\n")
        return problem.code
    return 0


def _lines(host: "Host", words: list[str], flags: set[str]) -> Iterator[str]:
    if flags & {"V", "Version"}:
        yield "ip utility, iproute2-6.1.0"
        return
    unknown = [flag for flag in flags if flag not in {"4", "br", "brief", "o", "oneline", "c", "color", "r", "d", "s"}]
    if unknown:
        raise IpError(f'Option "-{unknown[0]}" is unknown, try "ip -help".')
    if not words or words[0] == "help":
        raise IpError(USAGE.rstrip("\n"))
    found = next((one for one in OBJECTS if one.startswith(words[0])), None)
    if found is None:
        raise IpError(f'Object "{words[0]}" is unknown, try "ip help".', 1)
    rest = words[1:]
    if rest and rest[0] in CHANGES:
        raise IpError("RTNETLINK answers: Operation not permitted", 2)
    if rest and rest[0] in ("show", "list", "ls", "s", "sh", "lst"):
        rest = rest[1:]
    is_brief = bool(flags & {"br", "brief"})
    if found in ("address", "link"):
        chosen = _chosen(host, rest)
        if is_brief:
            yield from (_brief(one, is_address=found == "address") for one in chosen)
        else:
            one_line = bool(flags & {"o", "oneline"})
            yield from _interfaces(chosen, is_address=found == "address", only_4="4" in flags, one_line=one_line)
    elif found == "route":
        yield from _routes(host, rest)
    else:
        yield from _neighbours(host, rest)


# -- interfaces --------------------------------------------------------------------------------------------------------


def _chosen(host: "Host", words: Sequence[str]) -> list[Interface]:
    known = interfaces_of(host)
    names = [word for word in words if word not in ("dev", "up")]
    if len(names) > 1:
        raise IpError(f'Error: either "dev" is duplicate, or "{names[1]}" is a garbage.')
    if not names:
        return known
    found = [one for one in known if one.name == names[0]]
    if not found:
        raise IpError(f'Device "{names[0]}" does not exist.', 1)
    return found


def _full_name(one: Interface) -> str:
    return one.name if one.peer is None else f"{one.name}@if{one.peer}"


def _state(one: Interface) -> str:
    return "UNKNOWN" if one.name == "lo" else "UP"


def _flags(one: Interface) -> str:
    return "<LOOPBACK,UP,LOWER_UP>" if one.name == "lo" else "<BROADCAST,MULTICAST,UP,LOWER_UP>"


def _brief(one: Interface, *, is_address: bool) -> str:
    said = one.address if is_address else f"{one.hardware} {_flags(one)}"
    return f"{_full_name(one):<16} {_state(one):<14} {said} "


def _interfaces(chosen: list[Interface], *, is_address: bool, only_4: bool, one_line: bool) -> Iterator[str]:
    for one in chosen:
        queue = "noqueue" if one.name == "lo" or one.peer is not None else "fq_codel"
        mode = "" if is_address else "mode DEFAULT "
        head = f"{one.number}: {_full_name(one)}: {_flags(one)} mtu {one.mtu} qdisc {queue} state {_state(one)} {mode}"
        head += "group default qlen 1000" if one.peer is None else "group default "
        if one_line and is_address:
            if one.address:
                yield f"{one.number}: {one.name}    {_inet(one)}\\       valid_lft forever preferred_lft forever"
            continue
        if only_4 and is_address and not one.address:
            continue
        kind, around = ("loopback", NO_BROADCAST) if one.name == "lo" else ("ether", BROADCAST)
        lines = [head]
        if not (only_4 and is_address):
            behind = f" link-netnsid {one.number - 3 if one.peer == 2 else 0}" if one.peer is not None else ""
            lines.append(f"    link/{kind} {one.hardware} brd {around}{behind}")
        if is_address and one.address:
            lines += [f"    {_inet(one)}", "       valid_lft forever preferred_lft forever"]
        yield "\\".join(lines) if one_line else "\n".join(lines)


NO_BROADCAST = "00:00:00:00:00:00"


def _inet(one: Interface) -> str:
    if one.name == "lo":
        return f"inet {one.address} scope host lo"
    around = ipaddress.IPv4Interface(one.address).network.broadcast_address
    return f"inet {one.address} brd {around} scope global {one.name}"


# -- routes ------------------------------------------------------------------------------------------------------------


def _routes(host: "Host", words: Sequence[str]) -> Iterator[str]:
    if words and words[0] in ("get", "g"):
        yield from _way(host, words[1:])
        return
    device = ""
    routes = routes_of(host)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "dev" and rest:
            device = rest.pop(0)
            if device not in {one.name for one in interfaces_of(host)}:
                raise IpError(f'Cannot find device "{device}"', 1)
            routes = [route for route in routes if route.interface == device]
        elif word == "default":
            routes = [route for route in routes if not route.network.prefixlen]
        else:
            routes = [route for route in routes if str(route.network) == _prefix(word)]
    yield from (_route(route, device) for route in routes)


def _prefix(word: str) -> str:
    try:
        return str(ipaddress.IPv4Network(word, strict=False))
    except ValueError:
        raise IpError(f'Error: any valid prefix is expected rather than "{word}".', 1) from None


def _route(route: Route, device: str = "") -> str:
    shown = str(route.network)
    if not route.network.prefixlen:
        shown = "default"
    elif route.network.prefixlen == 32:
        shown = str(route.network.network_address)
    parts = [shown]
    parts += ["via", route.gateway] if route.gateway else []
    parts += [] if device else ["dev", route.interface]
    parts += ["proto", "kernel"] if route.is_kernels else []
    parts += ["scope", route.scope] if route.scope else []
    parts += ["src", route.source] if route.source else []
    return " ".join([*parts, ""])


def _way(host: "Host", words: Sequence[str]) -> Iterator[str]:
    if not words:
        raise IpError("need at least a destination address")
    try:
        address = str(ipaddress.IPv4Address(words[0]))
    except ValueError:
        raise IpError(f'Error: any valid prefix is expected rather than "{words[0]}".', 1) from None
    route = route_to(host, address)
    if route.interface == "lo":
        yield f"local {address} dev lo src {route.source} uid 0 "
        yield "    cache <local> "
        return
    via = f"via {route.gateway} " if route.gateway else ""
    yield f"{address} {via}dev {route.interface} src {host.address} uid 0 "
    yield "    cache "


# -- neighbours --------------------------------------------------------------------------------------------------------


def _neighbours(host: "Host", words: Sequence[str]) -> Iterator[str]:
    wanted = words[words.index("dev") + 1] if "dev" in words[:-1] else ""
    to = next((word for word in words if word[0].isdigit()), "")
    for address, interface, hardware in neighbours_of(host):
        if wanted in ("", interface) and to in ("", address):
            where = "" if wanted else f"dev {interface} "
            yield f"{address} {where}lladdr {hardware} REACHABLE "


async def arp(invocation: Invocation) -> int:
    """Run arp: -n, -a, or of one host."""
    words = invocation.argv[1:]
    flags = {letter for word in words if word.startswith("-") for letter in word[1:]}
    if unknown := flags - set("anev"):
        invocation.err(
            f"arp: invalid option -- '{sorted(unknown)[0]}'\nUsage:\n  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]\n"
        )
        return 3
    host = invocation.process.host
    names = {} if "n" in flags else names_of(host)
    wanted = [word for word in words if not word.startswith("-")]
    rows = neighbours_of(host)
    if wanted:
        try:
            address = await resolve(wanted[0])
        except socket.gaierror:
            invocation.err(f"{wanted[0]}: Unknown host\n")
            return 255
        rows = [row for row in rows if row[0] == address]
        if not rows:
            invocation.out(f"{wanted[0]} ({address}) -- no entry\n")
            return 1
    if "a" in flags:
        for address, interface, hardware in rows:
            invocation.out(f"{names.get(address, '?')} ({address}) at {hardware} [ether] on {interface}\n")
        return 0
    if rows:
        invocation.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
    for address, interface, hardware in rows:
        invocation.out(
            f"{names.get(address, address)[:24]:<24} ether   {hardware}   C                     {interface}\n"
        )
    return 0


async def hostname(invocation: Invocation) -> int:
    """Run hostname: the name; -i and -I the address; -s and -f are the name too."""
    host = invocation.process.host
    for word in invocation.argv[1:]:
        if word in ("-I", "--all-ip-addresses"):
            invocation.out(f"{host.address} \n")
            return 0
        if word in ("-i", "--ip-address"):
            invocation.out(f"{host.address}\n")
            return 0
        if word not in ("-s", "--short", "-f", "--fqdn", "--long", "-A"):
            refused = (
                "you must be root to change the host name" if word[:1] != "-" else f"invalid option -- '{word[1:2]}'"
            )
            invocation.err(f"hostname: {refused}\n")
            return 1
    invocation.out(f"{host.name.partition('.')[0]}\n")
    return 0


__all__ = ["arp", "hostname", "ip"]
