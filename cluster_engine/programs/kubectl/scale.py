"""`kubectl scale`: GET the object, PATCH its scale.

    PATCH …/deployments/web/scale {"spec": {"replicas": 5}}

Modelled on kubectl/pkg/cmd/scale. Left out: --timeout.
"""

from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl.arguments import NOTHING_GIVEN, Target, targets
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Session

FLAGS = (
    Flag("replicas", kind="int"),
    Flag("current-replicas", kind="int", default=-1),
    Flag("resource-version", default=""),
    Flag("filename", "f", "strings"),
    Flag("all", kind="bool"),
    Flag("selector", "l", default=""),
)


async def run(session: Session, arguments: list[str]) -> int:
    """Set the number of replicas."""
    replicas = session.flags["replicas"]
    if replicas is None:
        raise CommandError('required flag(s) "replicas" not set')
    if replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    for target in await _wanted(session, arguments):
        await _scale(session, target, replicas)
    return 0


async def _wanted(session: Session, arguments: list[str]) -> list[Target]:
    wanted = [
        Target(await resource_of(session, manifest), manifest.name)
        for manifest in list(read_manifests(session, session.flags["filename"]))
    ]
    if not arguments and not wanted:
        raise CommandError(NOTHING_GIVEN)
    for target in await targets(session, arguments) if arguments else []:
        if target.name is not None:
            wanted.append(target)
            continue
        if not session.flags["all"] and not session.flags["selector"]:
            raise CommandError("resource(s) were provided, but no name was specified")
        query = {"labelSelector": session.flags["selector"] or None, "limit": 500}
        listed = await session.get(target.resource.path(session.namespace), query)
        wanted += [Target(target.resource, item["metadata"]["name"]) for item in listed["items"]]
    return wanted


async def _scale(session: Session, target: Target, replicas: int) -> None:
    resource, name = target.resource, target.name
    try:
        obj = await session.get(resource.path(session.namespace, name))
    except Refusal as refusal:
        if refusal.code == 404:
            raise CommandError(f"no objects passed to scale {refusal.message}") from refusal
        raise
    expected = session.flags["current-replicas"]
    actual = (obj.get("spec") or {}).get("replicas", 0)
    if expected >= 0 and actual != expected:
        raise CommandError(f"Expected replicas to be {expected}, was {actual}")
    path = resource.path(session.namespace, name, "scale")
    await session.patch(path, {"spec": {"replicas": replicas}}, type_="merge")
    session.out(f"{resource.label(str(name))} scaled\n")
