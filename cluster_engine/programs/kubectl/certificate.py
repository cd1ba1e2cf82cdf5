"""`kubectl certificate approve` and `deny`: what a person decides about a signing request.

    approve anna     GET csr/anna; GET csr/anna; PUT csr/anna/approval {conditions: [{type: Approved, …}]}

What is decided already is left as it is, unless --force; what was decided otherwise stays so. Modelled on
kubectl/pkg/cmd/certificates/certificates.go (there the second GET is that of the typed client).
"""

from collections.abc import Sequence

from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict
from cluster_engine.api.time import rfc3339
from cluster_engine.programs.kubectl import discovery, output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, Target, named, of_files
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (*FILE_FLAGS, *output.FLAGS, Flag("force", kind="bool"))
TRIES_MAX = 10
APPROVED, DENIED = "Approved", "Denied"


async def approve(session: Session, arguments: list[str]) -> int:
    """Approve signing requests."""
    return await _decide(session, arguments, APPROVED, DENIED, "approve")


async def deny(session: Session, arguments: list[str]) -> int:
    """Deny signing requests."""
    return await _decide(session, arguments, DENIED, APPROVED, "deny")


async def _decide(session: Session, arguments: Sequence[str], type_: str, other: str, verb: str) -> int:
    if not arguments and not session.flags["filename"]:
        raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
    found = await of_files(session)
    if arguments:
        resource = await discovery.find(session, CERTIFICATE_SIGNING_REQUEST.plural)
        for name in arguments:
            found += await named(session, [name]) if "/" in name else [Target(resource, name)]
    for target in found:
        if target.resource.plural != CERTIFICATE_SIGNING_REQUEST.plural:
            wanted = CERTIFICATE_SIGNING_REQUEST
            got = ".".join(filter(None, (target.resource.kind, target.resource.group)))
            raise CommandError(f"can only handle {wanted.name}.{wanted.group} objects, got {got}")
        seen = await session.get(target.path(session))
        await _change(session, target, type_, other, verb)
        output.tell(session, target.resource.label(str(target.name)), seen, type_.lower(), dry="")
    return 0


async def _change(session: Session, target: Target, type_: str, other: str, verb: str) -> None:
    """Write a decision, again when somebody else was faster."""
    for tries in range(TRIES_MAX + 1):
        obj = await session.get(target.path(session))
        conditions = (obj.get("status") or {}).get("conditions") or []
        types = [each.get("type") for each in conditions]
        if other in types:
            raise CommandError(f'certificate signing request "{target.name}" is already {other}')
        if type_ in types and not session.flags["force"]:
            return
        if type_ not in types:
            conditions = [*conditions, _decision(session, type_, verb)]
        wanted = {**obj, "status": {**(obj.get("status") or {}), "conditions": conditions}}
        try:
            await session.request("PUT", target.path(session, "approval"), body=wanted)
        except Conflict:
            if tries == TRIES_MAX:
                raise
        else:
            return


def _decision(session: Session, type_: str, verb: str) -> Object:
    return {
        "type": type_,
        "status": "True",
        "reason": f"Kubectl{verb.title()}",
        "message": f"This CSR was {type_.lower()} by kubectl certificate {verb}.",
        "lastUpdateTime": rfc3339(session.process.now()),
        "lastTransitionTime": None,
    }
