"""Service and Endpoints: one name for many pods, and the old list of where they are. From `core/v1`.

Cluster IPs and node ports are allocated by the API server's registry, not defaulted here.
"""

from cluster_engine.api.cells import services as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.names import dns_1035_label_problems
from cluster_engine.api.objects import Object
from cluster_engine.api.rules import services as rules
from cluster_engine.api.schema import (
    BOOL,
    INT32,
    INT_OR_STRING,
    PROXY_VERBS,
    STATUS_SUBRESOURCE,
    STRING,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    Subresource,
    field_path,
    message,
)
from cluster_engine.api.schemas.meta import CONDITION, conditions, object_message
from cluster_engine.api.schemas.references import OBJECT_REFERENCE, PACKAGE

PROTOCOLS = ("SCTP", "TCP", "UDP")

SERVICE_PORT = message(
    PACKAGE + "ServicePort",
    "ServicePort is a port of a Service.",
    Field(1, "name", STRING, "Name of the port; needed if there are several."),
    Field(2, "protocol", STRING, "TCP, UDP or SCTP.", default="TCP", enum=PROTOCOLS),
    Field(3, "port", INT32, "The port.", required=True, minimum=1, maximum=65535),
    Field(4, "targetPort", INT_OR_STRING, "Number or name of the pods' port; port unless given.", always=True),
    Field(5, "nodePort", INT32, "Port on every node, for NodePort and LoadBalancer.", minimum=0, maximum=65535),
    Field(6, "appProtocol", STRING, "Protocol of the application.", pointer=True),
)

CLIENT_IP_CONFIG = message(
    PACKAGE + "ClientIPConfig",
    "ClientIPConfig sets up affinity by the client's address.",
    Field(1, "timeoutSeconds", INT32, "Seconds for which a client stays.", pointer=True, default=10800),
)

SESSION_AFFINITY_CONFIG = message(
    PACKAGE + "SessionAffinityConfig",
    "SessionAffinityConfig sets up session affinity.",
    Field(1, "clientIP", CLIENT_IP_CONFIG, "Affinity by the client's address.", pointer=True),
)

