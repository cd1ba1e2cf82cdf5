"""Which objects a command is about: TYPE, TYPE NAME…, TYPE/NAME…, TYPE,TYPE, or the manifests after -f.

    pods                       all pods                     pods a b         two of them
    deploy/web svc/web         two objects of two kinds     deploy,rs        all of two kinds
    all                        every kind of the category   -f web.yaml      what the file says

Modelled on cli-runtime's resource builder.
"""

from collections.abc import Sequence

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Params, Session

NO_NAME = "resource name may not be empty"
NOTHING_GIVEN = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


FILE_FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("kustomize", "k", default=""),
    Flag("recursive", "R", "bool"),
)
SELECTION_FLAGS = (
    *FILE_FLAGS,
    Flag("all", kind="bool"),
    Flag("selector", "l", default=""),
)
CHANGE_FLAGS = (*SELECTION_FLAGS, Flag("local", kind="bool"))
LOCAL = """you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'"""
UNSAID = "resource(s) were provided, but no name was specified"
UNNAMED = "one or more resources must be specified as <resource> <name> or <resource>/<name>"
NO_KUSTOMIZE = "kustomize is not in this workstation's kubectl"


class Target(msgspec.Struct, frozen=True):
    """A resource, and the name of one object of it; None: all of them. `namespace` is one that it names itself."""

    resource: Resource
    name: str | None
    namespace: str | None = None

    def path(self, session: Session, subresource: str | None = None) -> str:
        """Return where it is."""
        namespace = (self.namespace or session.namespace) if self.resource.namespaced else None
        return self.resource.path(namespace, self.name, subresource)


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


async def of_files(session: Session) -> list[Target]:
    """Return the objects that the files after -f are about."""
    if session.flags["kustomize"]:
        raise CommandError(NO_KUSTOMIZE)
    found = []
    for manifest in list(read_manifests(session, session.flags["filename"])):
        resource = await resource_of(session, manifest)
        found.append(Target(resource, manifest.name, namespace_of(session, resource, manifest)))
    return found


async def selected(session: Session, arguments: Sequence[str], unnamed: str = UNNAMED) -> list[Target]:
    """Return what a command with SELECTION_FLAGS is about, each object by its name. CommandError.

    `unnamed` is said where a resource stands there without a name, and nothing selects.
    """
    flags = session.flags
    found = await of_files(session)
    if not arguments and found:
        return found
    everywhere = flags.values.get("all-namespaces", False)
    for target in await targets(session, list(arguments)):
        if target.name is not None:
            if flags["selector"]:
                raise CommandError("name cannot be provided when a selector is specified")
            found.append(target)
            continue
        fields = flags.values.get("field-selector", "")
        if not (flags["all"] or flags["selector"] or fields):
            raise CommandError(unnamed)
        namespace = None if everywhere or not target.resource.namespaced else session.namespace
        query: Params = {"fieldSelector": fields or None, "labelSelector": flags["selector"] or None, "limit": 500}
        listed = await session.get(target.resource.path(namespace), query)
        items = [item["metadata"] for item in listed["items"]]
        found += [Target(target.resource, item["name"], item.get("namespace")) for item in items]
    return found


class Subject(msgspec.Struct, frozen=True):
    """An object that a command is to change: as it is, how messages name it, and where it is (None: in a file only)."""

    obj: Object
    label: str
    target: Target | None


async def subjects(session: Session, arguments: Sequence[str], unnamed: str = UNNAMED) -> list[Subject]:
    """Read the objects that a command with CHANGE_FLAGS is to change; with --local the files are all there is."""
    if session.flags["local"]:
        if arguments or not session.flags["filename"]:
            raise CommandError(LOCAL)
        read = list(read_manifests(session, session.flags["filename"]))
        return [Subject(manifest.document, manifest.label, None) for manifest in read]
    found = await selected(session, arguments, unnamed)
    return [
        Subject(await session.get(target.path(session)), target.resource.label(str(target.name)), target)
        for target in found
    ]


async def named(session: Session, arguments: list[str]) -> list[Target]:
    """Read the arguments of a command that is about named objects."""
    found = await targets(session, arguments)
    if any(target.name is None for target in found):
        raise CommandError(UNSAID)
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
