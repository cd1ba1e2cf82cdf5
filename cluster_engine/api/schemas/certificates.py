"""CertificateSigningRequest: a PKCS #10 request, who asked for it, and what became of it. From `certificates/v1`."""

from cluster_engine.api.cells import certificates as cells
from cluster_engine.api.cells.common import age, name, text
from cluster_engine.api.rules import certificates as rules
from cluster_engine.api.schema import (
    BYTES,
    INT32,
    STATUS_SUBRESOURCE,
    STRING,
    TIME,
    Column,
    Field,
    Kind,
    ListOf,
    MapOf,
    Subresource,
    field_path,
    message,
)
from cluster_engine.api.schemas.meta import conditions, object_message

PACKAGE = "io.k8s.api.certificates.v1."

SPEC = message(
    PACKAGE + "CertificateSigningRequestSpec",
    "CertificateSigningRequestSpec is the request, and who made it.",
    Field(1, "request", BYTES, "The PKCS #10 request as PEM, in base64.", always=True),
    Field(7, "signerName", STRING, "Who is to sign, such as kubernetes.io/kube-apiserver-client.", always=True),
    Field(8, "expirationSeconds", INT32, "How long the certificate is wanted; the signer may do less.", pointer=True),
    Field(5, "usages", ListOf(STRING), "What the certificate is to be used for.", atomic=True),
    Field(2, "username", STRING, "Who made the request; the API server says so."),
    Field(3, "uid", STRING, "UID of who made it."),
    Field(4, "groups", ListOf(STRING), "Groups of who made it.", atomic=True),
    Field(6, "extra", MapOf(ListOf(STRING)), "What else the authenticator knew."),
    rules=rules.spec,
)
CONDITION = message(
    PACKAGE + "CertificateSigningRequestCondition",
    "CertificateSigningRequestCondition is one thing that was decided about the request.",
    Field(1, "type", STRING, "Approved, Denied, Failed, or a signer's own.", always=True),
    Field(6, "status", STRING, "True, False or Unknown; the three that are known are True.", always=True),
    Field(2, "reason", STRING, "Why, as one word in CamelCase."),
    Field(3, "message", STRING, "Why, for people."),
    Field(4, "lastUpdateTime", TIME, "When the condition was last written."),
    Field(5, "lastTransitionTime", TIME, "When the status last changed."),
)
STATUS = message(
    PACKAGE + "CertificateSigningRequestStatus",
    "CertificateSigningRequestStatus is what was decided, and the certificate.",
    conditions(1, CONDITION, "What was decided."),
    Field(2, "certificate", BYTES, "The certificate as PEM, in base64, once it is issued."),
    rules=rules.status,
)

CERTIFICATE_SIGNING_REQUEST = Kind(
    group="certificates.k8s.io",
    version="v1",
    name="CertificateSigningRequest",
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    short_names=("csr",),
    namespaced=False,
    has_status=True,
    name_problems=lambda _: [],
    prepare_update=rules.keep_spec,
    update_rules=rules.update,
    subresources=(Subresource("approval"), STATUS_SUBRESOURCE),
    field_labels={"metadata.name": field_path("metadata.name"), "spec.signerName": field_path("spec.signerName")},
    schema=object_message(
        PACKAGE + "CertificateSigningRequest",
        "CertificateSigningRequest asks for a certificate: others approve it, and a signer issues.",
        Field(2, "spec", SPEC, "The request.", always=True),
        Field(3, "status", STATUS, "What became of it.", always=True),
    ),
    columns=(
        name(),
        age(),
        Column("SignerName", text("spec.signerName"), "Who is to sign."),
        Column("Requestor", text("spec.username"), "Who made the request."),
        Column("RequestedDuration", cells.requested_duration, "How long the certificate is wanted."),
        Column("Condition", cells.condition, "What became of the request."),
    ),
)
