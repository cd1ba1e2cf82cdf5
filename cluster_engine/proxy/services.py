"""What kube-proxy makes of Services and EndpointSlices: for each Service port its address and where it leads. Pure.

Theory of operation. An EndpointSlice belongs to the Service that its label names; all slices of a Service together are
its endpoints. Traffic goes to those that are *ready*; if none is, to those that still serve while they terminate.

    Service web 10.96.4.7:80 + slices (10.244.1.2 ready, 10.244.2.2 not) → ServicePort("default/web", …,
    ("10.244.1.2:80",))

Modelled on `pkg/proxy/{servicechangetracker,endpointslicecache,topology}.go`. Left out: session affinity, traffic
policies, topology hints, load-balancer and external addresses, IPv6.
"""

from dataclasses import dataclass

from cluster_engine.api.objects import Object

SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of one Service. `name` is namespace/name[:port]; `endpoints` are address:port, sorted."""

    name: str
    protocol: str
    cluster_ip: str
    port: int
    node_port: int
    endpoints: tuple[str, ...]


def service_ports(services: list[Object], slices: list[Object]) -> list[ServicePort]:
    """Return every port of every Service that has an address, by name."""
    by_service: dict[str, list[Object]] = {}
    for one in slices:
        metadata = one["metadata"]
        name = metadata.get("labels", {}).get(SERVICE_NAME)
        if name and one.get("addressType") == "IPv4":
            by_service.setdefault(f"{metadata['namespace']}/{name}", []).append(one)
    found = []
    for service in services:
        address = service["spec"].get("clusterIP", "")
        if not address or address == "None" or service["spec"].get("type") == "ExternalName":
            continue
        key = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        for port in service["spec"].get("ports") or ():
            name = f"{key}:{port['name']}" if port.get("name") else key
            protocol = port.get("protocol", "TCP").lower()
            endpoints = _endpoints(by_service.get(key, []), port.get("name", ""), port.get("protocol", "TCP"))
            found.append(ServicePort(name, protocol, address, port["port"], port.get("nodePort", 0), endpoints))
    return sorted(found, key=lambda each: (each.name, each.protocol))


def _endpoints(slices: list[Object], port_name: str, protocol: str) -> tuple[str, ...]:
    ready: dict[str, None] = {}
    ending: dict[str, None] = {}
    for one in slices:
        for port in one.get("ports") or ():
            if (port.get("name") or "") != port_name or (port.get("protocol") or "TCP") != protocol:
                continue
            for endpoint in one.get("endpoints") or ():
                conditions = endpoint.get("conditions") or {}
                where = f"{endpoint['addresses'][0]}:{port['port']}"
                if conditions.get("ready", True) is not False:
                    ready[where] = None
                elif conditions.get("serving") and conditions.get("terminating"):
                    ending[where] = None
    return tuple(sorted(ready or ending))
