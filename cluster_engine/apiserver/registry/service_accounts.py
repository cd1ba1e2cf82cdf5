"""TokenRequest: how a kubelet (or `kubectl create token`) gets a token for a service account.

    POST …/serviceaccounts/default/token {spec: {expirationSeconds: 3607, boundObjectRef: {kind: Pod, …}}}
      ──►  201 {status: {token: "eyJ…", expirationTimestamp: …}}

Modelled on pkg/registry/core/serviceaccount/storage/token.go.
"""

from datetime import timedelta
from typing import Any

from cluster_engine.api.kinds import NODE, POD, SECRET, SERVICE_ACCOUNT, TOKEN_REQUEST
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, Cause, Conflict, Invalid, NotFound
from cluster_engine.api.time import rfc3339
from cluster_engine.apiserver.authentication.tokens import Grant, Signer, claims_for
from cluster_engine.apiserver.registry.backend import Backend, Call

SECONDS_DEFAULT = 3600
SECONDS_MIN = 600
SECONDS_MAX = 1 << 32
BOUND_KINDS: dict[str, Kind] = {"Pod": POD, "Node": NODE, "Secret": SECRET}


async def request_token(backend: Backend, signer: Signer, call: Call, request: Object) -> Object:
    """Make a token; give the TokenRequest with its status."""
    spec = dict(request.get("spec") or {})
    seconds = spec.get("expirationSeconds") or SECONDS_DEFAULT
    _check_seconds(seconds)
    account = await backend.find_surely(SERVICE_ACCOUNT, call.namespace, call.name)
    if account is None:
        raise NotFound(SERVICE_ACCOUNT, call.name)
    grant = Grant(
        namespace=call.namespace,
        account=call.name,
        account_uid=account["metadata"]["uid"],
        audiences=tuple(spec.get("audiences") or (signer.issuer,)),
        expiration_seconds=seconds,
        bound=await _bound(backend, call, spec.get("boundObjectRef") or {}),
    )
    claims = claims_for(grant, signer.issuer, call.now, backend.process.uuid())
    spec |= {"audiences": list(grant.audiences), "expirationSeconds": seconds}
    return {
        "kind": "TokenRequest",
        "apiVersion": TOKEN_REQUEST.api_version,
        "metadata": {
            "name": call.name,
            "namespace": call.namespace,
            "creationTimestamp": rfc3339(call.now),
        },
        "spec": spec,
        "status": {
            "token": signer.sign(claims),
            "expirationTimestamp": rfc3339(call.now + timedelta(seconds=seconds)),
        },
    }


def _check_seconds(seconds: Any) -> None:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise BadRequest("spec.expirationSeconds must be a number")
    why = ""
    if seconds < SECONDS_MIN:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > SECONDS_MAX:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        cause = Cause("spec.expirationSeconds", "FieldValueInvalid", f"Invalid value: {seconds}: {why}")
        raise Invalid(TOKEN_REQUEST, "", [cause])


async def _bound(backend: Backend, call: Call, reference: Object) -> dict[str, dict[str, str]]:
    if not reference:
        return {}
    kind = BOUND_KINDS.get(reference.get("kind", ""))
    if kind is None or reference.get("apiVersion", "") not in ("", kind.api_version):
        version = reference.get("apiVersion", "")
        what = f"{version if '/' in version else f'/{version}'}, Kind={reference.get('kind', '')}"
        raise BadRequest(f"cannot bind token for serviceaccount to object of type {what}")
    name = reference.get("name", "")
    found = await backend.find_surely(kind, call.namespace if kind.namespaced else "", name)
    if found is None:
        raise NotFound(kind, name)
    uid = found["metadata"]["uid"]
    if kind is POD and (found.get("spec") or {}).get("serviceAccountName") != call.name:
        quoted = f'cannot bind token for serviceaccount "{call.name}"'
        raise BadRequest(f"{quoted} to pod running with different serviceaccount name.")
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record ({uid})"
        raise Conflict(kind, name, f"{why}. The object might have been deleted and then recreated")
    bound = {kind.singular: {"name": name, "uid": uid}}
    node_name = (found.get("spec") or {}).get("nodeName") if kind is POD else None
    if node_name:
        node = backend.find(NODE, "", node_name)
        bound["node"] = {"name": node_name, "uid": node["metadata"]["uid"] if node else ""}
    return bound
