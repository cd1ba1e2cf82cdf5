"""`kubectl expose`: GET the target, POST a Service with its selector.

Modelled on kubectl/pkg/cmd/expose.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of
from cluster_engine.programs.kubectl import overrides
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, Target, named, of_files
from cluster_engine.programs.kubectl.create import COMMON_FLAGS, create, port_number
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    *COMMON_FLAGS,
    Flag("port", default=""),
    Flag("target-port", default=""),
    Flag("name", default=""),
    Flag("type", default=""),
    Flag("protocol", default="TCP"),
    Flag("labels", "l", default=""),
    Flag("cluster-ip", default=""),
    Flag("external-ip", default=""),
    Flag("load-balancer-ip", default=""),
    Flag("session-affinity", default=""),
    *overrides.FLAGS,
    Flag("selector", default=""),
    *FILE_FLAGS,
)
_FIELDS = {"type": "type", "cluster-ip": "clusterIP", "load-balancer-ip": "loadBalancerIP"}


async def run(session: Session, arguments: list[str]) -> int:
    """Make a Service for what a deployment, replica set, pod or Service selects."""
    flags = session.flags
    found = await of_files(session)
    if arguments or not found:
        found += await named(session, arguments)
    for target in found:
        obj = await session.get(target.path(session))
        kind = target.resource.kind
        if kind not in ("Deployment", "ReplicaSet", "Pod", "Service"):
            raise CommandError(f"cannot expose a {_group_kind(target)}")
        selector = _pairs(flags["selector"]) or _selector(kind, obj)
        if not selector:
            raise CommandError(
                "couldn't retrieve selectors via --selector flag or introspection: the object has no labels"
            )
        ports = [port for port in flags["port"].split(",") if port] or _ports(kind, obj)
        if not ports:
            raise CommandError("couldn't find port via --port flag or introspection")
        name = flags["name"] or str(target.name)
        metadata: Object = {"creationTimestamp": None, "name": name}
        if labels := _pairs(flags["labels"]) or obj["metadata"].get("labels"):
            metadata["labels"] = labels
        spec: Object = {
            "ports": [_port(port, index, ports, session) for index, port in enumerate(ports)],
            "selector": selector,
        }
        spec |= {field: flags[flag] for flag, field in _FIELDS.items() if flags[flag]}
        if flags["external-ip"]:
            spec["externalIPs"] = [flags["external-ip"]]
        if flags["session-affinity"]:
            spec["sessionAffinity"] = flags["session-affinity"]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": spec,
            "status": {"loadBalancer": {}},
        }
        path = f"/api/v1/namespaces/{session.namespace}/services"
        await create(
            session,
            overrides.overridden(session, service),
            path,
            f"service/{name}",
            manager="kubectl-expose",
            done="exposed",
        )
    return 0


def _group_kind(target: Target) -> str:
    return f"{target.resource.kind}.{target.resource.group}".rstrip(".")


def _port(port: str, index: int, ports: list[str], session: Session) -> Object:
    target = session.flags["target-port"] or port
    entry: Object = {"name": f"port-{index + 1}"} if len(ports) > 1 else {}
    entry |= {"protocol": session.flags["protocol"], "port": _atoi(port)}
    return entry | {"targetPort": target if (number := int_of(target)) is None else number}


def _atoi(text: str) -> int:
    try:
        return port_number(text)
    except CommandError as error:
        raise CommandError(str(error).replace("ParseInt", "Atoi")) from error


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)


def _selector(kind: str, obj: Object) -> dict[str, str]:
    if kind == "Pod":
        return dict(obj["metadata"].get("labels") or {})
    selector = obj["spec"].get("selector") or {}
    return dict(selector if kind == "Service" else selector.get("matchLabels") or {})


def _ports(kind: str, obj: Object) -> list[str]:
    if kind == "Service":
        return [str(port["port"]) for port in obj["spec"].get("ports") or []]
    spec = obj["spec"] if kind == "Pod" else obj["spec"]["template"]["spec"]
    containers = spec.get("containers") or []
    return [str(port["containerPort"]) for container in containers for port in container.get("ports") or []]
