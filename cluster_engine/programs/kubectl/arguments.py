"""Which objects a command is about: TYPE, TYPE NAME…, TYPE/NAME…, TYPE,TYPE, or the manifests after -f.

    pods                       all pods                     pods a b         two of them
    deploy/web svc/web         two objects of two kinds     deploy,rs        all of two kinds
    all                        every kind of the category   -f web.yaml      what the file says

Modelled on cli-runtime's resource builder.
"""

from dataclasses import dataclass

from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

NO_NAME = "resource name may not be empty"
NOTHING_GIVEN = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


@dataclass(frozen=True, slots=True)
class Target:
    """A resource, and the name of one object of it; None: all of them."""

    resource: Resource
    name: str | None


async def targets(session: Session, arguments: list[str]) -> list[Target]:
    """Read the arguments of a command. CommandError in kubectl's words."""
    if not arguments:
        raise CommandError(NOTHING_GIVEN)
    if any("/" in argument for argument in arguments):
        return [await _slashed(session, argument) for argument in arguments]
    kinds = await _kinds(session, arguments[0])
    if not kinds:
        raise CommandError('the server doesn\'t have a resource type ""')
    if "" in arguments[1:]:
        raise CommandError(NO_NAME)
    names: list[str | None] = list(arguments[1:]) or [None]
    return [Target(resource, name) for resource in kinds for name in names]


async def one(session: Session, arguments: list[str]) -> Target:
    """Read the arguments of a command that is about one named object."""
    found = await targets(session, arguments)
    if found[0].name is None:
        raise CommandError("resource(s) were provided, but no name was specified")
    return found[0]


async def named(session: Session, arguments: list[str]) -> list[Target]:
    """Read the arguments of a command that is about named objects."""
    found = await targets(session, arguments)
    if any(target.name is None for target in found):
        raise CommandError("resource(s) were provided, but no name was specified")
    return found


async def _slashed(session: Session, argument: str) -> Target:
    kind, slash, name = argument.partition("/")
    if not slash:
        raise CommandError(
            "there is no need to specify a resource type as a separate argument when passing arguments in "
            "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
            "'kubectl get resource resource/<resource_name>'"
        )
    if "/" in name:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if not kind or not name:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return Target(await discovery.find(session, kind), name)


async def _kinds(session: Session, text: str) -> list[Resource]:
    found: dict[Resource, None] = {}
    for name in text.split(","):
        if not name:
            continue
        category = await discovery.of_category(session, name) if name == "all" else []
        for resource in category or [await discovery.find(session, name)]:
            found[resource] = None
    return list(found)
