"""What the two subresources of a CertificateSigningRequest may change: `approval` conditions, `status` the rest.

    PUT …/approval    conditions, of any type; the certificate stays as it is
    PUT …/status      the certificate, once; conditions but for Approved and Denied

Whoever writes a condition need not date it. Modelled on pkg/registry/certificates/certificates/strategy.go.
"""

from cluster_engine.api.causes import forbidden, go
from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.certificates import APPROVED, DENIED, conditions
from cluster_engine.api.status import Invalid
from cluster_engine.api.time import rfc3339
from cluster_engine.apiserver.registry.backend import Call


def status(call: Call, new: Object, old: Object) -> Object:
    """Return the status to write; of any other kind that is the new one. 422 for what a subresource may not change."""
    wanted: Object = new.get("status") or {}
    if call.kind is not CERTIFICATE_SIGNING_REQUEST:
        return wanted
    before: Object = old.get("status") or {}
    if call.subresource == "approval":
        made = {key: value for key, value in before.items() if key != "conditions"}
        if wanted.get("conditions"):
            made["conditions"] = wanted["conditions"]
    else:
        made = dict(wanted)
        _keep_decisions(call, made, new, old)
    if made.get("conditions"):
        made["conditions"] = [_dated(each, before, rfc3339(call.now)) for each in made["conditions"]]
    return made


def _keep_decisions(call: Call, made: Object, new: Object, old: Object) -> None:
    """Keep Approved and Denied as they are written; refuse one that comes."""
    causes = []
    for type_ in (APPROVED, DENIED):
        known, wanted = conditions(old, type_), conditions(new, type_)
        if len(wanted) > len(known):
            causes.append(forbidden("status.conditions", f"updates may not add a condition of type {go(type_)}"))
        elif len(wanted) == len(known):
            kept = iter(known)
            made["conditions"] = [
                next(kept) if each.get("type") == type_ else each for each in made.get("conditions") or ()
            ]
    if causes:
        raise Invalid(call.kind, call.name, causes)


def _dated(condition: Object, before: Object, now: str) -> Object:
    """Fill in when a condition was written, and since when it is so."""
    same = [
        each["lastTransitionTime"]
        for each in before.get("conditions") or ()
        if (each.get("type"), each.get("status")) == (condition.get("type"), condition.get("status"))
        and each.get("lastTransitionTime")
    ]
    since = condition.get("lastTransitionTime") or (same[0] if same else now)
    return {**condition, "lastUpdateTime": condition.get("lastUpdateTime") or now, "lastTransitionTime": since}
