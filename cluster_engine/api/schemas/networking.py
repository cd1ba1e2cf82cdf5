"""Ingress and IngressClass: ways in by HTTP; NetworkPolicy: who may talk to whom. From `networking.k8s.io/v1`."""

from cluster_engine.api.cells import networking as cells
from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.rules import networking as rules
from cluster_engine.api.schema import (
    INT32,
    INT_OR_STRING,
    STATUS_SUBRESOURCE,
    STRING,
    Column,
    Field,
    Inline,
    Kind,
    ListOf,
    message,
)
from cluster_engine.api.schemas.meta import LABEL_SELECTOR, object_message
from cluster_engine.api.schemas.references import TYPED_LOCAL_OBJECT_REFERENCE

PACKAGE = "io.k8s.api.networking.v1."
GROUP = "networking.k8s.io"

SERVICE_BACKEND_PORT = message(
    PACKAGE + "ServiceBackendPort",
    "ServiceBackendPort is a port of a Service, by name or number.",
    Field(1, "name", STRING, "Name of the port."),
    Field(2, "number", INT32, "Number of the port."),
    atomic=True,
)
INGRESS_SERVICE_BACKEND = message(
    PACKAGE + "IngressServiceBackend",
    "IngressServiceBackend is a Service that requests go to.",
    Field(1, "name", STRING, "Name of the Service, in the same namespace.", always=True),
    Field(2, "port", SERVICE_BACKEND_PORT, "Port of the Service.", always=True),
)
INGRESS_BACKEND = message(
    PACKAGE + "IngressBackend",
    "IngressBackend is where requests go.",
    Field(3, "resource", TYPED_LOCAL_OBJECT_REFERENCE, "Another object that answers.", pointer=True),
    Field(4, "service", INGRESS_SERVICE_BACKEND, "A Service that answers.", pointer=True),
    rules=rules.backend,
)
HTTP_INGRESS_PATH = message(
    PACKAGE + "HTTPIngressPath",
    "HTTPIngressPath says where requests for a path go.",
    Field(1, "path", STRING, "The path that a request's is compared with."),
    Field(2, "backend", INGRESS_BACKEND, "Where requests go.", required=True, always=True),
    Field(3, "pathType", STRING, "Exact, Prefix or ImplementationSpecific.", pointer=True),
    rules=rules.path,
)
HTTP_INGRESS_RULE_VALUE = message(
    PACKAGE + "HTTPIngressRuleValue",
    "HTTPIngressRuleValue says where requests go, by path.",
    Field(1, "paths", ListOf(HTTP_INGRESS_PATH), "Paths, and where they lead.", required=True),
)
INGRESS_RULE_VALUE = message(
    PACKAGE + "IngressRuleValue",
    "IngressRuleValue says where requests go.",
    Field(1, "http", HTTP_INGRESS_RULE_VALUE, "By path.", pointer=True),
)
INGRESS_RULE = message(
    PACKAGE + "IngressRule",
    "IngressRule says where requests for a host go.",
    Field(1, "host", STRING, "Name of the host; every host, if none is given."),
    Inline(2, INGRESS_RULE_VALUE),
    rules=rules.rule,
)
INGRESS_TLS = message(
    PACKAGE + "IngressTLS",
    "IngressTLS says which certificate hosts are served with.",
    Field(1, "hosts", ListOf(STRING), "Names in the certificate."),
    Field(2, "secretName", STRING, "Secret with certificate and key."),
    rules=rules.tls,
)
INGRESS_SPEC = message(
    PACKAGE + "IngressSpec",
    "IngressSpec says where requests from outside go.",
    Field(1, "defaultBackend", INGRESS_BACKEND, "Where requests go that no rule is for.", pointer=True),
    Field(2, "tls", ListOf(INGRESS_TLS), "Certificates."),
    Field(3, "rules", ListOf(INGRESS_RULE), "Where requests go, by host and path."),
    Field(4, "ingressClassName", STRING, "Class, and so the controller that is to see to it.", pointer=True),
    rules=rules.ingress_spec,
)
INGRESS_PORT_STATUS = message(
    PACKAGE + "IngressPortStatus",
    "IngressPortStatus is what is known of one port.",
    Field(1, "port", INT32, "Number of the port.", required=True, always=True),
    Field(2, "protocol", STRING, "Protocol of the port.", required=True, always=True),
    Field(3, "error", STRING, "What is wrong with it.", pointer=True),
)
INGRESS_LOAD_BALANCER_INGRESS = message(
    PACKAGE + "IngressLoadBalancerIngress",
    "IngressLoadBalancerIngress is one way in.",
    Field(1, "ip", STRING, "Address of the way in."),
    Field(2, "hostname", STRING, "Name of the way in."),
    Field(4, "ports", ListOf(INGRESS_PORT_STATUS), "Its ports."),
)
INGRESS_LOAD_BALANCER_STATUS = message(
    PACKAGE + "IngressLoadBalancerStatus",
    "IngressLoadBalancerStatus says where the ways in are.",
    Field(1, "ingress", ListOf(INGRESS_LOAD_BALANCER_INGRESS), "The ways in."),
)
INGRESS_STATUS = message(
    PACKAGE + "IngressStatus",
    "IngressStatus is what is known of an Ingress.",
    Field(1, "loadBalancer", INGRESS_LOAD_BALANCER_STATUS, "Where the ways in are.", always=True),
)

