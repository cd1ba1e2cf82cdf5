"""Questions as resources: who am I, may I, may they, what may I, whose token is this. Nothing of it is stored.

    POST selfsubjectaccessreviews {spec: {resourceAttributes: {verb: create, resource: pods, namespace: default}}}
      ──►  201 {status: {allowed: true, reason: "RBAC: allowed by …"}}

Modelled on pkg/registry/authorization and pkg/registry/authentication/selfsubjectreview.
"""

from collections.abc import Callable

import msgspec

from cluster_engine.api.kinds import (
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
    TOKEN_REVIEW,
)
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Cause, Invalid
from cluster_engine.api.validation import validate
from cluster_engine.apiserver.authentication.bootstrap import BearerTokens
from cluster_engine.apiserver.authentication.tokens import ISSUER, BadToken
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain
from cluster_engine.apiserver.authorization.rbac import RBAC
from cluster_engine.apiserver.registry.backend import Call


class Reviewers(msgspec.Struct, frozen=True):
    """Who knows the answers."""

    authorizer: Chain
    rbac: RBAC
    tokens: BearerTokens


async def review(reviewers: Reviewers, call: Call, asked: Object) -> Object:
    """Answer a review: give it back with its status."""
    asked = {name: value for name, value in asked.items() if name != "status"}  # a Go client always sends an empty one
    causes = validate(call.kind, asked)
    if causes:
        raise Invalid(call.kind, "", causes)
    if call.kind in ABOUT_ACCESS:  # somebody elsewhere may have to be asked
        spec = asked.get("spec") or {}
        await reviewers.authorizer.ask(_attributes(_subject(call, spec), spec))
    return {**asked, "status": ANSWERS[call.kind](reviewers, call, asked.get("spec") or {})}


def _access(reviewers: Reviewers, call: Call, spec: Object) -> Object:
    decision = reviewers.authorizer.authorize(_attributes(_subject(call, spec), spec))
    denied = {"denied": True} if decision.denied else {}
    return {"allowed": decision.allowed, **denied} | ({"reason": decision.reason} if decision.reason else {})


def _subject(call: Call, spec: Object) -> User:
    return call.user if call.kind is SELF_SUBJECT_ACCESS_REVIEW else _user_in(spec)


def _local_access(reviewers: Reviewers, call: Call, spec: Object) -> Object:
    resource = spec.get("resourceAttributes")
    if resource is None or resource.get("namespace") != call.namespace:
        text = f'Invalid value: "{(resource or {}).get("namespace", "")}": must match metadata.namespace'
        raise Invalid(call.kind, "", [Cause("spec.resourceAttributes.namespace", "FieldValueInvalid", text)])
    return _access(reviewers, call, spec)


def _rules(reviewers: Reviewers, call: Call, spec: Object) -> Object:
    if not spec.get("namespace"):
        raise BadRequest("no namespace on request")
    found = reviewers.rbac.rules_for(call.user, spec["namespace"])
    status: Object = {
        "resourceRules": [rule for rule in found if "resources" in rule],
        "nonResourceRules": [rule for rule in found if "nonResourceURLs" in rule],
        "incomplete": call.user.node is not None,
    }
    if call.user.node is not None:
        status["evaluationError"] = "node authorizer does not support user rule resolution"
    return status


def _self(reviewers: Reviewers, call: Call, spec: Object) -> Object:
    return {"userInfo": call.user.to_dict()}


def _token(reviewers: Reviewers, call: Call, spec: Object) -> Object:
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    wanted = spec.get("audiences") or [ISSUER]
    try:
        user = reviewers.tokens.user(spec["token"], call.now)
    except BadToken as bad:
        return {"user": {}, "error": str(bad)}
    if ISSUER not in wanted:
        return {"user": {}, "error": f'token audiences ["{ISSUER}"] is invalid for the target audiences {wanted}'}
    return {"authenticated": True, "user": user.to_dict(), "audiences": [ISSUER]}


ANSWERS: dict[Kind, Callable[[Reviewers, Call, Object], Object]] = {
    SELF_SUBJECT_ACCESS_REVIEW: _access,
    SUBJECT_ACCESS_REVIEW: _access,
    LOCAL_SUBJECT_ACCESS_REVIEW: _local_access,
    SELF_SUBJECT_RULES_REVIEW: _rules,
    SELF_SUBJECT_REVIEW: _self,
    TOKEN_REVIEW: _token,
}


ABOUT_ACCESS = (SELF_SUBJECT_ACCESS_REVIEW, SUBJECT_ACCESS_REVIEW, LOCAL_SUBJECT_ACCESS_REVIEW)


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
