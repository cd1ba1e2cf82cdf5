"""What a CustomResourceDefinition says of the kind that it adds: its names, and its columns in `kubectl get`.

Theory of operation. A kind that was added while the cluster ran is known by the definition that etcd held at the same
position. Name comes first; then `additionalPrinterColumns` of the version that is stored, a JSONPath each; Age only
where there are none of them. What a path does not lead to, or leads to something of another type, is an empty cell.
Modelled on apiextensions-apiserver's tableconvertor (`New`, `cellForJSONValue`).

    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}       a widget of 5 has 5 there
    {"name": "Made", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1}      with -o wide

Left out: conversion by webhooks (objects are shown as they are stored), and `..` in a path.
"""

import math
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from cluster_engine.api.cells.common import name, since
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.schema import Column
from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.jsonpath import find, relaxed, show
from cluster_engine.state.keys import DEFAULT_COLUMNS, Resource, Subject

DEFINITIONS = Resource("customresourcedefinitions", "apiextensions.k8s.io")
COLUMNS_MAX = 32
PATH_MAX = 512
"""A longer path is not followed, and its cells are empty."""


class Added(NamedTuple):
    """A kind, as its definition has it."""

    version: str
    kind: str
    namespaced: bool
    columns: tuple[Column, ...]


class _Names(msgspec.Struct):
    kind: str = ""


class _Column(msgspec.Struct, rename="camel"):
    name: str
    type: str
    json_path: str
    description: str = ""
    priority: int = 0


class _Version(msgspec.Struct, rename="camel"):
    name: str
    storage: bool = False
    additional_printer_columns: list[_Column] | None = None


class _Spec(msgspec.Struct):
    names: _Names
    versions: list[_Version]
    scope: str = "Namespaced"


def definition_of(resource: Resource) -> Subject:
    """Say where a resource is defined, if it is none that is built in."""
    return Subject(DEFINITIONS, "", f"{resource.plural}.{resource.group}")


def added(definition: Object | None) -> Added | None:
    """Read a definition; None where there is none, or it is none that can be read."""
    try:
        spec = msgspec.convert((definition or {}).get("spec"), _Spec)
    except msgspec.ValidationError:
        return None
    stored = next((version for version in spec.versions if version.storage), None)
    if stored is None:
        return None
    columns = tuple(_column(one) for one in (stored.additional_printer_columns or [])[:COLUMNS_MAX])
    shown = (name(), *columns) if columns else DEFAULT_COLUMNS
    return Added(stored.name, spec.names.kind, spec.scope == "Namespaced", shown)


def _column(said: _Column) -> Column:
    cell: Callable[[Object, datetime], JSON] = partial(_cell, said.type, relaxed(said.json_path))
    return Column(said.name, cell, said.description, type=said.type, wide=said.priority > 0)


def _cell(type_: str, path: str, obj: Object, now: datetime) -> JSON:
    try:
        found = find(path, obj) if len(path) <= PATH_MAX and ".." not in path else []
    except CommandError:
        return None
    return _of_type(type_, found[0], now) if found else None


def _of_type(type_: str, value: Any, now: datetime) -> JSON:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    match type_:
        case "string":
            return show(value)
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return int(value) if is_number else None
        case "number":
            return show(value) if is_number else None
        case "date" if isinstance(value, str):
            return _date(value, now)
    return None


def _date(value: str, now: datetime) -> str:
    try:
        return since(value, now)
    except (ValueError, TypeError):  # no time; a time without its zone
        return "<invalid>"
