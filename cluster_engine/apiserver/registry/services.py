"""Service addresses: every Service gets a cluster IP, and where it asks for it ports on all nodes.

Theory of operation. What is taken is read from the Services themselves (their watch cache), plus what is being given
to a create that is still under way. Addresses come at random from the upper part of the range, so that somebody who
asks for a certain one (kube-dns, 10.96.0.10) finds the lower part free, as the real allocator does (KEP-3070).

    10.96.0.0/12    .0 the network   .1 "kubernetes"   … 10.96.0.255 for those who ask   10.96.1.0 … at random

Modelled on pkg/registry/core/service/{ipallocator,portallocator,storage/alloc.go}. Left out: IPv6, IPAddress objects,
load balancers, health-check node ports.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network

from cluster_engine.api.causes import invalid
from cluster_engine.api.kinds import SERVICE
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Cause, InternalError, Invalid
from cluster_engine.apiserver.registry.backend import Backend, Call

NODE_PORTS = range(30000, 32768)
STATIC_BAND_MAX = 256
TRIES_MAX = 64


class ServiceAllocator:
    """Gives addresses and ports. What it gives is held until the create that asked is done."""

    def __init__(self, backend: Backend, service_range: str = "10.96.0.0/12") -> None:
        self._backend = backend
        self.network = IPv4Network(service_range)
        self._pending: dict[str | int, None] = {}

    @contextmanager
    def reserving(self, call: Call, obj: Object) -> Iterator[None]:
        """Hand a new Service what it needs; hold that while the block writes the Service."""
        given: list[str | int] = []
        try:
            if call.kind is SERVICE:
                self._complete(call, obj, given)
            yield
        finally:
            for one in given:
                self._pending.pop(one, None)

    def on_update(self, call: Call, new: Object, old: Object) -> None:
        """Keep the address of a Service that does not say another; give what a new type needs."""
        if call.kind is not SERVICE:
            return
        spec, before = dict(new.get("spec") or {}), old.get("spec") or {}
        spec["ports"] = [dict(port) for port in spec.get("ports") or ()]
        new["spec"] = spec
        if spec.get("type") != "ExternalName":
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if not spec.get(name) and name in before:
                    spec[name] = before[name]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            _keep_node_ports(spec, before)
        given: list[str | int] = []
        try:
            self._complete(call, new, given, own=before)
        finally:
            for one in given:
                self._pending.pop(one, None)

    def _complete(self, call: Call, obj: Object, given: list[str | int], own: Object | None = None) -> None:
        spec = obj.setdefault("spec", {})
        service_type = spec.setdefault("type", "ClusterIP")
        if service_type == "ExternalName":
            return
        self._give_address(call, obj, spec, given, own or {})
        spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]
        spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"
        if service_type in ("NodePort", "LoadBalancer"):
            self._give_ports(call, obj, spec, given, own or {})

    def _give_address(self, call: Call, obj: Object, spec: Object, given: list[str | int], own: Object) -> None:
        wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        if wanted and wanted not in ("None", own.get("clusterIP")):
            self._check_address(call, obj, wanted)
        if not wanted:
            wanted = self._free_address()
        if wanted != "None":
            self._pending[wanted] = None
            given.append(wanted)
        spec["clusterIP"] = wanted
        spec["clusterIPs"] = [wanted]

    def _check_address(self, call: Call, obj: Object, wanted: str) -> None:
        why = ""
        try:
            if IPv4Address(wanted) not in self.network:
                valid = f"The range of valid IPs is {self.network}"
                why = f"the provided IP ({wanted}) is not in the valid range. {valid}"
        except ValueError:
            why = "must be a valid IP address"
        if not why and wanted in self._taken():
            why = "provided IP is already allocated"
        if why:
            cause = invalid("spec.clusterIPs", [wanted], f"failed to allocate IP {wanted}: {why}")
            raise Invalid(call.kind, obj["metadata"].get("name", ""), [cause])

    def _taken(self) -> dict[str | int, None]:
        taken = dict(self._pending)
        for service in self._backend.caches[SERVICE].objects():
            spec = service.get("spec") or {}
            taken[spec.get("clusterIP", "")] = None
            for port in spec.get("ports") or ():
                if "nodePort" in port:
                    taken[port["nodePort"]] = None
        return taken

    def _free_address(self) -> str:
        taken = self._taken()
        size = self.network.num_addresses
        band = min(max(16, size // 16), STATIC_BAND_MAX, size // 2)
        for _ in range(TRIES_MAX):
            address = str(self.network[self._backend.process.rng.randrange(band, size - 1)])
            if address not in taken:
                return address
        for offset in range(1, size - 1):
            if str(self.network[offset]) not in taken:
                return str(self.network[offset])
        raise InternalError("failed to allocate a serviceIP: range is full")

    def _give_ports(self, call: Call, obj: Object, spec: Object, given: list[str | int], own: Object) -> None:
        taken = self._taken()
        owned = {port.get("nodePort") for port in own.get("ports") or ()}
        for index, port in enumerate(spec.get("ports") or ()):
            wanted = port.get("nodePort")
            if wanted and wanted not in owned and (wanted in taken or wanted not in NODE_PORTS):
                text = "provided port is already allocated"
                if wanted not in NODE_PORTS:
                    text = "provided port is not in the valid range. The range of valid ports is 30000-32767"
                cause = Cause(f"spec.ports[{index}].nodePort", "FieldValueInvalid", f"Invalid value: {wanted}: {text}")
                raise Invalid(call.kind, obj["metadata"].get("name", ""), [cause])
            port["nodePort"] = wanted or self._free_port(taken)
            taken[port["nodePort"]] = self._pending[port["nodePort"]] = None
            given.append(port["nodePort"])

    def _free_port(self, taken: dict[str | int, None]) -> int:
        free = [port for port in NODE_PORTS if port not in taken]
        if not free:
            raise InternalError("failed to allocate a nodePort: range is full")
        return self._backend.process.rng.choice(free)


def _keep_node_ports(spec: Object, before: Object) -> None:
    known = {
        (port.get("protocol", "TCP"), port.get("port")): port["nodePort"]
        for port in before.get("ports") or ()
        if "nodePort" in port
    }
    for port in spec.get("ports") or ():
        same = known.get((port.get("protocol", "TCP"), port.get("port")))
        if same is not None and not port.get("nodePort"):
            port["nodePort"] = same
