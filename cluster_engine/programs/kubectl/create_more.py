"""`kubectl create ingress`, `quota`, `poddisruptionbudget` and `priorityclass`.

    create quota small --hard=pods=3,cpu=1             POST /api/v1/namespaces/default/resourcequotas
    create ingress web --rule=a.org/*=web:80,tls=cert   POST /apis/networking.k8s.io/v1/…/ingresses

An API server that has no such kind answers 404, and that is told in kubectl's words.

Modelled on kubectl/pkg/cmd/create.
"""

import re

from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical
from cluster_engine.api.selectors import parse_label
from cluster_engine.api.status import BadRequest
from cluster_engine.programs.kubectl.create import (
    COMMON_FLAGS,
    create,
    named,
    named_namespace,
    new_metadata,
    target_namespace,
)
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

INGRESS_FLAGS = (
    *COMMON_FLAGS,
    Flag("rule", kind="strings"),
    Flag("class", default=""),
    Flag("default-backend", default=""),
    Flag("annotation", kind="strings"),
)
QUOTA_FLAGS = (*COMMON_FLAGS, Flag("hard", default=""), Flag("scopes", default=""))
BUDGET_FLAGS = (
    *COMMON_FLAGS,
    Flag("selector", default=""),
    Flag("min-available", default=""),
    Flag("max-unavailable", default=""),
)
PRIORITY_FLAGS = (
    *COMMON_FLAGS,
    Flag("value", kind="int", default=0),
    Flag("global-default", kind="bool"),
    Flag("description", default=""),
    Flag("preemption-policy", default="PreemptLowerPriority"),
)
_EXPRESSIONS = {"in": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
_RULE = re.compile(r"([^/=,]*)(/[^=,]*)?=([^:,=/]+):([^:,=/]+)(,tls(?:=[^,=]+)?)?")


async def ingress(session: Session, arguments: list[str]) -> int:
    """Make an Ingress."""
    name, flags = named(arguments, "ingress"), session.flags
    if not flags["rule"] and not flags["default-backend"]:
        raise CommandError(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all "
            "traffic) or a list of rules (which catch specific paths)"
        )
    spec: Object = {}
    if flags["class"]:
        spec["ingressClassName"] = flags["class"]
    if flags["default-backend"]:
        service, colon, port = flags["default-backend"].partition(":")
        if not (service and colon and port):
            raise CommandError("default-backend should be in format servicename:serviceport")
        spec["defaultBackend"] = _backend(service, port)
    rules: dict[str, list[Object]] = {}
    secure: dict[str, list[str]] = {}
    for text in flags["rule"]:
        _add_rule(text, rules, secure)
    if rules:
        spec["rules"] = [
            {**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in rules.items()
        ]
    if secure:
        secrets = [({"secretName": secret} if secret else {}, names) for secret, names in secure.items()]
        spec["tls"] = [{"hosts": names, **secret} for secret, names in secrets]
    metadata = new_metadata(name, named_namespace(session))
    if flags["annotation"]:
        wrong = next((text for text in flags["annotation"] if "=" not in text), None)
        if wrong is not None:
            raise CommandError(f"annotation {wrong} is invalid and should be in format key=[value]")
        metadata["annotations"] = dict(text.split("=", 1) for text in flags["annotation"])
    obj = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}
    return await send(session, obj | {"status": {"loadBalancer": {}}}, "networking.k8s.io/v1", "ingresses", "ingress")


def _add_rule(text: str, rules: dict[str, list[Object]], secure: dict[str, list[str]]) -> None:
    found = _RULE.fullmatch(text)
    if found is None:
        raise CommandError(
            f"rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
        )  # fmt: skip
    host, path, service, port, tls = found.groups()
    path = path or "/"
    kind = "Prefix" if path.endswith("*") else "Exact"
    backend = _backend(service, port)
    rules.setdefault(host, []).append({"backend": backend, "path": path.rstrip("*"), "pathType": kind})
    if tls:
        secure.setdefault(tls.partition("=")[2], []).append(host)


def _backend(service: str, port: str) -> Object:
    number: Object = {"number": int(port)} if port.isdecimal() and len(port) < 6 else {"name": port}
    return {"service": {"name": service, "port": number}}


async def quota(session: Session, arguments: list[str]) -> int:
    """Make a ResourceQuota."""
    name, flags = named(arguments, "quota"), session.flags
    spec: Object = {}
    if flags["hard"]:
        pairs = [statement.split("=") for statement in flags["hard"].split(",")]
        wrong = next((pair for pair in pairs if len(pair) != 2), None)
        if wrong is not None:
            raise CommandError(f"Invalid argument syntax {'='.join(wrong)}, expected <resource>=<value>")
        try:
            spec["hard"] = {resource: canonical(amount) for resource, amount in pairs}
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
    if flags["scopes"]:
        spec["scopes"] = flags["scopes"].split(",")
    obj = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": new_metadata(name, named_namespace(session))}
    return await send(session, obj | {"spec": spec, "status": {}}, "v1", "resourcequotas", "quota")


async def budget(session: Session, arguments: list[str]) -> int:
    """Make a PodDisruptionBudget."""
    name, flags = named(arguments, "poddisruptionbudget"), session.flags
    if not flags["selector"]:
        raise CommandError("a selector must be specified")
    if bool(flags["min-available"]) == bool(flags["max-unavailable"]):
        problem = "min-available and max-unavailable cannot be both specified"
        raise CommandError(
            problem if flags["min-available"] else "one of min-available or max-unavailable must be specified"
        )
    limits = {"minAvailable": flags["min-available"], "maxUnavailable": flags["max-unavailable"]}
    spec: Object = {key: _int_or_text(value) for key, value in limits.items() if value}
    spec["selector"] = label_selector(flags["selector"])
    status = dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0)
    metadata = new_metadata(name, named_namespace(session))
    obj = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }
    return await send(session, obj, "policy/v1", "poddisruptionbudgets", "poddisruptionbudgets")


