"""The cells of Ingresses, their classes and NetworkPolicies, from `pkg/printers/internalversion/printers.go`."""

from datetime import datetime

from cluster_engine.api.cells.common import NONE, status_of
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.selectors import label_selector_from_object

HOSTS_SHOWN = 3
ADDRESSES_LENGTH_MAX = 16


def _spec(obj: Object) -> JSON:
    return obj.get("spec") or {}


def ingress_class(ingress: Object, now: datetime) -> str:
    """The class, which an old annotation may name too."""
    del now
    annotations = ingress["metadata"].get("annotations") or {}
    return _spec(ingress).get("ingressClassName") or annotations.get("kubernetes.io/ingress.class") or NONE


def hosts(ingress: Object, now: datetime) -> str:
    """The hosts of its rules, three at most; `*` is every one."""
    del now
    named = [rule["host"] for rule in _spec(ingress).get("rules") or () if rule.get("host")]
    more = f" + {len(named) - HOSTS_SHOWN} more..." if len(named) > HOSTS_SHOWN else ""
    return ",".join(named[:HOSTS_SHOWN]) + more or "*"


def address(ingress: Object, now: datetime) -> str:
    """Where the ways in are."""
    del now
    found = {
        each.get("ip") or each.get("hostname")
        for each in (status_of(ingress).get("loadBalancer") or {}).get("ingress") or ()
    }
    text = ",".join(sorted(each for each in found if each))
    return f"{text[: ADDRESSES_LENGTH_MAX - 3]}..." if len(text) > ADDRESSES_LENGTH_MAX else text


def ports(ingress: Object, now: datetime) -> str:
    """`80`, or with certificates `80, 443`."""
    del now
    return "80, 443" if _spec(ingress).get("tls") else "80"


def parameters(ingress_class: Object, now: datetime) -> str:
    """`Kind.group/name`."""
    del now
    found = _spec(ingress_class).get("parameters")
    if not found:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") else ""
    return f"{found['kind']}{group}/{found['name']}"


def pod_selector(policy: Object, now: datetime) -> str:
    """The pods it is about."""
    del now
    return str(label_selector_from_object(_spec(policy).get("podSelector") or {})) or NONE
