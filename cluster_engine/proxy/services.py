"""What kube-proxy makes of Services and EndpointSlices: for each Service port its address and where it leads. Pure.

Theory of operation. An EndpointSlice belongs to the Service that its label names; all slices of a Service together are
its endpoints. Traffic goes to those that are *ready*; if none is, to those that still serve while they terminate.

    Service web 10.96.4.7:80 + slices (10.244.1.2 ready, 10.244.2.2 not) → ServicePort("default/web", …,
    ("10.244.1.2:80",))

Those on the node itself are kept apart, for the traffic policies "Local". Modelled on
`pkg/proxy/{servicechangetracker,endpointslicecache,topology}.go`. Left out: topology hints, load-balancer and external
addresses, IPv6.
"""

import msgspec

from cluster_engine.api.objects import Object

SERVICE_NAME = "kubernetes.io/service-name"
AFFINITY_SECONDS = 10800


class ServicePort(msgspec.Struct, frozen=True):
    """One port of one Service. `name` is namespace/name[:port]; `endpoints` are address:port, sorted.

    `local` are the endpoints on this node; `affinity_seconds` for how long a client keeps its endpoint, 0: not at all.
    `internal_local`, `external_local`: what comes to the cluster IP, and to a node port, is for local ones only.
    """

    name: str
    protocol: str
    cluster_ip: str
    port: int
    node_port: int
    endpoints: tuple[str, ...]
    local: tuple[str, ...] = ()
    affinity_seconds: int = 0
    internal_local: bool = False
    external_local: bool = False

    @property
    def internal(self) -> tuple[str, ...]:
        """The endpoints for what comes to the cluster IP."""
        return self.local if self.internal_local else self.endpoints

    @property
    def external(self) -> tuple[str, ...]:
        """The endpoints for what comes to a node port from elsewhere."""
        return self.local if self.external_local else self.endpoints

    @property
    def reachable(self) -> tuple[str, ...]:
        """All endpoints that this node may send something to."""
        return tuple(sorted({*self.endpoints, *self.local}))


def service_ports(services: list[Object], slices: list[Object], node: str = "") -> list[ServicePort]:
    """Return every port of every Service that has an address, by name, as the named node sees it."""
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
        found += [_port(key, service["spec"], port, by_service.get(key, []), node) for port in _ports(service)]
    return sorted(found, key=lambda each: (each.name, each.protocol))


def _ports(service: Object) -> list[Object]:
    return service["spec"].get("ports") or []


def _port(key: str, spec: Object, port: Object, slices: list[Object], node: str) -> ServicePort:
    protocol, named, node_port = port.get("protocol", "TCP"), port.get("name", ""), port.get("nodePort", 0)
    affinity = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return ServicePort(
        f"{key}:{named}" if named else key,
        protocol.lower(),
        spec["clusterIP"],
        port["port"],
        node_port,
        _endpoints(slices, named, protocol),
        _endpoints(slices, named, protocol, node),
        affinity.get("timeoutSeconds", AFFINITY_SECONDS) if spec.get("sessionAffinity") == "ClientIP" else 0,
        spec.get("internalTrafficPolicy") == "Local",
        bool(node_port) and spec.get("externalTrafficPolicy") == "Local",
    )


def _endpoints(slices: list[Object], port_name: str, protocol: str, node: str | None = None) -> tuple[str, ...]:
    """Return the endpoints of one port, of all nodes or of one."""
    ready: dict[str, None] = {}
    ending: dict[str, None] = {}
    for one in slices:
        for port in one.get("ports") or ():
            if (port.get("name") or "") != port_name or (port.get("protocol") or "TCP") != protocol:
                continue
            for endpoint in one.get("endpoints") or ():
                if node is not None and endpoint.get("nodeName") != node:
                    continue
                conditions = endpoint.get("conditions") or {}
                where = f"{endpoint['addresses'][0]}:{port['port']}"
                if conditions.get("ready", True) is not False:
                    ready[where] = None
                elif conditions.get("serving") and conditions.get("terminating"):
                    ending[where] = None
    return tuple(sorted(ready or ending))
