"""Kinds of the authentication family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

TOKEN_REQUEST = Kind(
    group="authentication.k8s.io",
    version="v1",
    name="TokenRequest",
    plural="tokenrequests",
    singular="tokenrequest",
    namespaced=True,
    schema=object_message("io.k8s.api.authentication.v1.TokenRequest", "TokenRequest."),
    verbs=(),
)

SELF_SUBJECT_REVIEW = Kind(
    group="authentication.k8s.io",
    version="v1",
    name="SelfSubjectReview",
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    schema=object_message("io.k8s.api.authentication.v1.SelfSubjectReview", "SelfSubjectReview."),
    verbs=("create",),
)
