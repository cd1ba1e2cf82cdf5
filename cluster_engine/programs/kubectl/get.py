"""`kubectl get`: one list (or object) for each resource, as a table or in the format asked for; `-w` goes on watching.

    get pods                GET …/pods?limit=500                                  Accept: Table
    get pod web-0 -w        GET …/pods/web-0, then watch fieldSelector=metadata.name=web-0&resourceVersion=0
    get pods -w             GET …/pods?limit=500, then watch from the list's version
    get pods -w --output-watch-events      the same, each with its type: ADDED, MODIFIED, DELETED
    get deploy,rs           one list each, names with their kind

Modelled on kubectl/pkg/cmd/get/get.go.
"""

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.programs.kubectl import errors, output
from cluster_engine.programs.kubectl.arguments import FILE_FLAGS, NO_KUSTOMIZE, Target, targets
from cluster_engine.programs.kubectl.describe.lines import Lines
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.manifests import read_manifests, resource_of
from cluster_engine.programs.kubectl.session import JSON, TABLE, Session
from cluster_engine.programs.kubectl.table import TablePrinter

PAGE = 500
FLAGS = (
    Flag("all-namespaces", "A", "bool"),
    *output.FLAGS,
    Flag("selector", "l", default=""),
    Flag("field-selector", default=""),
    Flag("watch", "w", "bool"),
    Flag("watch-only", kind="bool"),
    Flag("output-watch-events", kind="bool"),
    Flag("no-headers", kind="bool"),
    Flag("show-labels", kind="bool"),
    Flag("label-columns", "L", "strings"),
    Flag("show-kind", kind="bool"),
    Flag("sort-by", default=""),
    Flag("ignore-not-found", kind="bool"),
    *FILE_FLAGS,
    Flag("server-print", kind="bool", default=True),
    Flag("raw", default=""),
    Flag("chunk-size", kind="int", default=PAGE),
    Flag("subresource", default=""),
)
NO_RESOURCE = """You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples"""


async def run(session: Session, arguments: list[str]) -> int:
    """Print objects."""
    if session.flags["raw"]:
        if arguments:
            raise CommandError("arguments may not be passed when --raw is specified")
        return await _print_raw(session, session.flags["raw"])
    if session.flags["kustomize"]:
        raise CommandError(NO_KUSTOMIZE)
    if not arguments and not session.flags["filename"]:
        raise CommandError(NO_RESOURCE, plain=True)
    watches = session.flags["watch"] or session.flags["watch-only"]
    if session.flags["output-watch-events"] and not watches:
        raise CommandError("--output-watch-events option can only be used with --watch or --watch-only")
    show = output.printer(session, for_get=True)
    wanted = await _wanted(session, arguments)
    if watches:
        return await _watch(session, wanted, show)
    if show is not None:
        return await _print_objects(session, wanted, show)
    return await _print_tables(session, wanted)


async def _print_raw(session: Session, path: str) -> int:
    """Print an answer as it comes: a watch goes on until it ends."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    async with session.stream(path, {}, accept="application/json, */*") as chunks:
        async for chunk in chunks:
            session.out(decode(chunk))
            await session.drain()
    return 0


async def _wanted(session: Session, arguments: list[str]) -> list[Target]:
    wanted = await targets(session, arguments) if arguments else []
    for obj in read_manifests(session, session.flags["filename"]):
        wanted.append(Target(await resource_of(session, obj), obj.document["metadata"].get("name")))
    if session.flags["all-namespaces"] and any(target.name for target in wanted):
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    if (session.flags["selector"] or session.flags["field-selector"]) and any(target.name for target in wanted):
        raise CommandError("name cannot be provided when a selector is specified")
    return wanted


def _path(session: Session, target: Target) -> str:
    namespace = None if session.flags["all-namespaces"] else session.namespace
    return target.resource.path(namespace, target.name, session.flags["subresource"] or None)


def _query(session: Session, target: Target) -> dict[str, str | int | bool | None]:
    if target.name:
        return {}
    sorting = bool(session.flags["sort-by"])
    return {
        "fieldSelector": session.flags["field-selector"] or None,
        "includeObject": "Object" if sorting else None,
        "labelSelector": session.flags["selector"] or None,
        "limit": None if sorting else session.flags["chunk-size"] or None,
    }


async def fetch(session: Session, target: Target, *, accept: str) -> Object:
    """Get what a target names: an object, or a list with all its pages."""
    path, query = _path(session, target), _query(session, target)
    try:
        answer: Object = await session.get(path, query, accept=accept)
        rest = answer
        while token := (rest.get("metadata") or {}).get("continue"):
            rest = await session.get(path, {**query, "continue": token}, accept=accept)
            for field in ("rows", "items"):
                if field in answer:
                    answer[field] += rest[field]
    except Refusal as refusal:
        if refusal.code == 400 and not target.name and (query["fieldSelector"] or query["labelSelector"]):
            group = f"{target.resource.group}/{target.resource.version}"
            raise Refusal(
                f'Unable to find "{group}, Resource={target.resource.plural}" that match label selector '
                f'"{session.flags["selector"]}", field selector "{session.flags["field-selector"]}": {refusal.message}',
                code=400,
                reason="BadRequest",
            ) from refusal
        raise
    return answer


# -- tables ------------------------------------------------------------------------------------------------------------


async def _print_tables(session: Session, wanted: list[Target]) -> int:
    """Print a table for each run of targets of one resource, and what failed at the end."""
    with_kind = session.flags["show-kind"] or len({target.resource for target in wanted}) > 1
    failures: list[Refusal] = []
    printed, found = False, False
    table_printer: TablePrinter | None = None
    before: object = None
    for target in wanted:
        try:
            table = await _table(session, target)
        except Refusal as refusal:
            if not (refusal.code == 404 and session.flags["ignore-not-found"]):
                failures.append(refusal)
            continue
        if not table.get("rows"):
            continue
        found = True
        if target.resource is not before or table_printer is None:
            if printed and not session.flags["no-headers"]:
                session.out("\n")
            table_printer = new_printer(session, target, with_kind=with_kind)
            before = target.resource
        session.out(table_printer.text(_sorted(table, session.flags["sort-by"])))
        printed = True
    for failure in failures:
        session.err(f"{errors.refusal_text(failure)}\n")
    if not found and not failures and not session.flags["ignore-not-found"]:
        session.err(nothing_found(session, wanted))
    return 1 if failures else 0


async def _table(session: Session, target: Target) -> Object:
    """Fetch a table; with --server-print=false make one of names and ages here."""
    if session.flags["server-print"]:
        return await fetch(session, target, accept=TABLE)
    answer = await fetch(session, target, accept=JSON)
    lines = Lines(session.process.now())
    objects = [answer] if target.name else answer["items"]
    rows = [
        {"cells": [obj["metadata"]["name"], lines.since(obj["metadata"].get("creationTimestamp"))], "object": obj}
        for obj in objects
    ]
    return {"columnDefinitions": [{"name": "Name"}, {"name": "Age"}], "rows": rows}


def new_printer(session: Session, target: Target, *, with_kind: bool) -> TablePrinter:
    """Make the printer for one resource's tables."""
    flags = session.flags
    return TablePrinter(
        wide=flags["output"] == "wide",
        with_namespace=flags["all-namespaces"] and target.resource.namespaced,
        headers=not flags["no-headers"],
        kind=target.resource.label("").rstrip("/") if with_kind else "",
        show_labels=flags["show-labels"],
        label_columns=[label for labels in flags["label-columns"] for label in labels.split(",")],
    )


