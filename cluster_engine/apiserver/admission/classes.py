"""What admission sees to about classes: one PriorityClass at most is the default; Ingresses get the default class.

    Ingress without a class, IngressClass acme is annotated as the default  ──►  ingressClassName: acme

Modelled on plugin/pkg/admission/priority and plugin/pkg/admission/network/defaultingressclass.
"""

from collections.abc import Callable

from cluster_engine.api.kinds import INGRESS, INGRESS_CLASS, PRIORITY_CLASS
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.registry.backend import Backend, Call

IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
OLD_CLASS = "kubernetes.io/ingress.class"


def one_default(backend: Backend, call: Call, new: Object) -> None:
    """Refuse a second PriorityClass for pods that name none."""
    if not new.get("globalDefault"):
        return
    name = new["metadata"].get("name", "")
    for each in backend.caches[PRIORITY_CLASS].objects():
        other = each["metadata"]["name"]
        if each.get("globalDefault") and other != name:
            raise Forbidden.because(
                call.kind, name, f"PriorityClass {other} is already marked as default. Only one default can exist"
            )


def default_ingress_class(backend: Backend, call: Call, new: Object) -> None:
    """Give an Ingress the class that is the default: of several the newest."""
    spec = new.setdefault("spec", {})
    if spec.get("ingressClassName") is not None or OLD_CLASS in (new["metadata"].get("annotations") or {}):
        return
    found = [
        each["metadata"]
        for each in backend.caches[INGRESS_CLASS].objects()
        if (each["metadata"].get("annotations") or {}).get(IS_DEFAULT) == "true"
    ]
    if found:
        newest = max(each["creationTimestamp"] for each in found)
        spec["ingressClassName"] = min(each["name"] for each in found if each["creationTimestamp"] == newest)


BY_KIND: dict[Kind, Callable[[Backend, Call, Object], None]] = {
    PRIORITY_CLASS: one_default,
    INGRESS: default_ingress_class,
}
