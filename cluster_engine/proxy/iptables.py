"""The rules, as `iptables-save` prints them. Pure.

Theory of operation. A Service's address is nowhere: it is a match. KUBE-SERVICES has one rule for each Service port; it
jumps to the port's KUBE-SVC chain, which picks one of its KUBE-SEP chains (endpoints) by chance: with n endpoints the
first with probability 1/n, the next with 1/(n-1) …, the last always. KUBE-SEP rewrites the destination (DNAT); the
kernel's connection tracking does the same for the rest of the connection and undoes it for the answers. A port without
endpoints is rejected in the filter table, at once, so that clients need not wait.

    -A KUBE-SERVICES -d 10.96.4.7/32 -p tcp … --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G
    -A KUBE-SVC-LOLE4ISW44XBNF3G … --probability 0.50000000000 -j KUBE-SEP-…      -A KUBE-SVC-… -j KUBE-SEP-…
    -A KUBE-SEP-… … -j DNAT --to-destination 10.244.1.2:80

A chain's name carries a hash of what it is for (sha256, base32, 16 characters), so it is the same on every node and
after every restart. Modelled on `pkg/proxy/iptables/proxier.go`.
"""

import base64
import hashlib

from cluster_engine.proxy.services import ServicePort

POD_CIDR = "10.244.0.0/16"
_LAST = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
_PORTALS = "kubernetes service portals"
_TRANSFER = "kubernetes service traffic requiring SNAT"


def chain(prefix: str, *parts: str) -> str:
    """Name a chain: chain("KUBE-SVC-", "default/kubernetes:https", "tcp") is KUBE-SVC-NPX46M4PTMTKRN6Y everywhere."""
    digest = hashlib.sha256("".join(parts).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:16]


def render(ports: list[ServicePort]) -> str:
    """Write both tables."""
    return _filter(ports) + _nat(ports)


def _filter(ports: list[ServicePort]) -> str:
    rules = [
        f'-A INPUT -m conntrack --ctstate NEW -m comment --comment "{_PORTALS}" -j KUBE-SERVICES',
        f'-A FORWARD -m conntrack --ctstate NEW -m comment --comment "{_PORTALS}" -j KUBE-SERVICES',
        f'-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "{_PORTALS}" -j KUBE-SERVICES',
    ]
    for port in ports:
        if not port.endpoints:
            comment = f'-m comment --comment "{port.name} has no endpoints"'
            match = f"-d {port.cluster_ip}/32 -p {port.protocol} {comment} -m {port.protocol} --dport {port.port}"
            rules.append(f"-A KUBE-SERVICES {match} -j REJECT --reject-with icmp-port-unreachable")
    chains = [":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":KUBE-SERVICES - [0:0]"]
    return _table("filter", chains, rules)


def _nat(ports: list[ServicePort]) -> str:
    chains = [":KUBE-MARK-MASQ - [0:0]", ":KUBE-NODEPORTS - [0:0]", ":KUBE-POSTROUTING - [0:0]"]
    chains += [":KUBE-SERVICES - [0:0]"]
    rules = [
        f'-A PREROUTING -m comment --comment "{_PORTALS}" -j KUBE-SERVICES',
        f'-A OUTPUT -m comment --comment "{_PORTALS}" -j KUBE-SERVICES',
        '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
        "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
        f'-A KUBE-POSTROUTING -m comment --comment "{_TRANSFER}" -j MASQUERADE --random-fully',
    ]
    own_chains: list[str] = []
    own_rules: list[str] = []
    for port in ports:
        if port.endpoints:
            rules += _entry(port)
            names, more = _chains_of(port)
            own_chains += names
            own_rules += more
    rules.append(f'-A KUBE-SERVICES -m comment --comment "{_LAST}" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS')
    chains += [f":{name} - [0:0]" for name in sorted(own_chains)]
    standard = [f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
    return _table("nat", standard + chains, rules + own_rules)


def _entry(port: ServicePort) -> list[str]:
    service = chain("KUBE-SVC-", port.name, port.protocol)
    comment = f'-m comment --comment "{port.name} cluster IP"'
    match = f"-d {port.cluster_ip}/32 -p {port.protocol} {comment} -m {port.protocol} --dport {port.port}"
    rules = [f"-A KUBE-SERVICES {match} -j {service}"]
    if port.node_port:
        external = chain("KUBE-EXT-", port.name, port.protocol)
        match = f'-p {port.protocol} -m comment --comment "{port.name}" -m {port.protocol} --dport {port.node_port}'
        rules.append(f"-A KUBE-NODEPORTS {match} -j {external}")
    return rules


def _chains_of(port: ServicePort) -> tuple[list[str], list[str]]:
    service = chain("KUBE-SVC-", port.name, port.protocol)
    names, rules = [service], []
    if port.node_port:
        external = chain("KUBE-EXT-", port.name, port.protocol)
        names.append(external)
        comment = f'-m comment --comment "masquerade traffic for {port.name} external destinations"'
        rules += [f"-A {external} {comment} -j KUBE-MARK-MASQ", f"-A {external} -j {service}"]
    comment = f'-m comment --comment "{port.name} cluster IP"'
    match = f"-d {port.cluster_ip}/32 -p {port.protocol} {comment} -m {port.protocol} --dport {port.port}"
    rules.append(f"-A {service} ! -s {POD_CIDR} {match} -j KUBE-MARK-MASQ")
    left = len(port.endpoints)
    ends = []
    for endpoint in port.endpoints:
        name = chain("KUBE-SEP-", port.name, port.protocol, endpoint)
        names.append(name)
        chance = f" -m statistic --mode random --probability {_probability(left)}" if left > 1 else ""
        rules.append(f'-A {service} -m comment --comment "{port.name} -> {endpoint}"{chance} -j {name}')
        ends += _endpoint(name, port, endpoint)
        left -= 1
    return names, rules + ends


def _probability(left: int) -> str:
    """Write 1/left as it comes back from the kernel, which keeps 31 bits of it."""
    return f"{round(2**31 / left) / 2**31:.11f}"


def _endpoint(name: str, port: ServicePort, endpoint: str) -> list[str]:
    comment = f'-m comment --comment "{port.name}"'
    address = endpoint.rpartition(":")[0]
    return [
        f"-A {name} -s {address}/32 {comment} -j KUBE-MARK-MASQ",
        f"-A {name} -p {port.protocol} {comment} -m {port.protocol} -j DNAT --to-destination {endpoint}",
    ]


def _table(name: str, chains: list[str], rules: list[str]) -> str:
    return "\n".join([f"*{name}", *chains, *rules, "COMMIT"]) + "\n"