SERVICE_SPEC = message(
    PACKAGE + "ServiceSpec",
    "ServiceSpec is what a Service is to be.",
    Field(
        1,
        "ports",
        ListOf(SERVICE_PORT),
        "Ports of the Service.",
        patch_strategy="merge",
        merge_key="port",
        list_keys=("port", "protocol"),
    ),
    Field(2, "selector", MapOf(STRING), "Labels of the pods behind the Service.", atomic=True),
    Field(3, "clusterIP", STRING, "Its address, or None for a headless Service."),
    Field(
        4,
        "type",
        STRING,
        "ClusterIP, NodePort, LoadBalancer or ExternalName.",
        default="ClusterIP",
        enum=("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    ),
    Field(5, "externalIPs", ListOf(STRING), "Other addresses whose traffic the nodes accept."),
    Field(7, "sessionAffinity", STRING, "ClientIP or None.", default="None", enum=("ClientIP", "None")),
    Field(8, "loadBalancerIP", STRING, "Deprecated: address asked of the load balancer."),
    Field(9, "loadBalancerSourceRanges", ListOf(STRING), "Clients that the load balancer lets in."),
    Field(10, "externalName", STRING, "Name that DNS answers, for ExternalName."),
    Field(11, "externalTrafficPolicy", STRING, "Cluster, or Local.", enum=("Cluster", "Local")),
    Field(12, "healthCheckNodePort", INT32, "Port for the load balancer's health checks."),
    Field(13, "publishNotReadyAddresses", BOOL, "Count pods that are not ready as ready."),
    Field(14, "sessionAffinityConfig", SESSION_AFFINITY_CONFIG, "Set-up of session affinity.", pointer=True),
    Field(17, "ipFamilyPolicy", STRING, "SingleStack, PreferDualStack or RequireDualStack.", pointer=True),
    Field(18, "clusterIPs", ListOf(STRING), "Its addresses, at most one of each family."),
    Field(19, "ipFamilies", ListOf(STRING), "Families of its addresses."),
    Field(20, "allocateLoadBalancerNodePorts", BOOL, "Whether a LoadBalancer gets node ports.", pointer=True),
    Field(21, "loadBalancerClass", STRING, "Class of its load balancer.", pointer=True),
    Field(22, "internalTrafficPolicy", STRING, "Cluster, or Local.", pointer=True, enum=("Cluster", "Local")),
    Field(23, "trafficDistribution", STRING, "Preference such as PreferClose.", pointer=True),
    rules=rules.service_spec,
)

PORT_STATUS = message(
    PACKAGE + "PortStatus",
    "PortStatus is the state of a load balancer's port.",
    Field(1, "port", INT32, "The port.", always=True),
    Field(2, "protocol", STRING, "Its protocol.", always=True),
    Field(3, "error", STRING, "What is wrong with it.", pointer=True),
)

LOAD_BALANCER_INGRESS = message(
    PACKAGE + "LoadBalancerIngress",
    "LoadBalancerIngress is where traffic enters.",
    Field(1, "ip", STRING, "Address of the load balancer."),
    Field(2, "hostname", STRING, "Name of the load balancer."),
    Field(3, "ipMode", STRING, "VIP or Proxy.", pointer=True),
    Field(4, "ports", ListOf(PORT_STATUS), "State of its ports."),
)

LOAD_BALANCER_STATUS = message(
    PACKAGE + "LoadBalancerStatus",
    "LoadBalancerStatus is the state of a load balancer.",
    Field(1, "ingress", ListOf(LOAD_BALANCER_INGRESS), "Where traffic enters."),
)

SERVICE_STATUS = message(
    PACKAGE + "ServiceStatus",
    "ServiceStatus is what is known of a Service.",
    Field(1, "loadBalancer", LOAD_BALANCER_STATUS, "State of its load balancer.", always=True),
    conditions(2, CONDITION),
)


def default_service(service: Object) -> None:
    """Fill in what depends on the type and the ports."""
    spec = service["spec"]
    for port in spec.get("ports", ()):
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", 10800)
    else:
        spec.pop("sessionAffinityConfig", None)
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


SERVICE = Kind(
    group="",
    version="v1",
    name="Service",
    plural="services",
    singular="service",
    short_names=("svc",),
    categories=("all",),
    namespaced=True,
    has_status=True,
    create_on_update=True,
    delete_returns_object=True,
    storage_prefix="services/specs",
    name_problems=dns_1035_label_problems,
    update_rules=rules.service_update,
    subresources=(Subresource("proxy", PROXY_VERBS, connects="ServiceProxyOptions"), STATUS_SUBRESOURCE),
    field_labels={
        "metadata.name": field_path("metadata.name"),
        "metadata.namespace": field_path("metadata.namespace"),
        "spec.clusterIP": field_path("spec.clusterIP"),
        "spec.type": field_path("spec.type"),
    },
    schema=object_message(
        PACKAGE + "Service",
        "Service is one name and address for a set of pods.",
        Field(2, "spec", SERVICE_SPEC, "What the Service is to be.", always=True),
        Field(3, "status", SERVICE_STATUS, "What is known of the Service.", always=True),
        defaults=default_service,
    ),
    columns=(
        name(),
        Column("Type", cells.type_, "Type of the Service."),
        Column("Cluster-IP", cells.cluster_ip, "Address within the cluster."),
        Column("External-IP", cells.external_ip, "Address from outside."),
        Column("Port(s)", cells.ports, "Ports, with node ports after a colon."),
        age(),
        Column("Selector", cells.selector, "Labels of the pods behind it.", wide=True),
    ),
)

ENDPOINT_ADDRESS = message(
    PACKAGE + "EndpointAddress",
    "EndpointAddress is one place where a Service is served.",
    Field(1, "ip", STRING, "The address.", required=True),
    Field(2, "targetRef", OBJECT_REFERENCE, "The pod behind it.", pointer=True),
    Field(3, "hostname", STRING, "Host name of the endpoint."),
    Field(4, "nodeName", STRING, "Node of the endpoint.", pointer=True),
    atomic=True,
)

ENDPOINT_PORT = message(
    PACKAGE + "EndpointPort",
    "EndpointPort is a port of endpoints.",
    Field(1, "name", STRING, "Name of the Service's port."),
    Field(2, "port", INT32, "The port.", required=True, minimum=1, maximum=65535),
    Field(3, "protocol", STRING, "TCP, UDP or SCTP.", default="TCP", enum=PROTOCOLS),
    Field(4, "appProtocol", STRING, "Protocol of the application.", pointer=True),
    atomic=True,
)

ENDPOINT_SUBSET = message(
    PACKAGE + "EndpointSubset",
    "EndpointSubset is a set of addresses with a set of ports: each address has each port.",
    Field(1, "addresses", ListOf(ENDPOINT_ADDRESS), "Addresses that are ready."),
    Field(2, "notReadyAddresses", ListOf(ENDPOINT_ADDRESS), "Addresses that are not ready."),
    Field(3, "ports", ListOf(ENDPOINT_PORT), "Ports of all of them."),
)

ENDPOINTS = Kind(
    group="",
    version="v1",
    name="Endpoints",
    plural="endpoints",
    singular="endpoints",
    short_names=("ep",),
    namespaced=True,
    create_on_update=True,
    storage_prefix="services/endpoints",
    schema=object_message(
        PACKAGE + "Endpoints",
        "Endpoints is the list of places where a Service is served. EndpointSlices have taken its place.",
        Field(2, "subsets", ListOf(ENDPOINT_SUBSET), "The places."),
    ),
    columns=(name(), Column("Endpoints", cells.endpoints, "Addresses and ports that are ready."), age()),
)