INGRESS = Kind(
    group=GROUP,
    version="v1",
    name="Ingress",
    plural="ingresses",
    storage_prefix="ingress",
    singular="ingress",
    short_names=("ing",),
    namespaced=True,
    has_status=True,
    has_generation=True,
    subresources=(STATUS_SUBRESOURCE,),
    schema=object_message(
        PACKAGE + "Ingress",
        "Ingress says where HTTP requests from outside go. A controller of its class sees to it.",
        Field(2, "spec", INGRESS_SPEC, "Where requests go.", always=True),
        Field(3, "status", INGRESS_STATUS, "What is known of the Ingress.", always=True),
    ),
    columns=(
        name(),
        Column("Class", cells.ingress_class, "Class of the Ingress."),
        Column("Hosts", cells.hosts, "Hosts that there are rules for."),
        Column("Address", cells.address, "Where the ways in are."),
        Column("Ports", cells.ports, "Ports of the ways in."),
        age(),
    ),
)

INGRESS_CLASS_PARAMETERS_REFERENCE = message(
    PACKAGE + "IngressClassParametersReference",
    "IngressClassParametersReference names an object with the controller's settings.",
    Field(1, "apiGroup", STRING, "Group of the object; the core group, if none is given.", pointer=True),
    Field(2, "kind", STRING, "Kind of the object.", required=True, always=True),
    Field(3, "name", STRING, "Name of the object.", required=True, always=True),
    Field(4, "scope", STRING, "Cluster, or Namespace.", pointer=True, default="Cluster", enum=("Cluster", "Namespace")),
    Field(5, "namespace", STRING, "Namespace of the object, if it lies in one.", pointer=True),
)
INGRESS_CLASS_SPEC = message(
    PACKAGE + "IngressClassSpec",
    "IngressClassSpec says who sees to Ingresses of the class.",
    Field(1, "controller", STRING, 'Name of the controller, such as "acme.io/foo".', immutable=True),
    Field(2, "parameters", INGRESS_CLASS_PARAMETERS_REFERENCE, "The controller's settings.", pointer=True),
    rules=rules.ingress_class_spec,
)

INGRESS_CLASS = Kind(
    group=GROUP,
    version="v1",
    name="IngressClass",
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    has_generation=True,
    schema=object_message(
        PACKAGE + "IngressClass",
        "IngressClass says which controller sees to Ingresses that name it.",
        Field(2, "spec", INGRESS_CLASS_SPEC, "Who sees to them.", always=True),
    ),
    columns=(
        name(),
        Column("Controller", text("spec.controller"), "Who sees to Ingresses of the class."),
        Column("Parameters", cells.parameters, "The controller's settings."),
        age(),
    ),
)

