"""What is printed of objects: -o yaml, json, name, jsonpath=…, go-template=…, custom-columns=…; a table is without it.

    get pods -o jsonpath={.items[*].metadata.name}      a template behind the format's name
    get pods -o jsonpath --template={.kind}             … or in a flag of its own
    get pods -o jsonpath-file=names.txt                 … or in a file
    create ns x --dry-run=client                        no format: one line says what was done (`tell`)

Modelled on cli-runtime/pkg/genericclioptions/print_flags.go.
"""

from collections.abc import Callable
from itertools import chain, repeat

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import documents
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.session import Session

Printer = Callable[[Object], str]

FLAGS = (
    Flag("output", "o", default=""),
    Flag("template", default=""),
    Flag("allow-missing-template-keys", kind="bool", default=True),
    Flag("show-managed-fields", kind="bool"),
)
"""What every command has that prints objects."""
DRY_RUN = Flag("dry-run", default="none", without_value="unchanged")

TYPED = tuple(f"kubectl {name}" for name in ("create ", "run", "set ", "rollout ", "events", "autoscale", "expose"))
"""The commands that read and write Go's structs; all others have maps, whose keys are sorted."""

_GET_FORMATS = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
    "template,templatefile,wide,yaml"
)
_OTHER_FORMATS = (
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml"
)
_GO_TEMPLATES = ("go-template", "go-template-file", "template", "templatefile")
_JSON_PATHS = ("jsonpath", "jsonpath-as-json", "jsonpath-file")
_FILES = ("go-template-file", "templatefile", "jsonpath-file")


NO_KIND = (
    "unable to output the provided object: missing apiVersion or kind; "
    "try GetObjectKind().SetGroupVersionKind() if you know the type"
)


def printer(session: Session, *, for_get: bool = False) -> Printer | None:
    """Return what prints an object (or list) as the flags ask; None for tables. CommandError for an unknown format."""
    flags = session.flags
    output, managed_fields = flags["output"], flags["show-managed-fields"]
    name, _, argument = output.partition("=")
    if flags["template"] and name in ("", *_GO_TEMPLATES, *_JSON_PATHS):
        name, argument = name or "go-template", argument or flags["template"]
    if name in ("", "wide") and for_get:
        return None
    if name == "yaml":
        return lambda obj: documents.to_yaml(_shown(obj, managed_fields))
    if name == "json":
        write = documents.to_typed_json if session.command.startswith(TYPED) else documents.to_json
        return lambda obj: write(_shown(obj, managed_fields))
    if name == "name":
        return _names
    if name in (*_GO_TEMPLATES, *_JSON_PATHS):
        return _template(session, name, argument)
    if name == "custom-columns" and for_get:
        return _columns(argument)
    if name == "custom-columns-file" and for_get:
        return _columns(_columns_of_file(session, argument))
    formats = _GET_FORMATS if for_get else _OTHER_FORMATS
    raise CommandError(
        f'unable to match a printer suitable for the output format "{output}", allowed formats are: {formats}'
    )


def tell(session: Session, label: str, obj: Object, operation: str, *, dry: str | None = None) -> None:
    """Say what was done to an object, or print it where -o asks for that. `dry` ends the message."""
    flags = session.flags
    if flags["output"] or flags["template"]:
        show = printer(session)
        assert show is not None, "only `get` has tables"
        again = flags["output"] == "yaml" and session.cache.get("printed")
        session.cache["printed"] = True
        session.out(("---\n" if again else "") + show(obj))
        return
    session.out(f"{label} {operation}{said_of_dry_run(session) if dry is None else dry}\n")


def check(session: Session) -> str:
    """Refuse a --dry-run or --validate that is none; return a warning of the forms that are no longer liked."""
    values = session.flags.values
    validate = str(values.get("validate", "strict")).lower()
    if validate not in ("strict", "true", "warn", "ignore", "false"):
        options = "strict (or true), warn, ignore (or false)"
        raise CommandError(f'invalid - validate option "{values["validate"]}"; must be one of: {options}')
    dry = values.get("dry-run", "none")
    if dry in ("none", "client", "server"):
        return ""
    if dry not in ("unchanged", "true", "false"):
        raise CommandError(f'Invalid dry-run value ({dry}). Must be "none", "server", or "client".')
    values["dry-run"] = "none" if dry == "false" else "client"
    said = "--dry-run is deprecated" if dry == "unchanged" else f"--dry-run={dry} is deprecated (boolean value)"
    return session.warning(f"helpers.go:702] {said} and can be replaced with --dry-run={values['dry-run']}.")


def said_of_dry_run(session: Session) -> str:
    """Return what is added to a message where nothing was done."""
    return {"none": "", "server": " (server dry run)"}.get(session.flags["dry-run"], " (dry run)")


def is_client_dry_run(session: Session) -> bool:
    """Return whether nothing is to be sent."""
    return bool(session.flags["dry-run"] == "client")


def _template(session: Session, name: str, argument: str) -> Printer:
    if not argument:
        raise CommandError("template format specified but no template given")
    if name in _FILES:
        argument = _file(session, argument, f"error reading --template {argument}, ")
    allows_missing = session.flags["allow-missing-template-keys"]
    from cluster_engine.programs.kubectl import templates  # here, as below: each kubectl pays for what it loads

    if name in _JSON_PATHS:
        return templates.by_json_path(argument, as_json=name == "jsonpath-as-json", allows_missing=allows_missing)
    return templates.by_go_template(argument, allows_missing=allows_missing)


def _columns(specification: str) -> Printer:
    from cluster_engine.programs.kubectl import templates

    return templates.columns(specification)


def _file(session: Session, path: str, context: str) -> str:
    try:
        return session.read(path)
    except CommandError as error:
        raise CommandError(f"{context}open {path}: no such file or directory") from error


def watch_printer(session: Session, show: Printer, *, with_events: bool) -> Callable[[str, Object], str]:
    """Give what prints what a watch tells, in that format: objects, or the events themselves. YAML is cut by `---`."""
    output = session.flags["output"]
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
    name = (obj.get("metadata") or {}).get("name") or "<unknown>"  # of a kubeconfig, say
    return f"{kind}.{group}/{name}" if group else f"{kind}/{name}"


def _names(obj: Object) -> str:
    if obj.get("kind") == "EventList":
        return ""  # the real one prints nothing of it
    items = obj["items"] if obj.get("kind") == "List" else [obj]
    return "".join(f"{full_label(item)}\n" for item in items)


def _shown(obj: Object, managed_fields: bool) -> Object:
    if managed_fields:
        return obj
    if obj.get("kind") in ("List", "EventList"):
        return {**obj, "items": [_shown(item, managed_fields) for item in obj["items"]]}
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}
    return {**obj, "metadata": metadata} if "metadata" in obj else obj


def _columns_of_file(session: Session, path: str) -> str:
    """Read columns from a file: a line of headers, and a line of paths."""
    lines = _file(session, path, f"error reading template {path}, ").splitlines()
    headers, paths = (line.split() for line in [*lines, "", ""][:2])
    if len(headers) != len(paths):
        raise CommandError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return ",".join(f"{header}:{path}" for header, path in zip(headers, paths, strict=True))
