"""The rules: what a node's packet filter is loaded with. Pure.

Theory of operation. A Service's address is nowhere: it is a match. KUBE-SERVICES has one rule for each Service port; it
jumps to the port's KUBE-SVC chain, which picks one of its KUBE-SEP chains (endpoints) by chance: with n endpoints the
first with probability 1/n, the next with 1/(n-1) …, the last always. KUBE-SEP rewrites the destination (DNAT); the
kernel's connection tracking does the same for the rest of the connection and undoes it for the answers. A port without
endpoints is rejected in the filter table, at once, so that clients need not wait.

    -A KUBE-SERVICES -d 10.96.4.7/32 -p tcp … --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G
    -A KUBE-SVC-LOLE4ISW44XBNF3G … --probability 0.50000000000 -j KUBE-SEP-…      -A KUBE-SVC-… -j KUBE-SEP-…
    -A KUBE-SEP-… … -j DNAT --to-destination 10.244.1.2:80

Who comes by a node's port goes through a KUBE-EXT chain, which has its source rewritten too (MASQUERADE), so that the
answers come back this way; a policy "Local" spares that, and knows the node's own endpoints only (KUBE-SVL). With
session affinity the kernel remembers whom it sent where (`-m recent`).

A chain's name carries a hash of what it is for (sha256, base32, 16 characters), so it is the same on every node and
after every restart. These rules are values that the node's filter both obeys and prints (`world/packet_filter.py`).
Modelled on `pkg/proxy/iptables/proxier.go`.
"""

import base64
import functools
import hashlib
from collections.abc import Iterable
from itertools import chain as joined

from cluster_engine.proxy.services import ServicePort
from cluster_engine.world.packet_filter import (
    RETURN,
    AddressType,
    CameBefore,
    Chance,
    Comment,
    Destination,
    InState,
    Marked,
    Match,
    Over,
    Remember,
    Rule,
    Source,
    Table,
    ToPort,
)
from cluster_engine.world.tap import Endpoint

POD_CIDR = "10.244.0.0/16"
LOOPBACK = "127.0.0.0/8"
MASQUERADE_BIT = 0x4000
PORTS_REMEMBERED_MAX = 4096

Chains = tuple[tuple[str, tuple[Rule, ...]], ...]


def chain(prefix: str, *parts: str) -> str:
    """Name a chain: chain("KUBE-SVC-", "default/kubernetes:https", "tcp") is KUBE-SVC-NPX46M4PTMTKRN6Y everywhere."""
    digest = hashlib.sha256("".join(parts).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:16]


def tables(ports: list[ServicePort]) -> list[Table]:
    """Make all tables of a node."""
    return [_table("mangle", {}), _filter(ports), _nat(ports)]


def _rule(jump: str, *matches: Match) -> Rule:
    return Rule(matches, jump)


_NEW = InState("NEW")
_PORTALS = Comment("kubernetes service portals")
_EXTERNAL = _rule("KUBE-EXTERNAL-SERVICES", _NEW, Comment("kubernetes externally-visible service portals"))
_BALANCERS = _rule("KUBE-PROXY-FIREWALL", _NEW, Comment("kubernetes load balancer firewall"))
_HEALTH = _rule("KUBE-NODEPORTS", Comment("kubernetes health check service ports"))
_SERVICES = _rule("KUBE-SERVICES", _NEW, _PORTALS)
_FORWARDING = "kubernetes forwarding rules"
_LAST = Comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")
_FOREIGN = (Source(LOOPBACK, negated=True), Destination(LOOPBACK), Comment("block incoming localnet connections"))

_FILTER: dict[str, tuple[Rule, ...]] = {
    "INPUT": (_BALANCERS, _HEALTH, _EXTERNAL, _rule("KUBE-FIREWALL")),
    "FORWARD": (_BALANCERS, _rule("KUBE-FORWARD", Comment(_FORWARDING)), _SERVICES, _EXTERNAL),
    "OUTPUT": (_BALANCERS, _SERVICES, _rule("KUBE-FIREWALL")),
    "KUBE-FIREWALL": (_rule("DROP", *_FOREIGN, InState("RELATED,ESTABLISHED,DNAT", negated=True)),),
    "KUBE-FORWARD": (
        _rule("DROP", InState("INVALID")),
        _rule("ACCEPT", Comment(_FORWARDING), Marked(MASQUERADE_BIT)),
        _rule("ACCEPT", Comment("kubernetes forwarding conntrack rule"), InState("RELATED,ESTABLISHED")),
    ),
    "KUBE-NODEPORTS": (),
    "KUBE-PROXY-FIREWALL": (),
}
_NAT: dict[str, tuple[Rule, ...]] = {
    "PREROUTING": (_rule("KUBE-SERVICES", _PORTALS),),
    "INPUT": (),
    "OUTPUT": (_rule("KUBE-SERVICES", _PORTALS),),
    "POSTROUTING": (_rule("KUBE-POSTROUTING", Comment("kubernetes postrouting rules")),),
    "KUBE-MARK-MASQ": (Rule((), "MARK", mark=(MASQUERADE_BIT, MASQUERADE_BIT)),),
    "KUBE-POSTROUTING": (
        _rule(RETURN, Marked(MASQUERADE_BIT, negated=True)),
        Rule((), "MARK", mark=(MASQUERADE_BIT, 0)),
        _rule("MASQUERADE", Comment("kubernetes service traffic requiring SNAT")),
    ),
}
BUILT_IN = {
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}


def _table(name: str, chains: dict[str, tuple[Rule, ...]]) -> Table:
    """Put a table's chains in order; KUBE-PROXY-CANARY is how kube-proxy sees that somebody has flushed the rules."""
    chains = {"KUBE-PROXY-CANARY": (), **chains}
    built_in = BUILT_IN[name]
    own = sorted(one for one in chains if one not in built_in)
    return Table(name, built_in, {one: chains.get(one, ()) for one in (*built_in, *own)})


