"""The -o flag: yaml, json, name, jsonpath=…, custom-columns=…; a table is what there is without it.

Modelled on cli-runtime/pkg/genericclioptions/print_flags.go. Left out: go-template.
"""

from collections.abc import Callable
from itertools import chain, repeat

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import documents, jsonpath
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.tabwriter import layout

Printer = Callable[[Object], str]

_GET_FORMATS = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
    "template,templatefile,wide,yaml"
)
_OTHER_FORMATS = (
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml"
)


NO_KIND = (
    "unable to output the provided object: missing apiVersion or kind; "
    "try GetObjectKind().SetGroupVersionKind() if you know the type"
)


def printer(output: str, *, managed_fields: bool = False, for_get: bool = True) -> Printer | None:
    """Return what prints an object (or list) in that format; None for tables. CommandError for an unknown format."""
    name, equals, argument = output.partition("=")
    if name in ("", "wide") and for_get:
        return None
    if name == "yaml":
        return lambda obj: documents.to_yaml(_shown(obj, managed_fields))
    if name == "json":
        return lambda obj: documents.to_json(_shown(obj, managed_fields))
    if name == "name":
        return _names
    if name in ("jsonpath", "jsonpath-as-json"):
        if not equals or not argument:
            raise CommandError("template format specified but no template given")
        return lambda obj: jsonpath.render(argument, obj)
    if name == "custom-columns" and for_get:
        return _columns(argument)
    formats = _GET_FORMATS if for_get else _OTHER_FORMATS
    raise CommandError(
        f'unable to match a printer suitable for the output format "{output}", allowed formats are: {formats}'
    )


def watch_printer(output: str, show: Printer, *, with_events: bool) -> Callable[[str, Object], str]:
    """Give what prints what a watch tells, in that format: objects, or the events themselves. YAML is cut by `---`."""
    if with_events and output == "name":
        raise CommandError(NO_KIND)
    separators = chain([""], repeat("---\n")) if output == "yaml" else repeat("")

    def text(type_: str, obj: Object) -> str:
        if not with_events:
            return next(separators) + show(obj)
        shown = _shown(obj, managed_fields=False)
        if output == "json":
            return documents.to_json_line({"type": type_, "object": shown})
        return next(separators) + show({"type": type_, "object": shown})

    return text


def full_label(obj: Object) -> str:
    """Name an object as `-o name` does: deployment.apps/web."""
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", "")).lower()
    name = obj["metadata"].get("name", "")
    return f"{kind}.{group}/{name}" if group else f"{kind}/{name}"


def _names(obj: Object) -> str:
    items = obj["items"] if obj.get("kind") == "List" else [obj]
    return "".join(f"{full_label(item)}\n" for item in items)


def _shown(obj: Object, managed_fields: bool) -> Object:
    if managed_fields:
        return obj
    if obj.get("kind") == "List":
        return {**obj, "items": [_shown(item, managed_fields) for item in obj["items"]]}
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}
    return {**obj, "metadata": metadata} if "metadata" in obj else obj


def _columns(specification: str) -> Printer:
    if not specification:
        raise CommandError("custom-columns format specified but no custom columns given")
    columns = []
    printed = False
    for column in specification.split(","):
        header, colon, path = column.partition(":")
        if not colon:
            text = f"unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
            raise CommandError(text)
        columns.append((header, jsonpath.relaxed(path)))

    def show(obj: Object) -> str:
        nonlocal printed
        items = obj["items"] if obj.get("kind") == "List" else [obj]
        lines = [] if printed else ["\t".join(header for header, _ in columns)]
        printed = True
        for item in items:
            cells = [",".join(jsonpath.show(value) for value in jsonpath.find(path, item)) for _, path in columns]
            lines.append("\t".join(cell or "<none>" for cell in cells))
        return layout("".join(f"{line}\n" for line in lines), minimum=6, padding=3)

    return show
