"""What the names of a cluster stand for, by its Services, EndpointSlices and Namespaces. Pure.

Theory of operation. The specification is dns-based service discovery 1.1.0 (github.com/kubernetes/dns): in the zone

    web.shop.svc.<zone>                        A     the cluster IP; of a headless Service all ready endpoints
    _http._tcp.web.shop.svc.<zone>             SRV   0 100 80 web.shop.svc.<zone>, of a headless one each endpoint
    web-0.web.shop.svc.<zone>                  A     an endpoint by its hostname, or by its address: 10-244-1-2.web…
    docs.shop.svc.<zone>, an ExternalName      CNAME example.com
    10-244-1-2.shop.pod.<zone>                 A     10.244.1.2
    7.4.96.10.in-addr.arpa                     PTR   web.shop.svc.<zone>

A name in between (`shop.svc.<zone>`) exists and has no records. Records are given as text, as dnspython reads them.
Modelled on CoreDNS 1.11, plugin/kubernetes. Left out: AAAA (no Service has an IPv6 address here), federation, zone
transfers.
"""

from collections.abc import Iterable

import msgspec

from cluster_engine.api.objects import Object

SERVICE_NAME = "kubernetes.io/service-name"
VERSION = "1.1.0"
WEIGHT = 100
ARPA = ".in-addr.arpa"


class Record(msgspec.Struct, frozen=True):
    """A record of a name: type and value."""

    name: str
    type: str
    value: str


class Found(msgspec.Struct):
    """What is known of a name. One that is not `there` does not exist; `extra` belongs into the additional section."""

    there: bool = True
    records: list[Record] = msgspec.field(default_factory=list)
    extra: list[Record] = msgspec.field(default_factory=list)


NOT_THERE = Found(there=False)


class Endpoint(msgspec.Struct, frozen=True):
    """An address behind a Service, and under which name it is known there. `ports` are name, protocol, number."""

    address: str
    name: str
    ports: tuple[tuple[str, str, int], ...]


