"""Rules for Ingresses, their classes and NetworkPolicies, from `pkg/apis/networking/validation/validation.go`."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cluster_engine.api.causes import Go, child, forbidden, invalid, not_supported, required, too_long
from cluster_engine.api.names import (
    dns_1035_label_problems,
    dns_subdomain_problems,
    path_segment_problems,
    port_name_problems,
    wildcard_subdomain_problems,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.containers import port_number
from cluster_engine.api.rules.selection import label_selector
from cluster_engine.api.status import Cause

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
POLICY_TYPES = ("Ingress", "Egress")
CONTROLLER_LENGTH_MAX = 250
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_NOT_AT_ENDS = ("/..", "/.")


def ingress_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """There is somewhere to go."""
    if not obj.get("rules") and obj.get("defaultBackend") is None:
        rules = Go("[]networking.IngressRule(nil)")
        causes.append(invalid(path, rules, "either `defaultBackend` or `rules` must be specified"))
    if (name := obj.get("ingressClassName")) is not None:
        causes += [invalid(child(path, "ingressClassName"), name, each) for each in dns_subdomain_problems(name)]


def rule(obj: Object, path: str, causes: list[Cause]) -> None:
    """The host is a name."""
    host = obj.get("host")
    if not host:
        return
    where = child(path, "host")
    if _is_address(host):
        causes.append(invalid(where, host, "must be a DNS name, not an IP address"))
    causes += [invalid(where, host, each) for each in _host_problems(host)]


def tls(obj: Object, path: str, causes: list[Cause]) -> None:
    """Hosts and Secret are names."""
    for index, host in enumerate(obj.get("hosts") or ()):
        causes += [invalid(f"{child(path, 'hosts')}[{index}]", host, each) for each in _host_problems(host)]
    if secret := obj.get("secretName"):
        causes += [invalid(child(path, "secretName"), secret, each) for each in dns_subdomain_problems(secret)]


def _host_problems(host: str) -> list[str]:
    return wildcard_subdomain_problems(host) if "*" in host else dns_subdomain_problems(host)


def path(obj: Object, where: str, causes: list[Cause]) -> None:
    """A path has a type, and the form that this wants."""
    kind, value = obj.get("pathType"), obj.get("path") or ""
    if kind is None:
        causes.append(required(child(where, "pathType"), "pathType must be specified"))
        return
    if kind not in PATH_TYPES:
        causes.append(not_supported(child(where, "pathType"), kind, PATH_TYPES))
        return
    is_exact = kind != "ImplementationSpecific"
    if not value.startswith("/") and (value or is_exact):
        causes.append(invalid(child(where, "path"), value, "must be an absolute path"))
    if is_exact:
        bad = [f"must not contain '{each}'" for each in _NOT_IN_PATHS if each in value]
        bad += [f"cannot end with '{each}'" for each in _NOT_AT_ENDS if value.endswith(each)]
        causes += [invalid(child(where, "path"), value, each) for each in bad]


def backend(obj: Object, path: str, causes: list[Cause]) -> None:
    """One of the two is given, completely."""
    resource, service = obj.get("resource"), obj.get("service")
    if resource is not None and service is not None:
        causes.append(invalid(path, "", "cannot set both resource and service backends"))
    elif resource is not None:
        _reference(resource, child(path, "resource"), causes)
    elif service is not None:
        _service(service, path, causes)
    else:
        causes.append(invalid(path, "", "resource or service backend is required"))


def _service(obj: Object, path: str, causes: list[Cause]) -> None:
    name, port = obj.get("name", ""), obj.get("port") or {}
    where = child(path, "service")
    if not name:
        causes.append(required(child(where, "name")))
    else:
        causes += [invalid(child(where, "name"), name, each) for each in dns_1035_label_problems(name)]
    if port.get("name") and port.get("number"):
        causes.append(invalid(path, "", "cannot set both port name & port number"))
    elif port.get("name"):
        problems = port_name_problems(port["name"])
        causes += [invalid(child(where, "port.name"), port["name"], each) for each in problems]
    elif port.get("number"):
        port_number(port["number"], child(where, "port.number"), causes)
    else:
        causes.append(required(path, "port name or number is required"))


def _reference(obj: Object, path: str, causes: list[Cause]) -> None:
    if group := obj.get("apiGroup"):
        causes += [invalid(child(path, "apiGroup"), group, each) for each in dns_subdomain_problems(group)]
    for field in ("kind", "name"):
        value = obj.get(field, "")
        if not value:
            causes.append(required(child(path, field)))
        causes += [invalid(child(path, field), value, each) for each in path_segment_problems(value)]


def ingress_class_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """The controller's name is a path below a domain; its settings lie where it is said."""
    name, where = obj.get("controller", ""), child(path, "controller")
    if not name:
        causes.append(required(where))
    else:
        if len(name) > CONTROLLER_LENGTH_MAX:
            causes.append(too_long(where, CONTROLLER_LENGTH_MAX))
        domain, slash, _ = name.partition("/")
        if not slash or not domain or name.endswith("/"):
            causes.append(invalid(where, name, 'must be a domain-prefixed path (such as "acme.io/foo")'))
        else:
            causes += [invalid(where, domain, each) for each in dns_subdomain_problems(domain)]
    if parameters := obj.get("parameters"):
        where = child(path, "parameters")
        _reference(parameters, where, causes)
        if parameters.get("scope") == "Namespace" and not parameters.get("namespace"):
            detail = "`parameters.scope` is set to 'Namespace'"
            causes.append(required(child(where, "namespace"), detail))
        if parameters.get("scope") == "Cluster" and parameters.get("namespace") is not None:
            detail = "`parameters.scope` is set to 'Cluster'"
            causes.append(forbidden(child(where, "namespace"), detail))