def nothing_found(session: Session, wanted: Iterable[Target]) -> str:
    """Say that there is nothing."""
    if not session.flags["all-namespaces"] and any(target.resource.namespaced for target in wanted):
        return f"No resources found in {session.namespace} namespace.\n"
    return "No resources found\n"


def _sorted(table: Object, path: str) -> Object:
    if not path:
        return table
    from cluster_engine.programs.kubectl import jsonpath  # here: each kubectl pays for what it loads

    relaxed = jsonpath.relaxed(path)

    def key(row: Object) -> tuple[bool, Any]:
        found = jsonpath.find(relaxed, row["object"])
        number = isinstance(found[0], int) if found else False
        return (number, found[0] if number else jsonpath.show(found[0]) if found else "")

    return {**table, "rows": sorted(table["rows"], key=key)}


# -- other formats -----------------------------------------------------------------------------------------------------


async def _print_objects(session: Session, wanted: list[Target], show: output.Printer) -> int:
    """Print one object, or all of them as one List."""
    objects: list[Object] = []
    failures: list[Refusal] = []
    for target in wanted:
        try:
            answer = await fetch(session, target, accept=JSON)
        except Refusal as refusal:
            if not (refusal.code == 404 and session.flags["ignore-not-found"]):
                failures.append(refusal)
            continue
        objects += [answer] if target.name else _items(answer)
    single = len(wanted) == 1 and wanted[0].name is not None
    if objects and single:
        session.out(show(objects[0]))
    elif objects or (not single and not failures):
        empty: Object = {"resourceVersion": ""}
        session.out(show({"apiVersion": "v1", "items": objects, "kind": "List", "metadata": empty}))
    for failure in failures:
        session.err(f"{errors.refusal_text(failure)}\n")
    return 1 if failures else 0


def _items(listed: Object) -> list[Object]:
    kind = listed["kind"].removesuffix("List")
    return [{"apiVersion": listed["apiVersion"], "kind": kind, **item} for item in listed["items"]]


# -- watching ----------------------------------------------------------------------------------------------------------


async def _watch(session: Session, wanted: list[Target], show: output.Printer | None) -> int:
    if len(wanted) != 1:
        raise CommandError("you may only specify a single resource type")
    target = wanted[0]
    accept = TABLE if show is None else JSON
    text = _watched(session, target, show)
    begun = await fetch(session, target, accept=accept)
    if not session.flags["watch-only"]:
        for obj in [begun] if show is None or target.name else _items(begun):
            session.out(text("ADDED", obj))
    namespace = None if session.flags["all-namespaces"] else session.namespace
    path = target.resource.path(namespace)
    query: dict[str, str | int | bool | None] = {
        "fieldSelector": f"metadata.name={target.name}" if target.name else session.flags["field-selector"] or None,
        "labelSelector": session.flags["selector"] or None,
        "resourceVersion": "0" if target.name else begun["metadata"]["resourceVersion"],
    }
    already_printed = target.name is not None
    async with session.watch(path, query, accept=accept) as events:
        async for type_, obj in events:
            if already_printed:
                already_printed = False
            elif type_ != "BOOKMARK":
                session.out(text(type_, obj))
                await session.drain()
    return 0


def _watched(session: Session, target: Target, show: output.Printer | None) -> Callable[[str, Object], str]:
    """Make what gives the text of each event; what is there already counts as ADDED."""
    with_events = session.flags["output-watch-events"]
    if show is not None:
        return output.watch_printer(session, show, with_events=with_events)
    table_printer = new_printer(session, target, with_kind=session.flags["show-kind"])
    return lambda type_, table: table_printer.text(table, type_ if with_events else "")
