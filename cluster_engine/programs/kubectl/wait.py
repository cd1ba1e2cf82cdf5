"""`kubectl wait`: GET, then watch by name until a condition holds; and `kubectl events`.

    wait --for=condition=Ready pod/web-0 --timeout=60s        wait --for=delete pod/web-0
    wait --for=jsonpath='{.status.phase}'=Running pod/web-0   wait --for=create pod/web-0, looked for every half second

Modelled on kubectl/pkg/cmd/{wait,events}.
"""

import asyncio
from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.api.status import NotFound
from cluster_engine.programs.kubectl import jsonpath
from cluster_engine.programs.kubectl.arguments import Target, targets
from cluster_engine.programs.kubectl.delete import Doomed, wait_until_gone
from cluster_engine.programs.kubectl.describe.lines import Lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session
from cluster_engine.programs.kubectl.tabwriter import layout

FLAGS = (
    Flag("for", default=""),
    Flag("timeout", kind="duration", default=30.0),
    Flag("selector", "l", default=""),
    Flag("all", kind="bool"),
)
EVENTS_FLAGS = (Flag("all-namespaces", "A", "bool"), Flag("for", default=""), Flag("types", default=""))
LOOK_SECONDS = 0.5
Holds = Callable[[Object], bool]


async def run(session: Session, arguments: list[str]) -> int:
    """Wait for objects."""
    wanted_for = session.flags["for"]
    found = await _expanded(session, await targets(session, arguments))
    if not found:
        raise CommandError("no matching resources found")
    if wanted_for.lower() == "delete":
        found = [target for target in found if await _is_there(session, target)]
    for target in found:
        label = target.resource.label(str(target.name))
        try:
            async with asyncio.timeout(session.flags["timeout"] or None):
                await _wait(session, target, wanted_for)
        except TimeoutError as error:
            on = "" if wanted_for.lower() == "create" else f" on {target.resource.plural}/{target.name}"
            raise CommandError(f"timed out waiting for the condition{on}") from error
        session.out(f"{label} condition met\n")
    return 0


async def _expanded(session: Session, found: list[Target]) -> list[Target]:
    expanded = []
    for target in found:
        if target.name is not None:
            expanded.append(target)
            continue
        query = {"labelSelector": session.flags["selector"] or None, "limit": 500}
        listed = await session.get(target.resource.path(_namespace(session, target)), query)
        expanded += [Target(target.resource, item["metadata"]["name"]) for item in listed["items"]]
    return expanded


async def _is_there(session: Session, target: Target) -> bool:
    try:
        await session.get(target.resource.path(_namespace(session, target), target.name))
    except NotFound:
        return False
    return True


def _namespace(session: Session, target: Target) -> str | None:
    return session.namespace if target.resource.namespaced else None


async def _wait(session: Session, target: Target, wanted: str) -> None:
    namespace = _namespace(session, target)
    if wanted.lower() == "delete":
        try:
            there = await session.get(target.resource.path(namespace, target.name))
        except NotFound:
            return
        await wait_until_gone(session, Doomed(target.resource, namespace, str(target.name), there["metadata"]["uid"]))
        return
    if wanted.lower() == "create":
        while not await _is_there(session, target):  # noqa: ASYNC110, nothing tells of what is not there
            await asyncio.sleep(LOOK_SECONDS)  # the real one looks again and again, too
        return
    holds = _condition(wanted)
    await session.get(target.resource.path(namespace, target.name))
    path, selector = target.resource.path(namespace), f"metadata.name={target.name}"
    while True:
        listed = await session.get(path, {"fieldSelector": selector, "resourceVersion": "0"})
        if any(holds(item) for item in listed["items"]):
            return
        query: Params = {"fieldSelector": selector, "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with session.watch(path, query) as events:
            async for type_, obj in events:
                if type_ == "DELETED":
                    raise CommandError("the object has been deleted")
                if holds(obj):
                    return


def _condition(wanted: str) -> Holds:
    kind, _, rest = wanted.partition("=")
    if kind == "condition" and rest:
        name, _, value = rest.partition("=")
        value = (value or "true").lower()

        def holds(obj: Object) -> bool:
            conditions = (obj.get("status") or {}).get("conditions") or []
            return any(c["type"].lower() == name.lower() and c["status"].lower() == value for c in conditions)

        return holds
    if kind == "jsonpath" and rest:
        path, equals, value = rest.rpartition("=") if "}=" in rest else (rest, "", "")
        relaxed = jsonpath.relaxed(path)

        def reads(obj: Object) -> bool:
            found = jsonpath.find(relaxed, obj)
            return any(jsonpath.show(each) == value for each in found) if equals else bool(found)

        return reads
    raise CommandError(f'unrecognized condition: "{wanted}"')


async def events(session: Session, _: list[str]) -> int:
    """List events, the latest last."""
    flags = session.flags
    path = "/api/v1/events" if flags["all-namespaces"] else f"/api/v1/namespaces/{session.namespace}/events"
    selector = None
    if flags["for"]:
        target = (await targets(session, [flags["for"]]))[0]
        selector = f"involvedObject.kind={target.resource.kind},involvedObject.name={target.name}"
    listed = (await session.get(path, {"fieldSelector": selector, "limit": 500}))["items"]
    kinds = [kind.lower() for kind in flags["types"].split(",") if kind]
    shown = [event for event in listed if not kinds or event["type"].lower() in kinds]
    if not shown:
        where = "" if flags["all-namespaces"] else f" in {session.namespace} namespace"
        session.err(f"No events found{where}.\n")
        return 0
    lines = Lines(session.process.now())
    rows = ["LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE"]
    for event in sorted(shown, key=lambda event: event.get("lastTimestamp") or ""):
        about = event["involvedObject"]
        seen = lines.since(event.get("lastTimestamp") or event.get("eventTime"))
        if event.get("count", 1) > 1:
            seen += f" (x{event['count']} over {lines.since(event.get('firstTimestamp'))})"
        rows.append(
            f"{seen}\t{event['type']}\t{event['reason']}\t{about['kind']}/{about['name']}\t{event['message'].strip()}"
        )
    if flags["all-namespaces"]:
        rows = [f"NAMESPACE\t{rows[0]}"] + [
            f"{event['metadata']['namespace']}\t{row}"
            for event, row in zip(
                sorted(shown, key=lambda event: event.get("lastTimestamp") or ""), rows[1:], strict=True
            )
        ]
    session.out(layout("".join(f"{row}\n" for row in rows), minimum=6, padding=3))
    return 0
