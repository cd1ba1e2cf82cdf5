"""OpenAPI 3: the schemas again, in the form that `kubectl apply`, `create`, `explain` and `diff` read.

One document for each group version. kubectl finds in it:
- the kind's schema, by `x-kubernetes-group-version-kind`;
- the patch strategies and merge keys of lists, from which `apply` computes its three-way patch;
- in the paths, a patch operation that takes `fieldValidation` (so that the server validates, not the client) and
  `application/strategic-merge-patch+json`;
- for `explain`, which kind stands behind a path.
Left out: most parameters, and all answers but the good one. Version 2, for older kubectl, is in `openapi_v2`.

The index names each document with a hash of its content, so that clients can keep it for ever.

    >>> from cluster_engine.api.kinds import BUILT_IN
    >>> spec = v3(BUILT_IN.groups["apps"][0])["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]
    >>> spec["properties"]["replicas"]["format"], spec["required"]
    ('int32', ['selector', 'template'])
"""

from collections.abc import Iterator, Sequence
from hashlib import sha512

import msgspec

from cluster_engine.api.derived import derived
from cluster_engine.api.kind_set import GroupVersion, KindSet
from cluster_engine.api.objects import Object
from cluster_engine.api.patches import patch_types
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message, Scalar, Type, merge_extensions
from cluster_engine.api.schemas.meta import API_VERSION, DELETE_OPTIONS, KIND, LIST_META, STATUS
from cluster_engine.version import VERSION

INFO = {"title": "Kubernetes", "version": VERSION}
PRESERVE_UNKNOWN = "x-kubernetes-preserve-unknown-fields"
GVK = "x-kubernetes-group-version-kind"
BODY_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_REFERENCE = "#/components/schemas/"
_QUERY = {
    "dryRun": "All: go through everything but store nothing.",
    "fieldManager": "Name of whoever makes this change.",
    "fieldValidation": "Ignore, Warn or Strict: what becomes of unknown and duplicate fields.",
}
_LIST_QUERY = {
    "fieldSelector": "Only objects with these fields.",
    "labelSelector": "Only objects with these labels.",
    "limit": "At most so many objects, and a token for the next page.",
    "continue": "Token of the next page.",
    "resourceVersion": "Version at which, or not before which, to read.",
    "watch": "Go on and tell of changes.",
}


def document_name(of: GroupVersion) -> str:
    """Name a group version's document: `api/v1`, `apis/apps/v1`."""
    return f"apis/{of.name}" if of.group else f"api/{of.name}"


@derived
def v3_index(kinds: KindSet) -> Object:
    """Return the document of `/openapi/v3`, which names the others."""
    names = {document_name(each): encoded_v3(each)[1] for each in kinds.group_versions}
    return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={hash_}"} for name, hash_ in names.items()}}


@derived
def encoded_v3(of: GroupVersion) -> tuple[bytes, str]:
    """Return a group version's document as JSON, and the hash that names its content."""
    body = msgspec.json.encode(v3(of))
    return body, sha512(body).hexdigest().upper()


def v3(of: GroupVersion) -> Object:
    """Return the document of one group version. Made anew with each call."""
    schemas: dict[str, Object] = {}
    for kind in _with_bodies(of.kinds):
        _add_message(kind.schema, schemas, kind)
    for kind in of.kinds:
        if "list" in kind.verbs:
            schemas[_list_name(kind)] = _list_schema(kind)
            _add_message(LIST_META, schemas)
    paths = {path: item for kind in of.kinds for path, item in _paths(kind)}
    return {"openapi": "3.0.0", "info": INFO, "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}


def _with_bodies(kinds: Sequence[Kind]) -> Iterator[Kind]:
    """Go through the kinds, those that their subresources speak, and those that every group has."""
    yield from kinds
    for kind in kinds:
        yield from (each.body for each in kind.subresources if each.body is not None)
    yield DELETE_OPTIONS
    yield STATUS


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "kind": kind.name, "version": kind.version}


def _add_message(message: Message, schemas: dict[str, Object], kind: Kind | None = None) -> None:
    """Add a message and whatever it refers to."""
    if message.name in schemas:
        return
    schema: Object = {"description": message.doc, "type": "object"}
    schemas[message.name] = schema
    schema["properties"] = {each.name: _property(each, schemas) for each in message.fields}
    needed = sorted(each.name for each in message.fields if each.required)
    if needed:
        schema["required"] = needed
    if message.preserve_unknown:
        schema[PRESERVE_UNKNOWN] = True
    if message.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    if kind:
        schema[GVK] = [_gvk(kind)]


