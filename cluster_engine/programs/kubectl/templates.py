"""What prints an object by a template: -o jsonpath=…, go-template=…, custom-columns=….

by_json_path("{.metadata.name}", …)      web                              `jsonpath`
by_go_template("{{.kind}}", …)           Deployment                       `go_template`
columns("NAME:.metadata.name")           NAME, and web beneath it

CommandError where a template is none, or cannot be filled in.
"""

from collections.abc import Callable

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import go_template, jsonpath
from cluster_engine.programs.kubectl.documents import to_compact_json
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.go_template import TemplateError
from cluster_engine.programs.kubectl.go_template.formats import plain
from cluster_engine.programs.kubectl.tabwriter import layout

Printer = Callable[[Object], str]
by_json_path = jsonpath.printer


def by_go_template(text: str, *, allows_missing: bool) -> Printer:
    """Return what fills a Go template in."""
    try:
        template = go_template.parse(text)
    except TemplateError as error:
        raise CommandError(f"error parsing template {text}, {error}") from error
    return lambda obj: _filled_in(template, obj, allows_missing=allows_missing)


def _filled_in(template: go_template.Template, obj: Object, *, allows_missing: bool) -> str:
    """Fill a template in; where that fails, what was printed so far and the object are shown, too."""
    pieces: list[str] = []
    try:
        pieces.extend(go_template.run(template, obj, missing_is_error=not allows_missing))
    except TemplateError as error:
        shown = (
            f"{''.join(pieces)}Error executing template: {error}. Printing more information for debugging the "
            f"template:\n\ttemplate was:\n\t\t{template.text}\n\traw data was:\n\t\t{to_compact_json(obj)}\n"
            f"\tobject given to template engine was:\n\t\t{plain(obj)}\n\n"
        )
        quoted = template.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        raise CommandError(f'error executing template "{quoted}": {error}', printed=shown) from error
    return "".join(pieces)


def columns(specification: str) -> Printer:
    """Return what prints a line for each object: custom-columns. CommandError."""
    if not specification:
        raise CommandError("custom-columns format specified but no custom columns given")
    found = []
    printed = False
    for column in specification.split(","):
        header, colon, path = column.partition(":")
        if not colon:
            text = f"unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
            raise CommandError(text)
        found.append((header, jsonpath.relaxed(path)))

    def show(obj: Object) -> str:
        nonlocal printed
        items = obj["items"] if obj.get("kind") == "List" else [obj]
        lines = [] if printed else ["\t".join(header for header, _ in found)]
        printed = True
        for item in items:
            cells = [",".join(jsonpath.show(value) for value in jsonpath.find(path, item)) for _, path in found]
            lines.append("\t".join(cell or "<none>" for cell in cells))
        return layout("".join(f"{line}\n" for line in lines), minimum=6, padding=3)

    return show
