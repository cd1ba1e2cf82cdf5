"""`kubectl describe node`: what it is, how it is, and what runs there at what cost."""

from decimal import Decimal

from cluster_engine.api.objects import Object
from cluster_engine.api.quantity import canonical, parse
from cluster_engine.programs.kubectl.describe.lines import Lines, date

ROLE = "node-role.kubernetes.io/"


def describe_node(lines: Lines, node: Object, lease: Object | None, pods: list[Object], events: list[Object]) -> None:
    """Write a node; `pods` are those that have not ended."""
    metadata, spec, status = node["metadata"], node["spec"], node.get("status") or {}
    roles = sorted(label.removeprefix(ROLE) for label in metadata.get("labels") or {} if label.startswith(ROLE))
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Roles:\t{','.join(roles) or '<none>'}")
    lines.labels("Labels", metadata.get("labels"))
    lines.annotations("Annotations", metadata.get("annotations"))
    lines.add(0, f"CreationTimestamp:\t{date(metadata.get('creationTimestamp'))}")
    lines.several("Taints", [_taint(taint) for taint in spec.get("taints") or []])
    lines.add(0, f"Unschedulable:\t{'true' if spec.get('unschedulable') else 'false'}")
    held = (lease or {}).get("spec") or {}
    lines.add(0, "Lease:")
    lines.add(1, f"HolderIdentity:\t{held.get('holderIdentity', '<unset>')}")
    lines.add(1, f"AcquireTime:\t{date(held.get('acquireTime'))}")
    lines.add(1, f"RenewTime:\t{date(held.get('renewTime'))}")
    _conditions(lines, status)
    lines.add(0, "Addresses:")
    for address in status.get("addresses") or []:
        lines.add(1, f"{address['type']}:\t{address['address']}")
    for field, title in (("capacity", "Capacity"), ("allocatable", "Allocatable")):
        lines.add(0, f"{title}:")
        for name in sorted(status.get(field) or {}):
            lines.add(1, f"{name}:\t{status[field][name]}")
    _system(lines, spec, status.get("nodeInfo") or {})
    allocatable = {name: parse(str(amount)) for name, amount in (status.get("allocatable") or {}).items()}
    _pods(lines, pods, allocatable)
    _allocated(lines, pods, allocatable)
    lines.events(events)


def _taint(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _conditions(lines: Lines, status: Object) -> None:
    lines.add(0, "Conditions:")
    lines.add(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
    lines.add(1, "----\t------\t-----------------\t------------------\t------\t-------")
    for condition in status.get("conditions") or []:
        heartbeat, transition = date(condition.get("lastHeartbeatTime")), date(condition.get("lastTransitionTime"))
        said = f"{condition.get('reason', '')} \t{condition.get('message', '')}"
        lines.add(1, f"{condition['type']} \t{condition['status']} \t{heartbeat} \t{transition} \t{said}")


_SYSTEM = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
    ("Kube-Proxy Version", "kubeProxyVersion"),
)


def _system(lines: Lines, spec: Object, info: Object) -> None:
    lines.add(0, "System Info:")
    for title, field in _SYSTEM:
        lines.add(1, f"{title}:\t{info.get(field, '')}")
    if spec.get("podCIDR"):
        lines.add(0, f"PodCIDR:\t{spec['podCIDR']}")
    if spec.get("podCIDRs"):
        lines.add(0, f"PodCIDRs:\t{','.join(spec['podCIDRs'])}")


def _pods(lines: Lines, pods: list[Object], allocatable: dict[str, Decimal]) -> None:
    lines.add(0, f"Non-terminated Pods:\t({len(pods)} in total)")
    lines.add(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    lines.add(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    for pod in pods:
        cells = [
            _share(_sum([pod], field, name), allocatable.get(name))
            for name in ("cpu", "memory")
            for field in ("requests", "limits")
        ]
        metadata = pod["metadata"]
        age = lines.since(metadata.get("creationTimestamp"))
        lines.add(1, f"{metadata['namespace']}\t{metadata['name']}\t\t" + "\t".join(cells) + f"\t{age}")


def _allocated(lines: Lines, pods: list[Object], allocatable: dict[str, Decimal]) -> None:
    lines.add(0, "Allocated resources:")
    lines.add(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    lines.add(1, "Resource\tRequests\tLimits")
    lines.add(1, "--------\t--------\t------")
    others = sorted(name for name in allocatable if name.startswith("hugepages-"))
    for name in ("cpu", "memory", "ephemeral-storage", *others):
        cells = [_share(_sum(pods, field, name), allocatable.get(name)) for field in ("requests", "limits")]
        lines.add(1, f"{name}\t" + "\t".join(cells))


def _sum(pods: list[Object], field: str, name: str) -> tuple[Decimal, str]:
    """Add up what containers request (or may use); give also how it is to be written."""
    texts = [
        str((container.get("resources") or {}).get(field, {}).get(name, "0"))
        for pod in pods
        for container in pod["spec"].get("containers") or []
    ]
    total = sum((parse(text) for text in texts), Decimal(0))
    binary = any(text.endswith("i") for text in texts)
    return total, _written(total, binary=binary)


def _written(amount: Decimal, *, binary: bool) -> str:
    if not amount:
        return "0"
    if not binary:
        return canonical(str(amount))
    for power, suffix in ((4, "Ti"), (3, "Gi"), (2, "Mi"), (1, "Ki")):
        if amount % 1024**power == 0:
            return f"{int(amount / 1024**power)}{suffix}"
    return str(int(amount))


def _share(amount: tuple[Decimal, str], of: Decimal | None) -> str:
    percent = int(amount[0] * 100 / of) if of else 0
    return f"{amount[1]} ({percent}%)"
