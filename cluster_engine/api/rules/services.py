"""Rules for Services, from `pkg/apis/core/validation/validation.go`."""

from ipaddress import ip_address

from cluster_engine.api.causes import child, duplicate, forbidden, invalid, required
from cluster_engine.api.names import dns_label_problems, dns_subdomain_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.containers import port_number
from cluster_engine.api.rules.metadata import labels
from cluster_engine.api.status import Cause

BAD_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
HEADLESS = "None"


def service_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """The type says which of the other fields must and may be there."""
    kind = obj.get("type")
    headless = obj.get("clusterIP") == HEADLESS
    if kind == "ExternalName":
        _external_name(obj, path, causes)
    elif not obj.get("ports") and not headless:
        causes.append(required(child(path, "ports")))
    if headless and kind in ("NodePort", "LoadBalancer"):
        causes.append(invalid(child(path, "clusterIPs[0]"), HEADLESS, f"may not be set to 'None' for {kind} services"))
    elif obj.get("clusterIP") and not headless and not _is_address(obj["clusterIP"]):
        causes.append(invalid(child(path, "clusterIPs[0]"), obj["clusterIP"], BAD_ADDRESS))
    if obj.get("selector"):
        labels(obj["selector"], child(path, "selector"), causes)
    if obj.get("externalTrafficPolicy") and kind not in ("NodePort", "LoadBalancer") and not obj.get("externalIPs"):
        detail = "may only be set for externally-accessible services"
        causes.append(invalid(child(path, "externalTrafficPolicy"), obj["externalTrafficPolicy"], detail))
    _ports(obj, path, causes)


def _external_name(obj: Object, path: str, causes: list[Cause]) -> None:
    if obj.get("clusterIP"):
        causes.append(forbidden(child(path, "clusterIPs"), "may not be set for ExternalName services"))
    target = obj.get("externalName", "")
    if not target:
        causes.append(required(child(path, "externalName")))
    else:
        problems = dns_subdomain_problems(target.rstrip("."))
        causes += [invalid(child(path, "externalName"), target, each) for each in problems]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _ports(obj: Object, path: str, causes: list[Cause]) -> None:
    ports = obj.get("ports", ())
    names: list[str] = []
    numbers: list[tuple[str, int]] = []
    for index, port in enumerate(ports):
        where = f"{child(path, 'ports')}[{index}]"
        port_name = port.get("name", "")
        if not port_name and len(ports) > 1:
            causes.append(required(f"{where}.name"))
        elif port_name:
            causes += [invalid(f"{where}.name", port_name, each) for each in dns_label_problems(port_name)]
            if port_name in names:
                causes.append(duplicate(f"{where}.name", port_name))
        names.append(port_name)
        number = (port.get("protocol", ""), port["port"])
        if number in numbers:
            causes.append(duplicate(where, f"{number[1]}/{number[0]}"))
        numbers.append(number)
        port_number(port.get("targetPort", 0), f"{where}.targetPort", causes)
        if port.get("nodePort") and obj.get("type") not in ("NodePort", "LoadBalancer"):
            causes.append(forbidden(f"{where}.nodePort", "may not be used when `type` is 'ClusterIP'"))


def service_update(new: Object, old: Object, causes: list[Cause]) -> None:
    """The cluster IP stays, unless the Service becomes or was an ExternalName."""
    before, after = old["spec"], new["spec"]
    if "ExternalName" in (before.get("type"), after.get("type")):
        return
    if before.get("clusterIP") and after.get("clusterIP") and before["clusterIP"] != after["clusterIP"]:
        causes.append(invalid("spec.clusterIPs[0]", [after["clusterIP"]], "may not change once set"))