def _property(field: Field, schemas: dict[str, Object]) -> Object:
    schema = {"description": field.doc, **_type(field.type, schemas)}
    if field.default is not None:
        schema["default"] = field.default
    if field.enum:
        schema["enum"] = list(field.enum)
    return {**schema, **merge_extensions(field)}


def _type(type_: Type, schemas: dict[str, Object]) -> Object:
    if isinstance(type_, Message):
        _add_message(type_, schemas)
        return {"default": {}, "allOf": [{"$ref": _REFERENCE + type_.name}]}
    if isinstance(type_, ListOf):
        return {"type": "array", "items": _type(type_.item, schemas)}
    if isinstance(type_, MapOf):
        return {"type": "object", "additionalProperties": _type(type_.value, schemas)}
    return _scalar(type_, schemas)


def _scalar(scalar: Scalar, schemas: dict[str, Object]) -> Object:
    if not scalar.name:
        return dict(scalar.openapi)
    schemas[scalar.name] = {"description": scalar.doc, **(scalar.openapi_v3 or scalar.openapi)}
    return {"allOf": [{"$ref": _REFERENCE + scalar.name}]}


def _list_name(kind: Kind) -> str:
    return f"{kind.schema.name}List"


def _list_schema(kind: Kind) -> Object:
    items = {
        "type": "array",
        "items": {"allOf": [{"$ref": _REFERENCE + kind.schema.name}]},
        "description": "The items.",
    }
    metadata = {"description": "Standard metadata of a list.", "allOf": [{"$ref": _REFERENCE + LIST_META.name}]}
    return {
        "description": f"{kind.list_kind} is a list of these.",
        "type": "object",
        "properties": {
            "apiVersion": {"description": API_VERSION.doc, "type": "string"},
            "items": items,
            "kind": {"description": KIND.doc, "type": "string"},
            "metadata": metadata,
        },
        "required": ["items"],
        GVK: [{**_gvk(kind), "kind": kind.list_kind}],
    }


def _paths(kind: Kind) -> Iterator[tuple[str, Object]]:
    """Make the path items of a kind: its collection, its objects, and their subresources."""
    collection: Object = {}
    if "list" in kind.verbs:
        collection["get"] = _operation(kind, "list", _list_name(kind), query=_LIST_QUERY)
    if "create" in kind.verbs:
        collection["post"] = _operation(kind, "post", kind.schema.name, BODY_TYPES)
    if "deletecollection" in kind.verbs:
        collection["delete"] = _operation(kind, "deletecollection", STATUS.schema.name, query=_LIST_QUERY)
    yield kind.template(), collection
    if kind.namespaced and "list" in kind.verbs:
        yield kind.path(), {"get": collection["get"]}
    if "get" not in kind.verbs:
        return
    item = _item_operations(kind)
    item["delete"] = _operation(kind, "delete", STATUS.schema.name)
    yield kind.template("{name}"), item
    for each in kind.subresources:
        if each.connects:
            continue
        body = each.body or kind
        path = kind.template("{name}", each.name)
        if "create" in each.verbs:
            yield path, {"post": _operation(body, "post", body.schema.name, BODY_TYPES)}
        elif "patch" in each.verbs:
            yield path, _item_operations(body)


def _item_operations(body: Kind) -> Object:
    return {
        "get": _operation(body, "get", body.schema.name, query={}),
        "put": _operation(body, "put", body.schema.name, BODY_TYPES),
        "patch": _operation(body, "patch", body.schema.name, patch_types(body)),
    }


def _operation(
    kind: Kind, action: str, answer: str, consumes: Sequence[str] = (), *, query: dict[str, str] | None = None
) -> Object:
    parameters = [
        {"name": name, "in": "query", "description": doc, "schema": {"type": "string", "uniqueItems": True}}
        for name, doc in (_QUERY if query is None else query).items()
    ]
    reference = {"schema": {"$ref": _REFERENCE + answer}}
    operation: Object = {
        "description": f"{action} {kind.name}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {"application/json": reference}}},
        "x-kubernetes-action": action,
        GVK: _gvk(kind),
    }
    if consumes:
        body = (
            {"schema": {"$ref": _REFERENCE + kind.schema.name}} if action != "patch" else {"schema": {"type": "object"}}
        )
        operation["requestBody"] = {"content": dict.fromkeys(consumes, body), "required": True}
    return operation
