"""Answers: objects, lists, tables and statuses as bytes.

An object that the watch cache knows is never encoded again: its JSON is taken from there, and a list is its objects'
JSON strung together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import yaml

from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, NotAcceptable, Refusal
from cluster_engine.api.tables import table
from cluster_engine.apiserver.handlers.negotiation import Form
from cluster_engine.apiserver.serving.exchange import Response
from cluster_engine.apiserver.storage import CachedObject
from cluster_engine.apiserver.watch_cache import item_json

JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"
TEXT_TYPE = "text/plain; charset=utf-8"
INCLUDES = ("Metadata", "Object", "None")
TABLE_API = "meta.k8s.io"


class View(msgspec.Struct, frozen=True):
    """How objects are shown: the form, what a Table's rows carry (`includeObject`), and when "now" is, for ages."""

    form: Form
    include: str
    now: datetime


PLAIN = Form()
NOT_FOUND_TEXT = Response(404, TEXT_TYPE, b"404 page not found\n", (("x-content-type-options", "nosniff"),))


def document(value: Any, status: int = 200, form: Form = PLAIN) -> Response:
    """Answer with a value as JSON or YAML."""
    if form.media == "yaml":
        return Response(status, YAML_TYPE, yaml.safe_dump(value, sort_keys=False).encode())
    return Response(status, JSON_TYPE, msgspec.json.encode(value) + b"\n")


def refused(refusal: Refusal) -> Response:
    """Answer with a Status."""
    headers: tuple[tuple[str, str], ...] = ()
    if refusal.retry_after_seconds is not None:
        headers = (("retry-after", str(refusal.retry_after_seconds)),)
    return Response(refusal.code, JSON_TYPE, msgspec.json.encode(refusal.status()) + b"\n", headers)


def one(kind: Kind, found: CachedObject, view: View, status: int = 200) -> Response:
    """Answer with one object in the form asked for."""
    form = view.form
    if form == PLAIN:
        return Response(status, JSON_TYPE, found.json + b"\n")
    if form.transform == "Table":
        metadata = {"resourceVersion": found.object["metadata"].get("resourceVersion", "")}
        return document(as_table(kind, [found.object], view, metadata), status, form)
    if form.transform == "PartialObjectMetadata":
        return document(partial(found.object, form), status, form)
    if form.transform:
        raise NotAcceptable()
    return document(found.object, status, form)


def several(kind: Kind, found: Sequence[CachedObject], view: View, metadata: Object) -> Response:
    """Answer with a list in the form asked for."""
    form = view.form
    if form == PLAIN:
        head = msgspec.json.encode({"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": metadata})
        items = b",".join([item_json(each, kind) for each in found])
        return Response(200, JSON_TYPE, head[:-1] + b',"items":[' + items + b"]}\n")
    objects = [each.object for each in found]
    if form.transform == "Table":
        return document(as_table(kind, objects, view, metadata), 200, form)
    head_: Object = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": metadata}
    if form.transform:
        head_ |= {"kind": "PartialObjectMetadataList", "apiVersion": f"{TABLE_API}/{form.version}"}
        return document(head_ | {"items": [partial(obj, form) for obj in objects]}, 200, form)
    items_ = [{name: value for name, value in obj.items() if name not in ("kind", "apiVersion")} for obj in objects]
    return document(head_ | {"items": items_}, 200, form)


def include_object(parameters: Mapping[str, str]) -> str:
    """Read `includeObject`; 400 for what it may not be."""
    include = parameters.get("includeObject", "") or "Metadata"
    if include not in INCLUDES:
        raise BadRequest(f'unrecognized includeObject value: "{include}"')
    return include


def as_table(kind: Kind, objects: Sequence[Object], view: View, metadata: Object, *, headers: bool = True) -> Object:
    """Return objects as the Table that `kubectl get` prints."""
    return table(
        kind,
        objects,
        now=view.now,
        list_metadata=metadata,
        include_object=view.include,
        headers=headers,
        api_version=f"{TABLE_API}/{view.form.version}",
    )


def partial(obj: Object, form: Form) -> Object:
    """Return an object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"{TABLE_API}/{form.version}",
        "metadata": obj["metadata"],
    }
