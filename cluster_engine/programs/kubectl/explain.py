"""`kubectl explain`: what a field means, from the server's own OpenAPI document.

    explain pod.spec.containers      GET /openapi/v3, GET /openapi/v3/api/v1?hash=…

Modelled on kubectl/pkg/explain/v2 (template plaintext). Left out: --output, --api-version.
"""

import textwrap
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.programs.kubectl import discovery
from cluster_engine.programs.kubectl.discovery import Resource
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.flags import Flag
from cluster_engine.programs.kubectl.schemas import download
from cluster_engine.programs.kubectl.session import Session

FLAGS = (Flag("recursive", kind="bool"), Flag("api-version", default=""), Flag("output", default="plaintext"))
WIDTH = 76
ENUM_SHOWN = 4
GVK = "x-kubernetes-group-version-kind"


async def run(session: Session, arguments: list[str]) -> int:
    """Explain a kind or one of its fields."""
    if not arguments:
        hint = 'Use "kubectl api-resources" for a complete list of supported resources.'
        raise CommandError(f"You must specify the type of resource to explain. {hint}")
    if len(arguments) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    name, *path = arguments[0].split(".")
    try:
        resource = await discovery.find(session, name)
    except CommandError as error:
        raise CommandError(str(error), plain=True) from error
    wanted = session.flags["api-version"]
    if wanted and wanted != resource.api_version:
        group, _, version = wanted.rpartition("/")
        shown = f"{group}/{version}, Resource={resource.plural}"
        raise CommandError(f'couldn\'t find resource for "{shown}"')
    if session.flags["output"] not in ("plaintext", "plaintext-openapiv2"):
        raise CommandError(f"unrecognized format: {session.flags['output']}")
    document = await download(session, resource)
    group = f"GROUP:      {resource.group}\n" if resource.group else ""
    session.out(f"{group}KIND:       {resource.kind}\nVERSION:    {resource.version}\n\n")
    session.out(_explain(resource, document, path, recursive=session.flags["recursive"]))
    return 0


def _explain(resource: Resource, document: Object, path: list[str], *, recursive: bool) -> str:
    schemas = document["components"]["schemas"]
    schema, lines = _root(resource, schemas), []
    for name in path:
        owner = _resolved(schema, schemas)
        if name not in (owner.get("properties") or {}):
            raise CommandError(f'field "{name}" does not exist')
        schema = owner["properties"][name]
        lines = [f"FIELD: {name} <{_type(schema, schemas)}>"]
    target = _resolved(schema, schemas)
    if lines:
        lines += _enum(target) or ["", ""]
    texts = [schema.get("description"), target.get("description") if target is not schema else None]
    lines.append("DESCRIPTION:")
    for text in [text for text in texts if text] or ["<empty>"]:
        lines += _wrapped(text, "    ")
    lines.append("    ")
    if target.get("properties"):
        lines.append("FIELDS:")
        lines += _short(target, schemas, 1, {}) if recursive else _fields(target, schemas)
    return "\n".join([*lines, ""]) + "\n"


def _root(resource: Resource, schemas: Object) -> Object:
    wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    for schema in schemas.values():
        if wanted in (schema.get(GVK) or []):
            return dict(schema)
    raise CommandError(f'couldn\'t find resource for "{resource.api_version}, Kind={resource.kind}"')


def _reference(schema: Object) -> str | None:
    for part in (
        schema,
        *(schema.get("allOf") or []),
        schema.get("items") or {},
        schema.get("additionalProperties") or {},
    ):
        if isinstance(part, dict) and (found := part.get("$ref") or _reference_of_all(part)):
            return str(found).rpartition("/")[2]
    return None


def _reference_of_all(part: Object) -> str | None:
    return next((str(each["$ref"]) for each in part.get("allOf") or [] if "$ref" in each), None)


def _resolved(schema: Object, schemas: Object) -> Object:
    name = _reference(schema)
    return dict(schemas[name]) if name in schemas else schema


def _type(schema: Object, schemas: Object) -> str:
    if schema.get("type") == "array":
        return f"[]{_type(schema.get('items') or {}, schemas)}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map[string]{_type(schema['additionalProperties'], schemas)}"
    name = _reference({key: value for key, value in schema.items() if key != "items"})
    if name:
        target = schemas.get(name) or {}
        return (
            name.rpartition(".")[2] if target.get("properties") else str(target.get("type") or name.rpartition(".")[2])
        )
    return str(schema.get("type") or "Object")


def _enum(schema: Object) -> list[str]:
    values = schema.get("enum")
    return ["ENUM:", *(f"    {value}" for value in sorted(values)), ""] if values else []


def _enum_in_line(schema: Object, indent: str) -> list[str]:
    values = sorted(schema.get("enum") or [])
    shown = ", ".join(values[:ENUM_SHOWN]) + (", ...." if len(values) > ENUM_SHOWN else "")
    return [f"{indent}enum: {shown}"] if values else []


def _wrapped(text: str, indent: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{indent}{line}" for line in lines]


def _fields(schema: Object, schemas: Object) -> list[str]:
    lines: list[str] = []
    for name in sorted(schema["properties"]):
        field = schema["properties"][name]
        mark = " -required-" if name in (schema.get("required") or []) else ""
        lines.append(f"  {name}\t<{_type(field, schemas)}>{mark}")
        lines += _enum_in_line(field, "  ")
        text = field.get("description") or _resolved(field, schemas).get("description") or "<no description>"
        lines += [*_wrapped(text, "    "), ""]
    return lines


def _short(schema: Object, schemas: Object, depth: int, seen: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name in sorted(schema["properties"]):
        field = schema["properties"][name]
        mark = " -required-" if name in (schema.get("required") or []) else ""
        lines.append(f"{'  ' * depth}{name}\t<{_type(field, schemas)}>{mark}")
        lines += _enum_in_line(field, "  " * depth)
        reference = _reference(field)
        target = _resolved(field, schemas)
        if reference and target.get("properties") and reference not in seen:
            lines += _short(target, schemas, depth + 1, {**seen, reference: None})
    return lines
