"""Hosts with their programs, and the connections between these that are open.

worker-1 10.0.0.11: kubelet (pid 102), kube-proxy, containerd
8  worker-1/kubelet → control-plane/kube-apiserver :6443  HTTP/2 in TLS 1.3  system:node:worker-1
"""

from collections.abc import Mapping

from cluster_engine.api.objects import Object
from cluster_engine.state.connections import Connection, Facts
from cluster_engine.state.moment import Moment

CONNECTIONS_MAX = 1000
HOSTS_MAX = 1000


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `topology`."""
    del args
    at, known = moment.at, moment.fold.connections
    hosts = ((name, facts) for name, facts in sorted(known.hosts.items()) if facts.at(at, "programs") is not None)
    there = [(number, one) for number, one in known.by_number.items() if one.is_open(at)]
    return {
        "hosts": [_host(name, facts, at) for name, facts in list(hosts)[:HOSTS_MAX]],
        "connections": [_connection(number, one, at) for number, one in there[:CONNECTIONS_MAX]],
    }


def _host(name: str, facts: Facts, at: int) -> Object:
    running = facts.at(at, "programs")
    return {
        "name": name,
        "address": facts.at(at, "address") or "",
        "up": bool(running) or not facts.at(at, "has programs of its own"),
        "programs": [
            {"participant": f"{name}/{program}", "pid": pid, "since": since}
            for (program, pid), since in running.items()
        ],
    }


def _connection(number: int, one: Connection, at: int) -> Object:
    count = one.bytes.at(at)
    tls, spoken = one.facts.at(at, "tls"), one.facts.at(at, "spoken")
    protocol = f"{spoken} in {tls}" if tls and spoken else tls or spoken or "TCP"
    return {
        "connection": number,
        "from": one.client,
        "to": one.facts.at(at, "to"),
        "port": one.port,
        "protocol": protocol,
        "identity": one.facts.at(at, "identity"),
        "sent": count.told if count else 0,
        "received": count.number if count else 0,
        "opened": one.opened,
        "last": count.seq if count else one.opened,
    }
