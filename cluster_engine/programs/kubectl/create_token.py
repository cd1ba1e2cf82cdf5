"""`kubectl create token`: a service account's token, perhaps bound to a pod, secret or node, with which it ends.

    create token default --duration=10m                POST …/serviceaccounts/default/token

Modelled on kubectl/pkg/cmd/create/create_token.go.
"""

from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.api.resource import segment
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    *output.FLAGS,
    Flag("audience", kind="strings"),
    Flag("duration", kind="duration", default=0.0),
    Flag("bound-object-kind", default=""),
    Flag("bound-object-name", default=""),
    Flag("bound-object-uid", default=""),
)
BOUND_TO = ("Node", "Pod", "Secret")


async def token(session: Session, arguments: list[str]) -> int:
    """Ask for a service account's token, and print it."""
    flags = session.flags
    if len(arguments) != 1:
        hint = "See 'kubectl create token -h' for help and examples"
        raise CommandError(f"exactly one NAME is required, got {len(arguments)}\n{hint}")
    if flags["duration"] < 0:
        raise CommandError("--duration must be greater than or equal to 0")
    if flags["duration"] % 1:
        raise CommandError("--duration cannot be expressed in units less than seconds")
    spec: Object = {"audiences": flags["audience"] or None}
    if bound := _bound(session):
        spec["boundObjectRef"] = bound
    if flags["duration"]:
        spec["expirationSeconds"] = int(flags["duration"])
    path = f"/api/v1/namespaces/{session.namespace}/serviceaccounts/{segment(arguments[0])}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        answer: Any = await session.request("POST", path, body=request)
    except Refusal as refusal:
        raise CommandError(f"failed to create token: {refusal.message}") from refusal
    show = output.printer(session, for_get=True)
    session.out(show(answer) if show else answer["status"]["token"])
    return 0


def _bound(session: Session) -> Object:
    """Return what the token is to end with. CommandError."""
    kind, name, uid = (session.flags[f"bound-object-{what}"] for what in ("kind", "name", "uid"))
    if not kind:
        for what, given in (("name", name), ("uid", uid)):
            if given:
                raise CommandError(f"--bound-object-{what} can only be set if --bound-object-kind is provided")
        return {}
    if kind not in BOUND_TO:
        raise CommandError(f"supported --bound-object-kind values are {', '.join(BOUND_TO)}")
    if not name:
        raise CommandError("--bound-object-name is required if --bound-object-kind is provided")
    return {"kind": kind, "apiVersion": "v1", "name": name, **({"uid": uid} if uid else {})}
