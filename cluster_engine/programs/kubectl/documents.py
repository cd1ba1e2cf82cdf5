"""Objects as YAML and JSON text, as kubectl writes them, and manifests as it reads them.

YAML is written as go-yaml v2 writes it: keys sorted, lists not indented, text that could be taken for a number or a
truth in double quotes, longer text as a block. JSON has four spaces, sorted keys, and Go's escapes for < > &.

    to_yaml({"b": "1", "a": []})     'a: []\\nb: "1"\\n'
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from cluster_engine.api.documents import Unreadable, read_json, yaml_documents
from cluster_engine.api.objects import Object
from cluster_engine.api.struct_order import in_struct_order

_TRUTHS = frozenset({"y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"})
_SIXTIES = re.compile(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$")


class ManifestError(ValueError):
    """Text that is no manifest; says why in go-yaml's words."""


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper with go-yaml's choices."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif _is_ambiguous(dumper, text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_ambiguous(dumper: yaml.SafeDumper, text: str) -> bool:
    if text in _TRUTHS or _SIXTIES.match(text):
        return True
    tag: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag != "tag:yaml.org,2002:str"


_Dumper.add_representer(str, _represent_text)


def to_yaml(obj: Any) -> str:
    """Write one document."""
    return yaml.dump(obj, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=1 << 30)


def to_json(obj: Any, indent: int = 4) -> str:
    """Write one document, with a newline at its end."""
    text = msgspec.json.format(msgspec.json.encode(obj, order="sorted"), indent=indent).decode()
    return _go_escapes(text) + "\n"


def to_typed_json(obj: Object) -> str:
    """Write one document as `to_json` does, as Go writes a struct: the fields in their order."""
    text = msgspec.json.format(msgspec.json.encode(in_struct_order(obj)), indent=4).decode()
    return _go_escapes(text) + "\n"


def to_compact_json(obj: Any) -> str:
    """Write one document in one line, as Go's json.Marshal does with a map."""
    return _go_escapes(msgspec.json.encode(obj, order="sorted").decode())


def to_compact_typed_json(obj: Object) -> str:
    """Write one document in one line, as Go's json.Marshal does with a struct."""
    return _go_escapes(msgspec.json.encode(in_struct_order(obj)).decode())


def to_json_line(obj: Object) -> str:
    """Write one document on its own line: its fields in their order, sorted below, as Go writes a struct of maps."""
    return "{" + ",".join(f'"{name}":{to_compact_json(value)}' for name, value in obj.items()) + "}\n"


def _go_escapes(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def read_all(text: str) -> Iterator[Object]:
    """Read the documents of a manifest, YAML or JSON; lists are opened. ManifestError."""
    for document in _documents(text):
        if document is None:
            continue
        if not isinstance(document, dict):
            raise ManifestError(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                f"{_go_type(document)} into Go value of type map[string]interface {{}}"
            )
        if document.get("kind") == "List":
            yield from _items(document.get("items") or [])
        else:
            yield document


def _documents(text: str) -> list[Any]:
    """Read as kubectl does: what begins as JSON is JSON if it can be read so, and everything else is YAML."""
    if text.lstrip().startswith("{"):
        try:
            return [read_json(text)]
        except Unreadable:
            pass
    try:
        return [document.value for document in yaml_documents(text)]
    except Unreadable as problem:
        raise ManifestError(f"error converting YAML to JSON: {problem}") from problem


def _items(items: Any) -> list[Object]:
    wrong = [one for one in items if not isinstance(one, dict)] if isinstance(items, list) else [items]
    if wrong:
        go = "Go struct field List.items of type []runtime.RawExtension"
        raise ManifestError(f"json: cannot unmarshal {_go_type(wrong[0])} into {go}")
    found: list[Object] = items
    return found


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {list: "array", dict: "object", str: "string", type(None): "null"}
    return names.get(type(value), "number")
