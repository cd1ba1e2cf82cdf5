"""`kubectl scale`: GET the object, PATCH its scale.

    PATCH …/deployments/web/scale {"spec": {"replicas": 5}}

Modelled on kubectl/pkg/cmd/scale. Left out: --timeout.
"""

from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import SELECTION_FLAGS, UNSAID, Target, selected
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("replicas", kind="int"),
    Flag("current-replicas", kind="int", default=-1),
    Flag("resource-version", default=""),
    Flag("timeout", kind="duration", default=0.0),
    *SELECTION_FLAGS,
    *output.FLAGS,
    output.DRY_RUN,
)


async def run(session: Session, arguments: list[str]) -> int:
    """Set the number of replicas."""
    replicas = session.flags["replicas"]
    if replicas is None:
        raise CommandError('required flag(s) "replicas" not set')
    if replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    for target in await selected(session, arguments, UNSAID):
        await _scale(session, target, replicas)
    return 0


async def _scale(session: Session, target: Target, replicas: int) -> None:
    resource, flags = target.resource, session.flags
    try:
        obj = await session.get(target.path(session))
    except Refusal as refusal:
        if refusal.code == 404:
            raise CommandError(f"no objects passed to scale {refusal.message}") from refusal
        raise
    expected, version = flags["current-replicas"], flags["resource-version"]
    actual, found = (obj.get("spec") or {}).get("replicas", 0), obj["metadata"].get("resourceVersion")
    if not output.is_client_dry_run(session):
        if expected >= 0 and actual != expected:
            raise CommandError(f"Expected replicas to be {expected}, was {actual}")
        if version and version != found:
            raise CommandError(f"Expected resource version to be {version}, was {found}")
        server = flags["dry-run"] == "server"
        patch = {"spec": {"replicas": replicas}}
        await session.patch(target.path(session, "scale"), patch, type_="merge", dry_run=server)
    output.tell(session, resource.label(str(target.name)), obj, "scaled")