def label_selector(text: str) -> Object:
    """Read a selector as an object has it: matchLabels, matchExpressions. CommandError."""
    try:
        found = parse_label(text).requirements
    except BadRequest as problem:
        raise CommandError(problem.message) from problem
    labels = {one.key: next(iter(one.values)) for one in found if one.operator in ("=", "==")}
    others = [
        {
            "key": one.key,
            "operator": _EXPRESSIONS[one.operator],
            **({"values": sorted(one.values)} if one.values else {}),
        }
        for one in found
        if one.operator in _EXPRESSIONS
    ]
    return {**({"matchLabels": labels} if labels else {}), **({"matchExpressions": others} if others else {})}


def _int_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


async def priority_class(session: Session, arguments: list[str]) -> int:
    """Make a PriorityClass."""
    name, flags = named(arguments, "priorityclass"), session.flags
    obj: Object = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": new_metadata(name)}
    obj["value"] = flags["value"]
    if flags["global-default"]:
        obj["globalDefault"] = True
    if flags["description"]:
        obj["description"] = flags["description"]
    obj["preemptionPolicy"] = flags["preemption-policy"]
    return await send(session, obj, "scheduling.k8s.io/v1", "priorityclasses", "priorityclass", namespaced=False)


async def send(
    session: Session, obj: Object, version: str, plural: str, called: str, *, namespaced: bool = True
) -> int:
    """POST an object of a group's version; `called` is what a failure calls it."""
    group = version.rpartition("/")[0]
    where = f"/namespaces/{target_namespace(session)}" if namespaced else ""
    path = f"/{'apis' if group else 'api'}/{version}{where}/{plural}"
    kind = obj["kind"].lower() + (f".{group}" if group else "")
    return await create(session, obj, path, f"{kind}/{obj['metadata']['name']}", failed=f"failed to create {called}: ")
