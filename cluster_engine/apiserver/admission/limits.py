"""LimitRanger: what a namespace's LimitRanges say of a new pod: what it uses if it says nothing, and how much it may.

    LimitRange {type: Container, default: {cpu: 500m}, max: {cpu: "1"}}
    container without resources     ──►  limits {cpu: 500m}, requests {cpu: 500m}, an annotation that says so
    container with limits {cpu: 2}  ──►  403 maximum cpu usage per Container is 1, but limit is 2

Modelled on plugin/pkg/admission/limitranger/admission.go. Left out: volume claims.
"""

from collections.abc import Mapping

from cluster_engine.api.kinds import LIMIT_RANGE
from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical, parse, total
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.registry.backend import Backend, Call
from cluster_engine.apiserver.storage import prefix_of

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = Mapping[str, str]


def admit(backend: Backend, call: Call, pod: Object) -> None:
    """Fill in what containers use by default. Forbidden when they use too much or too little."""
    found = [each.object for each in backend.caches[LIMIT_RANGE].select(prefix_of(LIMIT_RANGE, call.namespace))]
    items = [item for each in found for item in (each.get("spec") or {}).get("limits") or ()]
    if not items:
        return
    notes = [note for item in items if item["type"] == "Container" for note in _fill(pod["spec"], item)]
    if notes:
        said = f"LimitRanger plugin set: {'; '.join(notes)}"
        pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), ANNOTATION: said}
    if problems := [problem for item in items for problem in _problems(pod["spec"], item)]:
        why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise Forbidden.because(call.kind, pod["metadata"].get("name", ""), why)


def _fill(spec: Object, item: Object) -> list[str]:
    """Write a LimitRange's defaults into the containers; say what was written."""
    notes = []
    for field, word in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(field) or ():
            resources = dict(container.get("resources") or {})
            for part, defaults in (("requests", "defaultRequest"), ("limits", "default")):
                said = resources.get(part) or {}
                missing = {name: text for name, text in (item.get(defaults) or {}).items() if name not in said}
                if missing:
                    resources[part] = {**said, **missing}
                    notes.append(f"{', '.join(sorted(missing))} {part[:-1]} for {word} {container['name']}")
            container["resources"] = resources
    return notes


def _problems(spec: Object, item: Object) -> list[str]:
    containers = spec.get("containers") or ()
    if item["type"] == "Container":
        said = [container.get("resources") or {} for container in containers]
        return [each for one in said for each in _checked(item, one.get("requests") or {}, one.get("limits") or {})]
    if item["type"] != "Pod":
        return []
    requests, limits = (_sum([(each.get("resources") or {}).get(part) or {} for each in containers]) for part in _PARTS)
    return _checked(item, requests, limits)


_PARTS = ("requests", "limits")


def _sum(listed: list[Amounts]) -> Amounts:
    """Add up what all name; what one does not name has no sum."""
    names = [name for name in (listed[0] if listed else ()) if all(name in each for each in listed)]
    return {name: total(each[name] for each in listed) for name in names}


def _checked(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    kind, problems = item["type"], []
    for name, least in (item.get("min") or {}).items():
        head = f"minimum {name} usage per {kind} is {canonical(least)}"
        if name not in requests:
            problems.append(f"{head}.  No request is specified")
        elif parse(requests[name]) < parse(least):
            problems.append(f"{head}, but request is {canonical(requests[name])}")
        elif name in limits and parse(limits[name]) < parse(least):
            problems.append(f"{head}, but limit is {canonical(limits[name])}")
    for name, most in (item.get("max") or {}).items():
        head = f"maximum {name} usage per {kind} is {canonical(most)}"
        if name not in limits:
            problems.append(f"{head}.  No limit is specified")
        elif parse(limits[name]) > parse(most):
            problems.append(f"{head}, but limit is {canonical(limits[name])}")
        elif name in requests and parse(requests[name]) > parse(most):
            problems.append(f"{head}, but request is {canonical(requests[name])}")
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        head = f"{name} max limit to request ratio per {kind} is {canonical(ratio)}"
        asked, allowed = parse(requests.get(name, "0")), parse(limits.get(name, "0"))
        if not asked:
            problems.append(f"{head}, but no request is specified or request is 0")
        elif not allowed:
            problems.append(f"{head}, but no limit is specified or limit is 0")
        elif allowed / asked > parse(ratio):
            problems.append(f"{head}, but provided ratio is {float(allowed / asked):f}")
    return problems
