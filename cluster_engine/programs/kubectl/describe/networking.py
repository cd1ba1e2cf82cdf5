"""`kubectl describe` for Ingresses, their classes and NetworkPolicies."""

from collections.abc import Awaitable, Callable, Sequence

from cluster_engine.api.objects import Object
from cluster_engine.api.selectors import label_selector_from_object
from cluster_engine.api.time import parse
from cluster_engine.programs.kubectl.describe.lines import Lines

Answers = Callable[[Object], Awaitable[str]]
"""Say what stands behind the Service of a backend: its endpoints, or what is wrong."""
NO_PORTS = "To Port: <any> (traffic allowed to all ports)"


async def describe_ingress(lines: Lines, ingress: Object, answers: Answers, events: list[Object]) -> None:
    """Write an Ingress and what stands behind it."""
    metadata, spec = ingress["metadata"], ingress.get("spec") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.labels("Labels", metadata.get("labels"))
    lines.add(0, f"Namespace:\t{metadata['namespace']}")
    ways = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    lines.add(0, f"Address:\t{','.join(sorted({each.get('ip') or each.get('hostname', '') for each in ways}))}")
    lines.add(0, f"Ingress Class:\t{spec.get('ingressClassName', '<none>')}")
    default = spec.get("defaultBackend")
    fallback = "<default>" if default is None else await _backend(default, answers)
    lines.add(0, f"Default backend:\t{fallback}")
    if spec.get("tls"):
        lines.add(0, "TLS:")
        for each in spec["tls"]:
            hosts = ",".join(each.get("hosts") or ())
            secret = each.get("secretName")
            lines.add(1, f"{secret} terminates {hosts}" if secret else f"SNI routes {hosts}")
    lines.add(0, "Rules:")
    lines.add(1, "Host\tPath\tBackends")
    lines.add(1, "----\t----\t--------")
    rules = [rule for rule in spec.get("rules") or () if rule.get("http")]
    for rule in rules:
        lines.add(1, f"{rule.get('host') or '*'}\t")
        for each in rule["http"].get("paths") or ():
            lines.add(2, f"\t{each.get('path', '')} \t{await _backend(each['backend'], answers)}")
    if not rules:
        lines.add(1, f"*\t*\t{fallback}")
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.events(events)


async def _backend(backend: Object, answers: Answers) -> str:
    if service := backend.get("service"):
        port = service.get("port") or {}
        return f"{service['name']}:{port.get('name') or port.get('number')} ({await answers(service)})"
    resource = backend.get("resource") or {}
    group = resource.get("apiGroup") or "<none>"
    return f"APIGroup: {group}, Kind: {resource.get('kind')}, Name: {resource.get('name')}"


def describe_ingress_class(lines: Lines, ingress_class: Object, events: list[Object]) -> None:
    """Write an IngressClass."""
    metadata, spec = ingress_class["metadata"], ingress_class.get("spec") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"Controller:\t{spec.get('controller', '')}")
    if parameters := spec.get("parameters"):
        lines.add(0, "Parameters:")
        if parameters.get("apiGroup") is not None:
            lines.add(1, f"APIGroup:\t{parameters['apiGroup']}")
        lines.add(1, f"Kind:\t{parameters['kind']}")
        lines.add(1, f"Name:\t{parameters['name']}")
    lines.events(events)


def describe_network_policy(lines: Lines, policy: Object) -> None:
    """Write a NetworkPolicy."""
    metadata, spec = policy["metadata"], policy.get("spec") or {}
    lines.identity(metadata)
    made = parse(metadata["creationTimestamp"]).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    lines.add(0, f"Created on:\t{made}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, "Spec:")
    chosen = spec.get("podSelector") or {}
    whom = _selector(chosen)
    if whom == "<none>":
        whom += " (Allowing the specific traffic to all pods in this namespace)"
    lines.add(1, f"PodSelector:     {whom}")
    types = spec.get("policyTypes") or ()
    for type_, word, preposition, restricted in (
        ("Ingress", "ingress", "From", "source"),
        ("Egress", "egress", "To", "destination"),
    ):
        if type_ not in types:
            lines.add(1, f"Not affecting {word} traffic")
            continue
        lines.add(1, f"Allowing {word} traffic:")
        rules = spec.get(word) or ()
        if not rules:
            lines.add(2, f"<none> (Selected pods are isolated for {word} connectivity)")
        _rules(lines, rules, preposition, restricted)
    lines.add(1, f"Policy Types: {', '.join(types)}")


def _rules(lines: Lines, rules: Sequence[Object], preposition: str, restricted: str) -> None:
    for index, rule in enumerate(rules):
        if index:
            lines.add(2, "----------")
        for text in [_port(port) for port in rule.get("ports") or ()] or [NO_PORTS]:
            lines.add(2, text)
        peers = rule.get(preposition.lower()) or ()
        if not peers:
            lines.add(2, f"{preposition}: <any> (traffic not restricted by {restricted})")
        for peer in peers:
            lines.add(2, f"{preposition}:")
            for field, title in (("namespaceSelector", "NamespaceSelector"), ("podSelector", "PodSelector")):
                if field in peer:
                    lines.add(3, f"{title}: {_selector(peer[field])}")
            if block := peer.get("ipBlock"):
                lines.add(3, "IPBlock:")
                lines.add(4, f"CIDR: {block['cidr']}")
                lines.add(4, f"Except: {', '.join(block.get('except') or ())}")


def _port(port: Object) -> str:
    protocol = port.get("protocol", "TCP")
    if "endPort" in port:
        return f"To Port Range: {port.get('port')}-{port['endPort']}/{protocol}"
    return f"To Port: {port.get('port')}/{protocol}"


def _selector(selector: Object) -> str:
    return str(label_selector_from_object(selector)) or "<none>"