def _filter(ports: list[ServicePort]) -> Table:
    services, external = [], []
    for port in ports:
        if not port.internal:
            services.append(_rule(_fate(port), *_at_cluster_ip(port, _why_unserved(port))))
        if port.node_port and not port.external:
            external.append(_rule(_fate(port), *_at_node_port(port, _why_unserved(port), AddressType("dst"))))
    return _table("filter", {**_FILTER, "KUBE-SERVICES": tuple(services), "KUBE-EXTERNAL-SERVICES": tuple(external)})


def _fate(port: ServicePort) -> str:
    """Reject what nobody serves; drop what nobody serves *here*, for others may."""
    return "DROP" if port.reachable else "REJECT"


def _why_unserved(port: ServicePort) -> str:
    return f"{port.name} has no {'local ' * bool(port.reachable)}endpoints"


def _at_cluster_ip(port: ServicePort, comment: str) -> tuple[Match, ...]:
    to = Destination(f"{port.cluster_ip}/32")
    return (to, Over(port.protocol), Comment(comment), ToPort(port.protocol, port.port))


def _at_node_port(port: ServicePort, comment: str, *more: Match) -> tuple[Match, ...]:
    return (Over(port.protocol), Comment(comment), *more, ToPort(port.protocol, port.node_port))


def _nat(ports: list[ServicePort]) -> Table:
    services, by_node_port = [], []
    own: list[Chains] = []
    for port in ports:
        if port.internal:
            services.append(_rule(_internal_chain(port), *_at_cluster_ip(port, f"{port.name} cluster IP")))
        if port.node_port and port.reachable:
            by_node_port.append(_rule(_name("KUBE-EXT-", port), *_at_node_port(port, port.name)))
        own.append(_chains_of(port))
    services.append(_rule("KUBE-NODEPORTS", _LAST, AddressType("dst")))
    fixed = {**_NAT, "KUBE-SERVICES": tuple(services), "KUBE-NODEPORTS": tuple(by_node_port)}
    return _table("nat", {**fixed, **dict(joined.from_iterable(own))})


def _name(prefix: str, port: ServicePort) -> str:
    return chain(prefix, port.name, port.protocol)


def _internal_chain(port: ServicePort) -> str:
    return _name("KUBE-SVL-" if port.internal_local else "KUBE-SVC-", port)


@functools.lru_cache(PORTS_REMEMBERED_MAX)
def _chains_of(port: ServicePort) -> Chains:
    """Return the chains of one port. The same for all nodes, unless a policy is "Local"."""
    found: dict[str, tuple[Rule, ...]] = {}
    if port.node_port and port.reachable:
        found[_name("KUBE-EXT-", port)] = tuple(_external_rules(port))
    if port.endpoints and (port.node_port or not port.internal_local):
        found[_name("KUBE-SVC-", port)] = tuple(_choice(port, port.endpoints, entered=not port.internal_local))
    if port.local and (port.internal_local or port.external_local):
        found[_name("KUBE-SVL-", port)] = tuple(_choice(port, port.local, entered=port.internal_local))
    if found:
        found |= {_endpoint_chain(port, one): _endpoint(port, one) for one in port.reachable}
    return tuple(found.items())


def _external_rules(port: ServicePort) -> Iterable[Rule]:
    everybody = _name("KUBE-SVC-", port)
    told = "{} traffic for " + port.name + " external destinations"
    if not port.external_local:
        yield _rule("KUBE-MARK-MASQ", Comment(told.format("masquerade")))
        yield _rule(everybody)
        return
    here = AddressType("src")
    if port.endpoints:
        yield _rule(everybody, Source(POD_CIDR), Comment(told.format("pod")))
    yield _rule("KUBE-MARK-MASQ", Comment(told.format("masquerade LOCAL")), here)
    if port.endpoints:
        yield _rule(everybody, Comment(told.format("route LOCAL")), here)
    if port.local:
        yield _rule(_name("KUBE-SVL-", port))


def _choice(port: ServicePort, endpoints: tuple[str, ...], *, entered: bool) -> Iterable[Rule]:
    """Choose an endpoint. Where the cluster IP leads here (`entered`), what is from no pod is masqueraded."""
    if entered:
        matches = _at_cluster_ip(port, f"{port.name} cluster IP")
        yield _rule("KUBE-MARK-MASQ", Source(POD_CIDR, negated=True), *matches)
    for one in endpoints if port.affinity_seconds else ():
        name = _endpoint_chain(port, one)
        yield _rule(name, Comment(f"{port.name} -> {one}"), CameBefore(name, port.affinity_seconds))
    for left, one in zip(range(len(endpoints), 0, -1), endpoints, strict=True):
        chance = (Chance(left),) if left > 1 else ()
        yield _rule(_endpoint_chain(port, one), Comment(f"{port.name} -> {one}"), *chance)


def _endpoint_chain(port: ServicePort, endpoint: str) -> str:
    return chain("KUBE-SEP-", port.name, port.protocol, endpoint)


def _endpoint(port: ServicePort, endpoint: str) -> tuple[Rule, ...]:
    address, _, number = endpoint.rpartition(":")
    comment = Comment(port.name)
    remember = (Remember(_endpoint_chain(port, endpoint)),) if port.affinity_seconds else ()
    matches = (Over(port.protocol), comment, *remember, ToPort(port.protocol))
    return (
        _rule("KUBE-MARK-MASQ", Source(f"{address}/32"), comment),
        Rule(matches, "DNAT", to=Endpoint(address, int(number))),
    )
