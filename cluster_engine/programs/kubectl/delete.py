"""`kubectl delete`: ask for the end of objects, and wait until they are gone.

    DELETE …/pods/web-0 {"propagationPolicy": "Background"}
    GET …/pods/web-0                     404: gone
    LIST and WATCH by name               until DELETED, or another object has that name

Modelled on kubectl/pkg/cmd/delete and cmd/wait. Left out: --cascade without a word.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound, Refusal
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.arguments import NOTHING_GIVEN, Target, targets
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import namespace_of, read_manifests, resource_of
from cluster_engine.programs.kubectl.session import Params, Session
from cluster_engine.programs.streams import read_line

FLAGS = (
    Flag("filename", "f", "strings"),
    Flag("selector", "l", default=""),
    Flag("field-selector", default=""),
    Flag("all", kind="bool"),
    Flag("all-namespaces", "A", "bool"),
    Flag("force", kind="bool"),
    Flag("now", kind="bool"),
    Flag("grace-period", kind="int", default=-1),
    Flag("wait", kind="bool", default=True),
    Flag("timeout", kind="duration", default=0.0),
    Flag("ignore-not-found", kind="bool"),
    Flag("cascade", default="background", without_value="background"),
    Flag("interactive", "i", "bool"),
    Flag("output", "o", default=""),
    output.DRY_RUN,
)
ANSWER_BYTES_MAX = 4096
POLICIES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan", "true": "Background"}
POLICIES["false"] = "Orphan"
FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The "
    "resource may continue to run on the cluster indefinitely.\n"
)


class Doomed(msgspec.Struct, frozen=True):
    """An object to be deleted; `uid` is known once the server has been asked."""

    resource: Resource
    namespace: str | None
    name: str
    uid: str = ""

    @property
    def path(self) -> str:
        """Where it is."""
        return self.resource.path(self.namespace, self.name)


async def run(session: Session, arguments: list[str]) -> int:
    """Delete objects."""
    options, force = _options(session)
    found, code = await _find(session, arguments)
    if force and found:
        session.err(FORCED)
    if session.flags["interactive"] and found and not await _confirmed(session, found):
        session.out("deletion is cancelled\n")
        return 0
    deleted: list[Doomed] = []
    dry = session.flags["dry-run"]
    if dry == "server":
        options["dryRun"] = ["All"]
    for doomed in found:
        try:
            if dry == "client":
                answer = await session.get(doomed.path)
            else:
                answer = await session.delete(doomed.path, options)
        except Refusal as refusal:
            if not (isinstance(refusal, NotFound) and session.flags["ignore-not-found"]):
                session.err(f"{errors.refusal_text(refusal)}\n")
                code = 1
            continue
        _tell(session, doomed, force=force)
        deleted.append(Doomed(doomed.resource, doomed.namespace, doomed.name, _uid(answer)))
    if session.flags["wait"] and not force and dry == "none":
        session.take_another_client()
        await _wait_for_all(session, deleted)
    return code


async def _confirmed(session: Session, found: Sequence[Doomed]) -> bool:
    """Show what is to be deleted and ask whether it is meant."""
    session.out(f"You are about to delete the following {len(found)} resource(s):\n")
    session.out("".join(f"{one.resource.label(one.name)}\n" for one in found))
    session.out("Do you want to continue? (y/n): ")
    answer = await read_line(session.streams.stdin, ANSWER_BYTES_MAX)
    return answer is not None and answer.strip().lower() == b"y"


def _options(session: Session) -> tuple[Object, bool]:
    flags = session.flags
    policy = POLICIES.get(flags["cascade"])
    if policy is None:
        raise CommandError(
            f'invalid cascade value ({flags["cascade"]}). Must be "background", "foreground", or "orphan"'
        )
    grace, force = flags["grace-period"], flags["force"]
    if flags["now"]:
        if "grace-period" in flags:
            raise CommandError("--now and --grace-period cannot be specified together")
        grace = 1
    if grace == 0 and not force:
        grace = 1  # the real one's rule: 0 is only for --force
    if force and grace < 0:
        grace = 0
    options: Object = {"propagationPolicy": policy}
    if grace >= 0:
        options["gracePeriodSeconds"] = grace
    return options, force and grace == 0


async def _find(session: Session, arguments: list[str]) -> tuple[list[Doomed], int]:
    """Find what is to be deleted: named objects as they are named, all others by a list."""
    flags = session.flags
    if flags["filename"]:
        found = []
        for manifest in list(read_manifests(session, flags["filename"])):
            resource = await resource_of(session, manifest)
            found.append(Doomed(resource, namespace_of(session, resource, manifest), manifest.name))
        return found, 0
    if not arguments:
        raise CommandError(NOTHING_GIVEN)
    wanted = await targets(session, arguments)
    if any(target.name for target in wanted):
        if flags["all"] or flags["selector"]:
            raise CommandError("name cannot be provided when a selector is specified")
        return [Doomed(t.resource, _namespace(session, t.resource), t.name or "") for t in wanted], 0
    if not flags["all"] and not flags["selector"] and not flags["field-selector"]:
        raise CommandError("resource(s) were provided, but no name was specified")
    if flags["all"] and flags["selector"]:
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    found = [doomed for target in wanted for doomed in await _list(session, target)]
    if not found:
        session.out("No resources found\n")
    return found, 0


async def _list(session: Session, target: Target) -> list[Doomed]:
    flags = session.flags
    namespace = None if flags["all-namespaces"] else _namespace(session, target.resource)
    query: Params = {
        "fieldSelector": flags["field-selector"] or None,
        "labelSelector": flags["selector"] or None,
        "limit": 500,
    }
    listed = await session.get(target.resource.path(namespace), query)
    items = [item["metadata"] for item in listed["items"]]
    return [Doomed(target.resource, item.get("namespace"), item["name"]) for item in items]


def _namespace(session: Session, resource: Resource) -> str | None:
    return session.namespace if resource.namespaced else None


def _tell(session: Session, doomed: Doomed, *, force: bool) -> None:
    if session.flags["output"] == "name":
        session.out(f"{doomed.resource.label(doomed.name)}\n")
        return
    kind = doomed.resource.label("").rstrip("/")
    dry = {"none": "", "server": " (server dry run)"}.get(session.flags["dry-run"], " (dry run)")
    session.out(f'{kind} "{doomed.name}" {"force deleted" if force else "deleted"}{dry}\n')


def _uid(answer: Object) -> str:
    """Read the uid from a Status's details or from the object that is on its way out."""
    if answer.get("kind") == "Status":
        return str((answer.get("details") or {}).get("uid", ""))
    return str((answer.get("metadata") or {}).get("uid", ""))