NETWORK_POLICY_PORT = message(
    PACKAGE + "NetworkPolicyPort",
    "NetworkPolicyPort is a port that may be used.",
    Field(1, "protocol", STRING, "TCP, UDP or SCTP.", pointer=True, default="TCP", enum=("SCTP", "TCP", "UDP")),
    Field(2, "port", INT_OR_STRING, "Number or name; every port, if none is given.", pointer=True),
    Field(3, "endPort", INT32, "End of a range that `port` begins.", pointer=True),
    rules=rules.policy_port,
)
IP_BLOCK = message(
    PACKAGE + "IPBlock",
    "IPBlock is a range of addresses.",
    Field(1, "cidr", STRING, 'The range, such as "192.168.1.0/24".', required=True, always=True),
    Field(2, "except", ListOf(STRING), "Ranges within it that are not meant."),
    rules=rules.ip_block,
)
NETWORK_POLICY_PEER = message(
    PACKAGE + "NetworkPolicyPeer",
    "NetworkPolicyPeer is who may be talked to.",
    Field(1, "podSelector", LABEL_SELECTOR, "Pods, by labels.", pointer=True),
    Field(2, "namespaceSelector", LABEL_SELECTOR, "Pods of namespaces, by the namespaces' labels.", pointer=True),
    Field(3, "ipBlock", IP_BLOCK, "Addresses.", pointer=True),
    rules=rules.peer,
)
NETWORK_POLICY_INGRESS_RULE = message(
    PACKAGE + "NetworkPolicyIngressRule",
    "NetworkPolicyIngressRule says who may talk to the pods, and to which ports.",
    Field(1, "ports", ListOf(NETWORK_POLICY_PORT), "Ports; every one, if none is given."),
    Field(2, "from", ListOf(NETWORK_POLICY_PEER), "Who; everybody, if nobody is given."),
)
NETWORK_POLICY_EGRESS_RULE = message(
    PACKAGE + "NetworkPolicyEgressRule",
    "NetworkPolicyEgressRule says whom the pods may talk to, and on which ports.",
    Field(1, "ports", ListOf(NETWORK_POLICY_PORT), "Ports; every one, if none is given."),
    Field(2, "to", ListOf(NETWORK_POLICY_PEER), "Whom; everybody, if nobody is given."),
)
NETWORK_POLICY_SPEC = message(
    PACKAGE + "NetworkPolicySpec",
    "NetworkPolicySpec says who may talk to whom.",
    Field(1, "podSelector", LABEL_SELECTOR, "The pods it is about; all of the namespace, if it is empty.", always=True),
    Field(2, "ingress", ListOf(NETWORK_POLICY_INGRESS_RULE), "Who may talk to them."),
    Field(3, "egress", ListOf(NETWORK_POLICY_EGRESS_RULE), "Whom they may talk to."),
    Field(4, "policyTypes", ListOf(STRING), "Ingress, Egress or both."),
    defaults=rules.default_policy_types,
    rules=rules.policy_spec,
)

NETWORK_POLICY = Kind(
    group=GROUP,
    version="v1",
    name="NetworkPolicy",
    plural="networkpolicies",
    singular="networkpolicy",
    short_names=("netpol",),
    namespaced=True,
    has_generation=True,
    schema=object_message(
        PACKAGE + "NetworkPolicy",
        "NetworkPolicy says which traffic of pods is allowed. It is for the pods' network to enforce it.",
        Field(2, "spec", NETWORK_POLICY_SPEC, "Who may talk to whom.", always=True),
    ),
    columns=(name(), Column("Pod-Selector", cells.pod_selector, "The pods it is about."), age()),
)
