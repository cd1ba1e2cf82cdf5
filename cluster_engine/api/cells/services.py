"""The cells of Services, Endpoints and EndpointSlices."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from cluster_engine.api.cells.common import NONE, UNKNOWN, format_labels, status_of
from cluster_engine.api.objects import Object

SHOWN_MAX = 3


def _spec(service: Object) -> Object:
    return service.get("spec") or {}


def type_(service: Object, now: datetime) -> str:
    """`ClusterIP`, `NodePort`, …"""
    del now
    kind: str = _spec(service).get("type", "")
    return kind


def cluster_ip(service: Object, now: datetime) -> str:
    """The address within the cluster; `None` if headless."""
    del now
    return _spec(service).get("clusterIP") or NONE


def external_ip(service: Object, now: datetime) -> str:
    """The address from outside, by type."""
    del now
    spec = _spec(service)
    given = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(given) or NONE
        case "LoadBalancer":
            ingress = (status_of(service).get("loadBalancer") or {}).get("ingress") or ()
            found = [each.get("ip") or each.get("hostname") or "" for each in ingress]
            return ",".join(dict.fromkeys([*found, *given])) or "<pending>"
        case "ExternalName":
            return spec.get("externalName") or NONE
    return UNKNOWN


def ports(service: Object, now: datetime) -> str:
    """`80/TCP,443:30443/TCP`."""
    del now
    return ",".join(_port(each) for each in _spec(service).get("ports") or ()) or NONE


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def selector(service: Object, now: datetime) -> str:
    """`app=web`."""
    del now
    return format_labels(_spec(service).get("selector"))


def endpoints(obj: Object, now: datetime) -> str:
    """Up to three addresses with ports, and how many more."""
    del now
    subsets = obj.get("subsets") or ()
    if not subsets:
        return NONE
    found = [
        f"{address['ip']}:{port['port']}" if port else address["ip"]
        for subset in subsets
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    return _shortened(found)


def _shortened(found: Sequence[str]) -> str:
    shown = ",".join(found[:SHOWN_MAX])
    return f"{shown} + {len(found) - SHOWN_MAX} more..." if len(found) > SHOWN_MAX else shown


def address_type(slice_: Object, now: datetime) -> str:
    """`IPv4`."""
    del now
    kind: str = slice_.get("addressType", "")
    return kind


def slice_ports(slice_: Object, now: datetime) -> str:
    """Up to three port numbers; `*` for all."""
    del now
    return _shortened([_slice_port(each) for each in slice_.get("ports") or ()]) or "<unset>"


def _slice_port(port: Object) -> str:
    return str(port["port"]) if port.get("port") is not None else port.get("name") or "*"


def slice_endpoints(slice_: Object, now: datetime) -> str:
    """Up to three addresses."""
    del now
    return _shortened(list(_addresses(slice_.get("endpoints") or ()))) or "<unset>"


def _addresses(found: Iterable[Object]) -> Iterable[str]:
    return (address for endpoint in found for address in endpoint.get("addresses") or ())
