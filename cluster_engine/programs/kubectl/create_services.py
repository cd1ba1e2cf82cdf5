"""`kubectl create service clusterip`, `nodeport`, `loadbalancer` and `externalname`: a Service from a few flags.

    create service nodeport web --tcp=80:8080 --node-port=30080
        POST /api/v1/namespaces/default/services?fieldManager=kubectl-create&fieldValidation=Strict

Modelled on kubectl/pkg/cmd/create/create_service.go.
"""

from cluster_engine.api.objects import Object
from cluster_engine.api.strconv import int_of, parse_int
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

_TCP = Flag("tcp", kind="strings")
CLUSTER_IP_FLAGS = (*COMMON_FLAGS, _TCP, Flag("clusterip", default=""))
NODE_PORT_FLAGS = (*COMMON_FLAGS, _TCP, Flag("node-port", kind="int", default=0))
LOAD_BALANCER_FLAGS = (*COMMON_FLAGS, _TCP)
EXTERNAL_NAME_FLAGS = (*COMMON_FLAGS, _TCP, Flag("external-name", default=""))


async def cluster_ip(session: Session, arguments: list[str]) -> int:
    """Make a ClusterIP service."""
    name, address = named(arguments, "service clusterip"), session.flags["clusterip"]
    if not session.flags["tcp"] and address != "None":
        raise CommandError("at least one tcp port specifier must be provided")
    return await _create(session, name, "ClusterIP", {"clusterIP": address} if address else {})


async def node_port(session: Session, arguments: list[str]) -> int:
    """Make a NodePort service."""
    return await _create(session, _with_ports(session, arguments, "nodeport"), "NodePort", {})


async def load_balancer(session: Session, arguments: list[str]) -> int:
    """Make a LoadBalancer service."""
    return await _create(session, _with_ports(session, arguments, "loadbalancer"), "LoadBalancer", {})


async def external_name(session: Session, arguments: list[str]) -> int:
    """Make an ExternalName service."""
    if not session.flags["external-name"]:
        raise CommandError('required flag(s) "external-name" not set')
    name = named(arguments, "service externalname")
    return await _create(session, name, "ExternalName", {"externalName": session.flags["external-name"]})


def _with_ports(session: Session, arguments: list[str], command: str) -> str:
    name = named(arguments, f"service {command}")
    if not session.flags["tcp"]:
        raise CommandError("at least one tcp port specifier must be provided")
    return name


async def _create(session: Session, name: str, type_: str, more: Object) -> int:
    ports = [_port(session, text) for given in session.flags["tcp"] for text in given.split(",")]
    spec: Object = {**more, **({"ports": ports} if ports else {}), "selector": {"app": name}, "type": type_}
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": new_metadata(name, named_namespace(session), app=name)}
    obj |= {"spec": spec, "status": {"loadBalancer": {}}}
    path = f"/api/v1/namespaces/{target_namespace(session)}/services"
    return await create(session, obj, path, f"service/{name}", failed=f"failed to create {type_} service: ")


def _unsigned(text: str) -> int:
    """Read a port as strconv.ParseUint reads 16 bits. CommandError."""
    try:
        number = parse_int(text)
    except ValueError as problem:
        raise CommandError(str(problem).replace("ParseInt", "ParseUint")) from problem
    if not 0 <= number < 65536:
        raise CommandError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return number


def _port(session: Session, text: str) -> Object:
    port, _, target = text.partition(":")
    target = target or port
    number_here = _unsigned(port)
    number = int_of(target)
    if number is not None and not 0 < number < 65536:
        raise CommandError("must be between 1 and 65535, inclusive")
    node_port = session.flags.values.get("node-port") or 0
    return {
        "name": text.replace(":", "-"),
        **({"nodePort": node_port} if node_port else {}),
        "port": number_here,
        "protocol": "TCP",
        "targetPort": target if number is None else number,
    }
