"""Kinds of the authorization family."""

from cluster_engine.api.schema import Kind
from cluster_engine.api.schemas.meta import object_message

SELF_SUBJECT_ACCESS_REVIEW = Kind(
    group="authorization.k8s.io",
    version="v1",
    name="SelfSubjectAccessReview",
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    schema=object_message("io.k8s.api.authorization.v1.SelfSubjectAccessReview", "SelfSubjectAccessReview."),
    verbs=("create",),
)

SUBJECT_ACCESS_REVIEW = Kind(
    group="authorization.k8s.io",
    version="v1",
    name="SubjectAccessReview",
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    schema=object_message("io.k8s.api.authorization.v1.SubjectAccessReview", "SubjectAccessReview."),
    verbs=("create",),
)
