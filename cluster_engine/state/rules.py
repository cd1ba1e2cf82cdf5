"""The forwarding rules of a node, as iptables-save prints them.

No packet carries them: kube-proxy loads them into its kernel, and the journal notes that it did (`proxy.synced`). So
they are derived, by kube-proxy's own pure code, from the Services and EndpointSlices that it had been told of by then.

    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" …
"""

from collections.abc import Iterator, Mapping

from cluster_engine.api.kinds import ENDPOINT_SLICE, SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.proxy import iptables
from cluster_engine.proxy.services import service_ports
from cluster_engine.state.keys import Resource, Subject, key_of
from cluster_engine.state.moment import Moment, read_object
from cluster_engine.state.watches import Name

PROXY = "kube-proxy"
RULES_MAX = 2000


def view(moment: Moment, args: Mapping[str, str]) -> Object:
    """Answer `rules`, of a `host`, or of the first that has any."""
    loads = {who.partition("/")[0]: line.at(moment.at) for who, line in moment.fold.connections.synced.items()}
    hosts = sorted(host for host, load in loads.items() if load is not None and _has_power(moment, host))
    host = args.get("host") or next(iter(hosts), "")
    load = loads.get(host) if host in hosts else None
    if load is None:
        return {"hosts": hosts, "rules": [], "by": None, "derived": True}
    services, slices = (list(_told(moment, host, kind, load.seq)) for kind in (SERVICE, ENDPOINT_SLICE))
    rules = [
        {"table": table.name, "chain": name, "text": f"-A {name} {rule.text}"}
        for table in iptables.tables(service_ports(services, slices, host))
        for name, chain in table.chains.items()
        for rule in chain
    ]
    return {"hosts": hosts, "rules": rules[:RULES_MAX], "by": load.seq, "derived": True}


def _has_power(moment: Moment, host: str) -> bool:
    """Whether the kernel that holds the rules still runs: they outlive kube-proxy, and not the machine's power."""
    facts = moment.fold.connections.hosts.get(host)
    return facts is None or bool(facts.at(moment.at, "programs"))


def _told(moment: Moment, host: str, kind: Kind, seq: int) -> Iterator[Object]:
    """Give the objects that a kube-proxy believed at an entry, as etcd had them at those versions."""
    resource = Resource(kind.plural, kind.group)
    for (who, selection), belief in moment.fold.watches.beliefs.items():
        if who == f"{host}/{PROXY}" and selection.resource == resource:
            for name, version in belief.at(seq):
                if (obj := _object(moment, resource, name, version)) is not None:
                    yield obj


def _object(moment: Moment, resource: Resource, name: Name, version: int) -> Object | None:
    timeline = moment.fold.keys.timelines.get(key_of(Subject(resource, *name)))
    point = next((one for one in timeline or () if one.number == version), None)
    return None if point is None else read_object(moment.reader, point)
