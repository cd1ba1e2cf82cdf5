"""`kubectl describe` for services, namespaces, ConfigMaps, Secrets, service accounts, and for everything else."""

import base64
import re
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl.describe.lines import Lines, date, selector_text
from cluster_engine.programs.kubectl.describe.policy import describe_limit_ranges, describe_quotas

ENDPOINTS_SHOWN = 3
_ACRONYMS = {"Uid": "UID", "Api": "API", "Url": "URL", "Guid": "GUID", "Osb": "OSB"}


def _head(lines: Lines, metadata: Object) -> None:
    lines.identity(metadata)
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))


def describe_service(lines: Lines, service: Object, slices: list[Object], events: list[Object]) -> None:
    """Write a Service and the endpoints behind it."""
    spec = service["spec"]
    _head(lines, service["metadata"])
    lines.add(0, f"Selector:\t{selector_text(spec.get('selector'))}")
    lines.add(0, f"Type:\t{spec.get('type', '')}")
    if spec.get("ipFamilyPolicy"):
        lines.add(0, f"IP Family Policy:\t{spec['ipFamilyPolicy']}")
    lines.add(0, f"IP Families:\t{','.join(spec.get('ipFamilies') or []) or '<none>'}")
    lines.add(0, f"IP:\t{spec.get('clusterIP', '')}")
    lines.add(0, f"IPs:\t{','.join(spec.get('clusterIPs') or []) or '<none>'}")
    if spec.get("externalName"):
        lines.add(0, f"External Name:\t{spec['externalName']}")
    for port in spec.get("ports") or []:
        name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
        lines.add(0, f"Port:\t{name}\t{port['port']}/{protocol}")
        lines.add(0, f"TargetPort:\t{port.get('targetPort', port['port'])}/{protocol}")
        if port.get("nodePort"):
            lines.add(0, f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
        lines.add(0, f"Endpoints:\t{endpoints_text(slices, port.get('name') or '')}")
    lines.add(0, f"Session Affinity:\t{spec.get('sessionAffinity', '')}")
    for field, title in (("externalTrafficPolicy", "External"), ("internalTrafficPolicy", "Internal")):
        if spec.get(field):
            lines.add(0, f"{title} Traffic Policy:\t{spec[field]}")
    lines.events(events)


def endpoints_text(slices: list[Object], port_name: str) -> str:
    """Say where a port of a Service leads."""
    if not slices:
        return "<none>"
    found = [
        f"{address}:{port.get('port')}"
        for each in slices
        for port in each.get("ports") or []
        if (port.get("name") or "") == port_name
        for endpoint in each.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready", True)
        for address in endpoint.get("addresses") or []
    ]
    text = ",".join(found[:ENDPOINTS_SHOWN])
    return f"{text} + {len(found) - ENDPOINTS_SHOWN} more..." if len(found) > ENDPOINTS_SHOWN else text


def describe_namespace(lines: Lines, namespace: Object, quotas: list[Object], limits: list[Object]) -> None:
    """Write a namespace, and what limits its objects."""
    _head(lines, namespace["metadata"])
    status = namespace.get("status") or {}
    lines.add(0, f"Status:\t{status.get('phase', '')}")
    if status.get("conditions"):
        lines.add(0, "Conditions:")
        lines.add(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage")
        lines.add(1, "----\t------\t------------------\t------\t-------")
        for each in status["conditions"]:
            said = (each["type"], each["status"], date(each.get("lastTransitionTime")), each.get("reason", ""))
            lines.add(1, "\t".join((*said, each.get("message", ""))))
    lines.add(0, "")
    describe_quotas(lines, quotas)
    lines.add(0, "")
    describe_limit_ranges(lines, limits)


def describe_config_map(lines: Lines, config_map: Object, events: list[Object]) -> None:
    """Write a ConfigMap with its data."""
    _head(lines, config_map["metadata"])
    lines.flush()
    data, binary = config_map.get("data") or {}, config_map.get("binaryData") or {}
    for line in ("", "Data", "===="):
        lines.add(0, line)
    for key in sorted(data):
        for line in (f"{key}:", "----", *data[key].split("\n"), ""):
            lines.add(0, line.replace("\t", "        "))
    for line in ("", "BinaryData", "===="):
        lines.add(0, line)
    for key in sorted(binary):
        lines.add(0, f"{key}: {len(base64.b64decode(binary[key]))} bytes")
    lines.add(0, "")
    lines.events(events)


def describe_secret(lines: Lines, secret: Object) -> None:
    """Write a Secret: the size of its data, not the data."""
    _head(lines, secret["metadata"])
    for line in ("", f"Type:\t{secret.get('type', '')}", "", "Data", "===="):
        lines.add(0, line)
    for key in sorted(secret.get("data") or {}):
        value = base64.b64decode(secret["data"][key])
        is_token = key == "token" and secret.get("type") == "kubernetes.io/service-account-token"
        lines.add(0, f"{key}:\t{value.decode(errors='replace') if is_token else f'{len(value)} bytes'}")


def describe_service_account(lines: Lines, account: Object, events: list[Object]) -> None:
    """Write a service account."""
    _head(lines, account["metadata"])
    for field, title in (("imagePullSecrets", "Image pull secrets"), ("secrets", "Mountable secrets")):
        lines.several(title, [each["name"] for each in account.get(field) or []])
    lines.several("Tokens", [])
    lines.events(events)


def describe_endpoints(lines: Lines, endpoints: Object, events: list[Object]) -> None:
    """Write an Endpoints object."""
    _head(lines, endpoints["metadata"])
    lines.add(0, "Subsets:")
    for subset in endpoints.get("subsets") or []:
        for field, title in (("addresses", "Addresses"), ("notReadyAddresses", "NotReadyAddresses")):
            ips = ",".join(address["ip"] for address in subset.get(field) or [])
            lines.add(1, f"{title}:\t{ips or '<none>'}")
        if subset.get("ports"):
            _ports(lines, subset["ports"], 1)
        lines.add(0, "")
    lines.events(events)


def describe_endpoint_slice(lines: Lines, endpoint_slice: Object, events: list[Object]) -> None:
    """Write an EndpointSlice."""
    _head(lines, endpoint_slice["metadata"])
    lines.add(0, f"AddressType:\t{endpoint_slice.get('addressType', '')}")
    if endpoint_slice.get("ports"):
        _ports(lines, endpoint_slice["ports"], 0)
    else:
        lines.add(0, "Ports: <unset>")
    endpoints = endpoint_slice.get("endpoints") or []
    lines.add(0, "Endpoints:" if endpoints else "Endpoints: <none>")
    for endpoint in endpoints:
        lines.add(1, f"- Addresses:\t{', '.join(endpoint.get('addresses') or [])}")
        lines.add(2, "Conditions:")
        ready = (endpoint.get("conditions") or {}).get("ready")
        lines.add(3, f"Ready:\t{'<unset>' if ready is None else _scalar(ready)}")
        lines.add(2, f"Hostname:\t{endpoint.get('hostname', '<unset>')}")
        if target := endpoint.get("targetRef"):
            lines.add(2, f"TargetRef:\t{target['kind']}/{target['name']}")
        lines.add(2, f"NodeName:\t{endpoint.get('nodeName', '<unset>')}")
        lines.add(2, f"Zone:\t{endpoint.get('zone', '<unset>')}")
    lines.events(events)


def _ports(lines: Lines, ports: list[Object], level: int) -> None:
    lines.add(level, "Ports:")
    lines.add(level + 1, "Name\tPort\tProtocol")
    lines.add(level + 1, "----\t----\t--------")
    for port in ports:
        name, number = port.get("name") or "<unset>", port.get("port", "<unset>")
        lines.add(level + 1, f"{name}\t{number}\t{port.get('protocol', 'TCP')}")


def describe_anything(lines: Lines, obj: Object, events: list[Object]) -> None:
    """Write any object, field by field."""
    metadata = obj["metadata"]
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"API Version:\t{obj.get('apiVersion', '')}")
    lines.add(0, f"Kind:\t{obj.get('kind', '')}")
    shown = {key: value for key, value in metadata.items() if key not in _SHOWN_ABOVE}
    _fields(lines, 0, {**{key: obj[key] for key in obj if key not in ("apiVersion", "kind")}, "metadata": shown})
    lines.events(events)


_SHOWN_ABOVE = ("name", "namespace", "labels", "annotations", "managedFields")


def _fields(lines: Lines, level: int, content: Object) -> None:
    for key in sorted(content):
        value, title = content[key], _title(key)
        if isinstance(value, dict):
            lines.add(level, f"{title}:")
            _fields(lines, level + 1, value)
        elif isinstance(value, list):
            lines.add(level, f"{title}:")
            for item in value:
                if isinstance(item, dict):
                    _fields(lines, level + 1, item)
                else:
                    lines.add(level + 1, _scalar(item))
        else:
            lines.add(level, f"{title}:\t{_scalar(value)}")


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def _title(field: str) -> str:
    """Write "resourceVersion" as "Resource Version"."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", field) or [field]
    return " ".join(_ACRONYMS.get(word.capitalize(), word[0].upper() + word[1:]) for word in words)
