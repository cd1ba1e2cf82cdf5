"""`kubectl events`: what happened, the latest last; with -w also what happens from now on.

    events                        LIST, sorted by when each was seen last
    events --for pod/web -w       WATCH with a field selector: those there are, then each as it comes

Modelled on kubectl/pkg/cmd/events.
"""

from collections.abc import Sequence

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import output
from cluster_engine.programs.kubectl.arguments import targets
from cluster_engine.programs.kubectl.describe.lines import Lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Params, Session
from cluster_engine.programs.kubectl.tabwriter import layout

FLAGS = (
    Flag("all-namespaces", "A", "bool"),
    Flag("for", default=""),
    Flag("types", kind="strings"),
    Flag("no-headers", kind="bool"),
    Flag("watch", "w", "bool"),
    Flag("chunk-size", kind="int", default=500),
    *output.FLAGS,
)
TYPED: Object = {"kind": "Event", "apiVersion": "v1"}
HEADERS = "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE"


async def run(session: Session, arguments: list[str]) -> int:
    """List events, and follow them where -w asks for it."""
    flags = session.flags
    kinds = [kind.lower() for text in flags["types"] for kind in text.split(",") if kind]
    if any(kind not in ("normal", "warning") for kind in kinds):
        raise CommandError("valid --types are Normal or Warning")
    path = "/api/v1/events" if flags["all-namespaces"] else f"/api/v1/namespaces/{session.namespace}/events"
    query: Params = {"fieldSelector": await _about(session), "limit": 500}
    show = output.printer(session) if flags["output"] or flags["template"] else None
    if flags["watch"]:
        return await _watch(session, path, query, kinds, show)
    listed = (await session.get(path, query))["items"]
    found = [TYPED | event for event in listed if not kinds or event["type"].lower() in kinds]
    if not found:
        where = "" if flags["all-namespaces"] else f" in {session.namespace} namespace"
        session.err(f"No events found{where}.\n")
        return 0
    found.sort(key=_seen)
    if show is not None:
        session.out(show({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": found}))
    else:
        session.out(_table(session, found, with_headers=not flags["no-headers"]))
    return 0


async def _about(session: Session) -> str | None:
    """Return the selector that --for stands for. CommandError."""
    if not (text := session.flags["for"]):
        return None
    if "/" not in text:
        raise CommandError("--for must be in resource/name form")
    target = (await targets(session, [text]))[0]
    return f"involvedObject.kind={target.resource.kind},involvedObject.name={target.name}"


async def _watch(session: Session, path: str, query: Params, kinds: Sequence[str], show: output.Printer | None) -> int:
    with_headers = not session.flags["no-headers"]
    async with session.watch(path, query) as happenings:
        async for type_, event in happenings:
            if type_ not in ("ADDED", "MODIFIED") or (kinds and event["type"].lower() not in kinds):
                continue  # events are deleted after an hour, which is no news
            if show is not None:
                output.tell(session, "", TYPED | event, "")
            else:
                session.out(_table(session, [event], with_headers=with_headers))
                with_headers = False
            await session.drain()
    return 0


def _seen(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _table(session: Session, events: Sequence[Object], *, with_headers: bool) -> str:
    lines, everywhere = Lines(session.process.now()), session.flags["all-namespaces"]
    rows = [f"NAMESPACE\t{HEADERS}" if everywhere else HEADERS] if with_headers else []
    for event in events:
        about = event["involvedObject"]
        seen = lines.since(_seen(event))
        if event.get("count", 1) > 1:
            seen += f" (x{event['count']} over {lines.since(event.get('firstTimestamp'))})"
        where = f"{event['metadata']['namespace']}\t" if everywhere else ""
        what = f"{event['type']}\t{event['reason']}\t{about['kind']}/{about['name']}\t{event['message'].strip()}"
        rows.append(f"{where}{seen}\t{what}")
    return layout("".join(f"{row}\n" for row in rows), minimum=6, padding=3)