async def _wait_for_all(session: Session, deleted: Sequence[Doomed]) -> None:
    limit = session.flags["timeout"] or None
    try:
        async with asyncio.timeout(limit):
            for doomed in deleted:
                await wait_until_gone(session, doomed)
    except TimeoutError as error:
        if limit is None:
            raise
        raise CommandError("timed out waiting for the condition on " + _labels(deleted)) from error


def _labels(deleted: Sequence[Doomed]) -> str:
    return ", ".join(f"{doomed.resource.plural}/{doomed.name}" for doomed in deleted)


async def wait_until_gone(session: Session, doomed: Doomed) -> None:
    """Wait until there is no such object, or another one in its place."""
    try:
        there = await session.get(doomed.path)
    except NotFound:
        return
    if doomed.uid and there["metadata"]["uid"] != doomed.uid:
        return
    path = doomed.resource.path(doomed.namespace)
    selector = f"metadata.name={doomed.name}"
    while True:
        listed = await session.get(path, {"fieldSelector": selector, "limit": 500, "resourceVersion": "0"})
        if not any(doomed.uid in ("", item["metadata"]["uid"]) for item in listed["items"]):
            return
        seconds = 300 + session.process.rng.randrange(300)
        query: Params = {
            "allowWatchBookmarks": True,
            "fieldSelector": selector,
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": seconds,
        }
        async with session.watch(path, query) as events:
            async for type_, obj in events:
                if type_ == "DELETED" or (type_ == "ADDED" and obj["metadata"]["uid"] != doomed.uid):
                    return
