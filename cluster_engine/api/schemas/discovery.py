"""EndpointSlice: where a Service is served, in pieces of at most a hundred. From `discovery/v1`."""

from cluster_engine.api.cells import services as cells
from cluster_engine.api.cells.common import age, name
from cluster_engine.api.schema import BOOL, INT32, STRING, Column, Field, Kind, ListOf, MapOf, message
from cluster_engine.api.schemas.meta import object_message
from cluster_engine.api.schemas.references import OBJECT_REFERENCE

PACKAGE = "io.k8s.api.discovery.v1."

ENDPOINT_CONDITIONS = message(
    PACKAGE + "EndpointConditions",
    "EndpointConditions is the state of an endpoint.",
    Field(1, "ready", BOOL, "It is to get traffic. Unknown counts as true.", pointer=True),
    Field(2, "serving", BOOL, "It could serve, even if it is terminating.", pointer=True),
    Field(3, "terminating", BOOL, "It is going away.", pointer=True),
)

FOR_ZONE = message(
    PACKAGE + "ForZone",
    "ForZone names a zone.",
    Field(1, "name", STRING, "The zone.", required=True),
)

ENDPOINT_HINTS = message(
    PACKAGE + "EndpointHints",
    "EndpointHints say who should use an endpoint.",
    Field(1, "forZones", ListOf(FOR_ZONE), "Zones that should use it."),
)

ENDPOINT = message(
    PACKAGE + "Endpoint",
    "Endpoint is one place where a Service is served.",
    Field(1, "addresses", ListOf(STRING), "Its addresses; clients use the first.", required=True),
    Field(2, "conditions", ENDPOINT_CONDITIONS, "Its state.", always=True),
    Field(3, "hostname", STRING, "Its host name.", pointer=True),
    Field(4, "targetRef", OBJECT_REFERENCE, "The pod behind it.", pointer=True),
    Field(5, "deprecatedTopology", MapOf(STRING), "Deprecated."),
    Field(6, "nodeName", STRING, "Its node.", pointer=True),
    Field(7, "zone", STRING, "Its zone.", pointer=True),
    Field(8, "hints", ENDPOINT_HINTS, "Who should use it.", pointer=True),
)

ENDPOINT_PORT = message(
    PACKAGE + "EndpointPort",
    "EndpointPort is a port of the slice's endpoints.",
    Field(1, "name", STRING, "Name of the Service's port.", pointer=True, default=""),
    Field(2, "protocol", STRING, "TCP, UDP or SCTP.", pointer=True, default="TCP", enum=("SCTP", "TCP", "UDP")),
    Field(3, "port", INT32, "The port.", pointer=True, minimum=1, maximum=65535),
    Field(4, "appProtocol", STRING, "Protocol of the application.", pointer=True),
    atomic=True,
)

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    version="v1",
    name="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    namespaced=True,
    has_generation=True,
    schema=object_message(
        PACKAGE + "EndpointSlice",
        "EndpointSlice is a part of the places where a Service is served; kube-proxy watches these.",
        Field(2, "endpoints", ListOf(ENDPOINT), "The places, at most 1000.", always=True),
        Field(3, "ports", ListOf(ENDPOINT_PORT), "Ports of each of them.", always=True),
        Field(
            4,
            "addressType",
            STRING,
            "IPv4, IPv6 or FQDN. It cannot be changed.",
            required=True,
            enum=("FQDN", "IPv4", "IPv6"),
            immutable=True,
        ),
    ),
    columns=(
        name(),
        Column("AddressType", cells.address_type, "Kind of addresses."),
        Column("Ports", cells.slice_ports, "Ports of the endpoints."),
        Column("Endpoints", cells.slice_endpoints, "Addresses of the endpoints."),
        age(),
    ),
)
