"""`kubectl wait`: GET, then watch by name until a condition holds.

    wait --for=condition=Ready pod/web-0 --timeout=60s        wait --for=delete pod/web-0
    wait --for=jsonpath='{.status.phase}'=Running pod/web-0   wait --for=create pod/web-0, looked for every half second

Modelled on kubectl/pkg/cmd/wait.
"""

import asyncio
import re
from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.programs.kubectl import errors, jsonpath, output
from cluster_engine.programs.kubectl.arguments import SELECTION_FLAGS, UNSAID, Target, selected
from cluster_engine.programs.kubectl.delete import Doomed, wait_until_gone
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session

FLAGS = (
    Flag("for", default=""),
    Flag("timeout", kind="duration", default=30.0),
    Flag("all-namespaces", "A", "bool"),
    Flag("field-selector", default=""),
    Flag("local", kind="bool"),
    *SELECTION_FLAGS,
    *output.FLAGS,
)
LOOK_SECONDS = 0.5
WEEK_SECONDS = 168 * 3600.0
NO_VALUE = "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
NO_PATH = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
_PATH = re.compile(r"\{\.?[^{}]+\}|\.?[^{}]+")
Holds = Callable[[Object], bool]


async def run(session: Session, arguments: list[str]) -> int:
    """Wait for objects."""
    wanted_for = session.flags["for"]
    if wanted_for.lower() not in ("delete", "create"):
        _condition(wanted_for)
    found = await selected(session, arguments, UNSAID)
    if not found:
        raise CommandError("no matching resources found")
    if wanted_for.lower() == "delete":
        found = [target for target in found if await _is_there(session, target)]
    code = 0
    for target in found:
        label = target.resource.label(str(target.name))
        try:
            obj = await _within(session, target, wanted_for)
        except NotFound as refusal:
            session.err(f"{errors.refusal_text(refusal)}\n")
            code = 1
            continue
        output.tell(session, label, obj, "condition met", dry="")
    return code


async def _within(session: Session, target: Target, wanted_for: str) -> Object:
    """Wait for one object as long as --timeout says: 0 looks once, less than 0 waits for a week."""
    seconds = session.flags["timeout"]
    if seconds == 0 and wanted_for.lower() not in ("delete", "create"):
        obj: Object = await session.get(target.path(session))
        if not _condition(wanted_for)(obj):
            raise CommandError(f"condition not met for {target.resource.plural}/{target.name}")
        return obj
    try:
        async with asyncio.timeout(WEEK_SECONDS if seconds < 0 else seconds):
            return await _wait(session, target, wanted_for)
    except TimeoutError as error:
        on = "" if wanted_for.lower() == "create" else f" on {target.resource.plural}/{target.name}"
        raise CommandError(f"timed out waiting for the condition{on}") from error


async def _is_there(session: Session, target: Target) -> bool:
    try:
        await session.get(target.path(session))
    except NotFound:
        return False
    return True


async def _wait(session: Session, target: Target, wanted: str) -> Object:
    """Wait until it is so; give the object as it was last seen."""
    namespace = (target.namespace or session.namespace) if target.resource.namespaced else None
    there: Object = {"kind": target.resource.kind, "apiVersion": target.resource.api_version, "metadata": {}}
    if wanted.lower() == "delete":
        try:
            there = await session.get(target.resource.path(namespace, target.name))
        except NotFound:
            return there
        await wait_until_gone(session, Doomed(target.resource, namespace, str(target.name), there["metadata"]["uid"]))
        return there
    if wanted.lower() == "create":
        while not await _is_there(session, target):  # noqa: ASYNC110, nothing tells of what is not there
            await asyncio.sleep(LOOK_SECONDS)  # the real one looks again and again, too
        return dict(await session.get(target.path(session)))
    holds = _condition(wanted)
    await session.get(target.resource.path(namespace, target.name))
    path, selector = target.resource.path(namespace), f"metadata.name={target.name}"
    while True:
        listed = await session.get(path, {"fieldSelector": selector, "resourceVersion": "0"})
        for item in listed["items"]:
            if holds(item):
                return {**there, **item}
        query: Params = {"fieldSelector": selector, "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with session.watch(path, query) as events:
            async for type_, obj in events:
                if type_ == "DELETED":
                    raise CommandError("the object has been deleted")
                if holds(obj):
                    return obj


def _condition(wanted: str) -> Holds:
    kind, _, rest = wanted.partition("=")
    if kind == "condition" and rest:
        name, _, value = rest.partition("=")
        value = (value or "true").lower()

        def holds(obj: Object) -> bool:
            conditions = (obj.get("status") or {}).get("conditions") or []
            return any(c["type"].lower() == name.lower() and c["status"].lower() == value for c in conditions)

        return holds
    if wanted.lower().startswith("jsonpath="):
        return _reads(wanted[len("jsonpath=") :])
    raise CommandError(f'unrecognized condition: "{wanted}"')


def _reads(text: str) -> Holds:
    """Read what is behind `jsonpath=`: a path, and perhaps the value that it is to lead to. CommandError."""
    path, equals, value = _parted(text)
    if not path:
        raise CommandError("jsonpath expression cannot be empty")
    if equals and not value:
        raise CommandError(NO_VALUE)
    if not _PATH.fullmatch(path):
        raise CommandError(NO_PATH)
    relaxed = jsonpath.relaxed(path)

    def reads(obj: Object) -> bool:
        found = jsonpath.find(relaxed, obj)
        if len(found) > 1:
            raise CommandError("given jsonpath expression matches more than one value")
        if not equals:
            return bool(found)
        if found and isinstance(found[0], dict | list):
            raise CommandError("jsonpath leads to a nested object or list which is not supported")
        return any(jsonpath.show(one) == value for one in found)

    return reads


def _parted(text: str) -> tuple[str, str, str]:
    """Split a path from the value behind it; an equals sign within braces is the path's."""
    closing = text.rfind("}") if text.startswith("{") else -1
    if closing < 0:
        return text.partition("=")
    path, rest = text[: closing + 1], text[closing + 1 :]
    return path, rest[:1], rest[1:].strip("\"'")