class Names:
    """All that can be asked, of one state of the cluster."""

    def __init__(
        self,
        zone: str,
        services: Iterable[Object],
        slices: Iterable[Object],
        namespaces: Iterable[str],
        *,
        pods: bool = True,
    ) -> None:
        self.zone = zone
        self._pods = pods
        self._namespaces = frozenset(namespaces)
        self._services = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in services}
        self._endpoints: dict[tuple[str, str], list[Endpoint]] = {}
        for one in slices:
            name = (one["metadata"].get("labels") or {}).get(SERVICE_NAME)
            if name and one.get("addressType") == "IPv4":
                key = (one["metadata"]["namespace"], name)
                self._endpoints.setdefault(key, []).extend(self._ready(one))
        self._by_address = dict(self._addresses())

    def _ready(self, one: Object) -> Iterable[Endpoint]:
        ports = tuple(
            ((port.get("name") or ""), (port.get("protocol") or "TCP").lower(), port.get("port") or 0)
            for port in one.get("ports") or ()
        )
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True) is not False:
                address = endpoint["addresses"][0]
                yield Endpoint(address, endpoint.get("hostname") or address.replace(".", "-"), ports)

    def _addresses(self) -> Iterable[tuple[str, str]]:
        """Give the names of addresses: those of endpoints first, for a Service's own goes before them."""
        for (namespace, name), endpoints in self._endpoints.items():
            for one in endpoints:
                yield one.address, f"{one.name}.{self._full(namespace, name)}"
        for (namespace, name), service in self._services.items():
            if _cluster_ip(service):
                yield _cluster_ip(service), self._full(namespace, name)

    def _full(self, namespace: str, name: str) -> str:
        return f"{name}.{namespace}.svc.{self.zone}"

    def reverse(self, name: str) -> Found:
        """Look for 7.4.96.10.in-addr.arpa."""
        address = ".".join(reversed(name.removesuffix(ARPA).split(".")))
        found = self._by_address.get(address)
        return Found(records=[Record(name, "PTR", f"{found}.")]) if found else NOT_THERE

    def find(self, name: str) -> Found:
        """Look for a name of the zone, in lower case and without a dot at the end."""
        labels = name.removesuffix(self.zone).rstrip(".").split(".")
        if labels == [""]:
            return Found()
        match labels[::-1]:
            case ["dns-version"]:
                return Found(records=[Record(name, "TXT", f'"{VERSION}"')])
            case ["svc"] | ["pod"]:
                return Found()
            case ["svc" | "pod", namespace] if namespace in self._namespaces:
                return Found()
            case ["pod", namespace, pod] if namespace in self._namespaces and self._pods:
                return self._pod(name, pod)
            case ["svc", namespace, service, *rest] if (namespace, service) in self._services:
                return self._service(name, namespace, service, rest[::-1])
        return NOT_THERE

    def _pod(self, name: str, pod: str) -> Found:
        parts = pod.split("-")
        fits = len(parts) == 4 and all(part.isdecimal() and len(part) < 4 and int(part) < 256 for part in parts)
        return Found(records=[Record(name, "A", ".".join(parts))]) if fits else NOT_THERE

    def _service(self, name: str, namespace: str, service: str, rest: list[str]) -> Found:
        spec = self._services[namespace, service].get("spec") or {}
        if spec.get("type") == "ExternalName":
            return (
                Found(records=[Record(name, "CNAME", f"{spec['externalName'].rstrip('.')}.")])
                if not rest
                else NOT_THERE
            )
        match rest:
            case []:
                return self._whole(name, namespace, service)
            case [proto] if proto in ("_tcp", "_udp"):
                return Found()
            case [port, proto] if port.startswith("_") and proto in ("_tcp", "_udp"):
                found = self._srv(name, namespace, service, port[1:], proto[1:])
                return found if found.records else NOT_THERE
            case [endpoint]:
                known = self._endpoints.get((namespace, service), [])
                records = [Record(name, "A", one.address) for one in known if one.name == endpoint]
                return Found(records=records) if records else NOT_THERE
        return NOT_THERE

    def _whole(self, name: str, namespace: str, service: str) -> Found:
        """Everything that a Service's own name stands for; a headless one without endpoints stands for nothing."""
        address = _cluster_ip(self._services[namespace, service])
        known = self._endpoints.get((namespace, service), [])
        if not address and not known:
            return NOT_THERE
        addresses = [address] if address else list(dict.fromkeys(one.address for one in known))
        records = [Record(name, "A", each) for each in addresses]
        ports = self._srv(name, namespace, service, None, None)
        return Found(records=[*records, *ports.records], extra=ports.extra)

    def _srv(self, name: str, namespace: str, service: str, port: str | None, protocol: str | None) -> Found:
        """Give the SRV records of a port, or of all, and the addresses of their targets."""
        full, address = self._full(namespace, service), _cluster_ip(self._services[namespace, service])
        if address:
            spec = self._services[namespace, service]["spec"]
            ports = [
                ((p.get("name") or ""), p.get("protocol", "TCP").lower(), p["port"]) for p in spec.get("ports") or ()
            ]
            at = [(full, address, tuple(ports))]
        else:
            known = self._endpoints.get((namespace, service), [])
            at = [(f"{one.name}.{full}", one.address, one.ports) for one in known]
        chosen = [
            (target, number, there)
            for target, there, ports in at
            for called, over, number in ports
            if port in (None, called) and protocol in (None, over)
        ]
        weight = WEIGHT // len(chosen) if chosen else 0
        records = [Record(name, "SRV", f"0 {max(weight, 1)} {number} {target}.") for target, number, _ in chosen]
        extra = {target: Record(target, "A", there) for target, _, there in chosen}
        return Found(records=records, extra=list(extra.values()))


def _cluster_ip(service: Object) -> str:
    address = (service.get("spec") or {}).get("clusterIP") or ""
    return "" if address == "None" else str(address)