def default_policy_types(spec: Object) -> None:
    """A policy is about what comes in, and about what goes out if it says something of that."""
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def policy_spec(obj: Object, path: str, causes: list[Cause]) -> None:
    """Selector and types are what there is."""
    label_selector(obj.get("podSelector") or {}, child(path, "podSelector"), causes)
    types = obj.get("policyTypes") or ()
    where = child(path, "policyTypes")
    if len(types) > len(POLICY_TYPES):
        causes.append(invalid(where, list(types), "may not specify more than two policyTypes"))
        return
    causes += [
        not_supported(f"{where}[{index}]", each, POLICY_TYPES)
        for index, each in enumerate(types)
        if each not in POLICY_TYPES
    ]


def policy_port(obj: Object, path: str, causes: list[Cause]) -> None:
    """A port is a number, a name or the beginning of a range."""
    port, end = obj.get("port"), obj.get("endPort")
    where = child(path, "endPort")
    if isinstance(port, int):
        port_number(port, child(path, "port"), causes)
        if end is not None:
            if end < port:
                causes.append(invalid(where, end, "must be greater than or equal to `port`"))
            port_number(end, where, causes)
        return
    if end is not None:
        missing = "not specified" if port is None else "non-numeric"
        causes.append(invalid(where, end, f"may not be specified when `port` is {missing}"))
    if port is not None:
        causes += [invalid(child(path, "port"), port, each) for each in port_name_problems(port)]


def peer(obj: Object, path: str, causes: list[Cause]) -> None:
    """Somebody is meant, by labels or by address."""
    said = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if obj.get(field) is not None]
    for field in said:
        if field != "ipBlock":
            label_selector(obj[field], child(path, field), causes)
    if not said:
        causes.append(required(path, "must specify a peer"))
    elif len(said) > 1 and "ipBlock" in said:
        causes.append(forbidden(path, "may not specify both ipBlock and another peer"))


def ip_block(obj: Object, path: str, causes: list[Cause]) -> None:
    """Ranges are ranges, and those that are left out lie within."""
    whole = _range(obj.get("cidr", ""), child(path, "cidr"), causes)
    for index, text in enumerate(obj.get("except") or ()):
        where = f"{child(path, 'except')}[{index}]"
        part = _range(text, where, causes)
        if whole and part and not _lies_within(part, whole):
            causes.append(invalid(where, text, "must be a strict subset of `cidr`"))


def _range(text: str, path: str, causes: list[Cause]) -> IPv4Network | IPv6Network | None:
    if not text:
        return None
    try:
        if "/" not in text:
            raise ValueError(text)
        return ip_network(text, strict=False)
    except ValueError:
        causes.append(invalid(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
        return None


def _lies_within(part: IPv4Network | IPv6Network, whole: IPv4Network | IPv6Network) -> bool:
    return part.version == whole.version and part.prefixlen > whole.prefixlen and part.network_address in whole


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
