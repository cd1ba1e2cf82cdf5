"""Who may ask for certificates in whose name, and who may approve and sign.

Theory of operation. A request says who made it: the API server writes that, whatever its author wrote. Approving is a
right of its own beside that to update `certificatesigningrequests/approval`: the verb `approve` on the resource
`signers` with the signer's name, or with its domain and a star; `sign` likewise for whoever issues.

    approve on signers kubernetes.io/kube-apiserver-client     this signer's requests
    approve on signers kubernetes.io/*                         those of all signers of that domain

Modelled on plugin/pkg/admission/certificates/{approval,signing,subjectrestriction} and certificates/strategy.go.
"""

from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.certificates import CLIENT_SIGNER, organizations, request_of
from cluster_engine.api.status import Forbidden
from cluster_engine.apiserver.authentication.users import PRIVILEGED_GROUP, User
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain
from cluster_engine.apiserver.registry.backend import Call


def admit(call: Call, new: Object) -> None:
    """Write who asks; refuse who asks the API server's signer for a certificate of the group that may do everything."""
    spec = {key: value for key, value in (new.get("spec") or {}).items() if key not in ("uid", "groups", "extra")}
    who = call.user.to_dict()
    new["spec"] = spec | who
    if spec.get("signerName") != CLIENT_SIGNER:
        return
    try:
        request = request_of(new)
    except ValueError:
        return  # validation will say so
    if PRIVILEGED_GROUP in organizations(request.subject):
        raise _no(call, f"use of {CLIENT_SIGNER} signer with {PRIVILEGED_GROUP} group is not allowed")


def admit_update(authorizer: Chain, call: Call, new: Object, old: Object) -> None:
    """Refuse who approves or signs and may not."""
    signer = (old.get("spec") or {}).get("signerName") or ""
    if call.subresource == "approval" and not _may(authorizer, call.user, "approve", signer):
        raise _no(call, f'user not permitted to approve requests with signerName "{signer}"')
    if (
        call.subresource == "status"
        and _decided(new) != _decided(old)
        and not _may(authorizer, call.user, "sign", signer)
    ):
        raise _no(call, f'user not permitted to sign requests with signerName "{signer}"')


def _decided(obj: Object) -> tuple[object, object]:
    status = obj.get("status") or {}
    return status.get("certificate"), status.get("conditions") or []


def _may(authorizer: Chain, user: User, verb: str, signer: str) -> bool:
    names = (signer, f"{signer.partition('/')[0]}/*")
    group = CERTIFICATE_SIGNING_REQUEST.group
    asked = (Attributes(user, verb, group=group, resource="signers", name=name) for name in names)
    return any(authorizer.authorize(each).allowed for each in asked)


def _no(call: Call, why: str) -> Forbidden:
    return Forbidden.because(call.kind, call.name, why)
