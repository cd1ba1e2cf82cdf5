"""Questions as resources: who am I, may I, may they. Nothing of it is stored.

    POST selfsubjectaccessreviews {spec: {resourceAttributes: {verb: create, resource: pods, namespace: default}}}
      ──►  201 {status: {allowed: true, reason: "RBAC: allowed by …"}}

Modelled on pkg/registry/authorization and pkg/registry/authentication/selfsubjectreview.
"""

from typing import Any

from cluster_engine.api.kinds import SELF_SUBJECT_ACCESS_REVIEW
from cluster_engine.api.status import Invalid
from cluster_engine.api.validation import validate
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain
from cluster_engine.apiserver.registry.backend import Call

Object = dict[str, Any]


def review_access(authorizer: Chain, call: Call, review: Object) -> Object:
    """Answer a SelfSubjectAccessReview, or a SubjectAccessReview about somebody else."""
    causes = validate(call.kind, review)
    if causes:
        raise Invalid(call.kind, "", causes)
    spec = review["spec"]
    user = call.user if call.kind is SELF_SUBJECT_ACCESS_REVIEW else _user_in(spec)
    decision = authorizer.authorize(_attributes(user, spec))
    status: Object = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return {**review, "status": status}


def _user_in(spec: Object) -> User:
    extra = tuple((key, tuple(values)) for key, values in (spec.get("extra") or {}).items())
    return User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)


def _attributes(user: User, spec: Object) -> Attributes:
    path, resource = spec.get("nonResourceAttributes"), spec.get("resourceAttributes")
    if resource is None:
        path = path or {}
        return Attributes(user, path.get("verb", ""), path.get("path", ""), is_resource=False)
    return Attributes(
        user=user,
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        resource=resource.get("resource", ""),
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
        field_selector=_field_selector(resource.get("fieldSelector") or {}),
    )


def _field_selector(selector: Object) -> str:
    if selector.get("rawSelector"):
        return str(selector["rawSelector"])
    exact = [each for each in selector.get("requirements") or () if each.get("operator") == "In"]
    return ",".join(f"{each.get('key')}={each['values'][0]}" for each in exact if len(each.get("values") or ()) == 1)


def review_self(call: Call, review: Object) -> Object:
    """Answer a SelfSubjectReview: `kubectl auth whoami`."""
    return {
        **review,
        "kind": call.kind.name,
        "apiVersion": call.kind.api_version,
        "status": {"userInfo": call.user.to_dict()},
    }
