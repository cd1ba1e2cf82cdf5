"""OpenAPI 2, for kubectl up to 1.28: apply asks it for merge keys and whether the server validates fields and dry-runs.

kubectl wants it in gnostic's protobuf form, others as JSON. Two oddities of its old reader are respected: an object
with properties has no `type` (with one it would be taken for a map), and extensions are YAML text in a message.
"""

import json
from collections.abc import Iterable, Sequence

from cluster_engine.api.derived import derived
from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.objects import JSON, Object
from cluster_engine.api.patches import patch_types
from cluster_engine.api.schema import Field, Kind, ListOf, MapOf, Message, Scalar, Type, merge_extensions
from cluster_engine.api.schemas.meta import DELETE_OPTIONS, STATUS
from cluster_engine.rpc import openapi_v2_pb2 as pb
from cluster_engine.version import VERSION

GVK = "x-kubernetes-group-version-kind"
_REFERENCE = "#/definitions/"


@derived
def v2(kinds: KindSet) -> bytes:
    """Write the document about all kinds that are served, those that they refer to included."""
    served = [kind for each in kinds.group_versions for kind in each.kinds]
    schemas: dict[str, pb.Schema] = {}
    for kind in (*served, DELETE_OPTIONS, STATUS):
        _add_message(kind.schema, schemas, kind)
    paths = [path for kind in served for path in _paths(kind)]
    made = pb.Document(
        swagger="2.0",
        info=pb.Info(title="Kubernetes", version=VERSION),
        paths=pb.Paths(path=paths),
        definitions=pb.Definitions(
            additional_properties=[pb.NamedSchema(name=name, value=value) for name, value in sorted(schemas.items())]
        ),
    )
    return made.SerializeToString(deterministic=True)


def v2_json(kinds: KindSet) -> bytes:
    """Write the same document as JSON, which everybody else asks for."""
    document = pb.Document()
    document.ParseFromString(v2(kinds))
    info = {"title": document.info.title, "version": document.info.version}
    paths = {each.name: {"patch": _operation_json(each.value.patch)} for each in document.paths.path}
    definitions = {each.name: _schema_json(each.value) for each in document.definitions.additional_properties}
    return json.dumps({"swagger": document.swagger, "info": info, "paths": paths, "definitions": definitions}).encode()


def _schema_json(schema: pb.Schema) -> Object:
    if schema._ref:
        described = {"description": schema.description} if schema.description else {}
        return {**described, "$ref": schema._ref, **_extensions_json(schema.vendor_extension)}
    made: Object = {"description": schema.description, "format": schema.format, "required": list(schema.required)}
    properties = schema.properties.additional_properties
    made["type"] = "object" if properties else "".join(schema.type.value)
    made["properties"] = {each.name: _schema_json(each.value) for each in properties}
    if schema.items.schema:
        made["items"] = _schema_json(schema.items.schema[0])
    if schema.HasField("additional_properties"):
        made["additionalProperties"] = _schema_json(schema.additional_properties.schema)
    return {name: value for name, value in made.items() if value} | _extensions_json(schema.vendor_extension)


def _operation_json(operation: pb.Operation) -> Object:
    queries = (each.parameter.non_body_parameter.query_parameter_sub_schema for each in operation.parameters)
    return {
        "description": operation.description,
        "operationId": operation.operation_id,
        "consumes": list(operation.consumes),
        "produces": list(operation.produces),
        "parameters": [{"name": each.name, "in": "query", "type": each.type} for each in queries],
        "responses": {"200": {"description": "OK"}},
        **_extensions_json(operation.vendor_extension),
    }


def _extensions_json(found: Iterable[pb.NamedAny]) -> Object:
    return {each.name: json.loads(each.value.yaml) for each in found}


def _yaml(value: JSON) -> pb.Any:
    return pb.Any(yaml=json.dumps(value))


def _extensions(found: Object) -> list[pb.NamedAny]:
    return [pb.NamedAny(name=name, value=_yaml(value)) for name, value in found.items()]


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "kind": kind.name, "version": kind.version}


def _add_message(message: Message, schemas: dict[str, pb.Schema], kind: Kind | None = None) -> None:
    """Add a message and whatever it refers to."""
    if message.name in schemas:
        return
    schema = schemas[message.name] = pb.Schema(description=message.doc)
    properties = [pb.NamedSchema(name=each.name, value=_property(each, schemas)) for each in message.fields]
    schema.properties.CopyFrom(pb.Properties(additional_properties=properties))
    schema.required.extend(each.name for each in message.fields if each.required)
    if kind:
        schema.vendor_extension.extend(_extensions({GVK: [_gvk(kind)]}))
    if message.preserve_unknown:
        schema.vendor_extension.extend(_extensions({"x-kubernetes-preserve-unknown-fields": True}))


def _property(field: Field, schemas: dict[str, pb.Schema]) -> pb.Schema:
    schema = _type(field.type, schemas)
    schema.description = field.doc
    schema.vendor_extension.extend(_extensions(merge_extensions(field)))
    return schema


def _type(type_: Type, schemas: dict[str, pb.Schema]) -> pb.Schema:
    if isinstance(type_, Message):
        _add_message(type_, schemas)
        return pb.Schema(_ref=_REFERENCE + type_.name)
    if isinstance(type_, ListOf):
        return pb.Schema(type=pb.TypeItem(value=["array"]), items=pb.ItemsItem(schema=[_type(type_.item, schemas)]))
    if isinstance(type_, MapOf):
        values = pb.AdditionalPropertiesItem(schema=_type(type_.value, schemas))
        return pb.Schema(type=pb.TypeItem(value=["object"]), additional_properties=values)
    return _scalar(type_, schemas)


def _scalar(scalar: Scalar, schemas: dict[str, pb.Schema]) -> pb.Schema:
    schema = pb.Schema(format=scalar.openapi.get("format", ""))
    if scalar.openapi.get("type", "object") != "object":
        schema.type.value.append(scalar.openapi["type"])
    if not scalar.name:
        return schema
    schema.description = scalar.doc
    schemas[scalar.name] = schema
    return pb.Schema(_ref=_REFERENCE + scalar.name)


def _paths(kind: Kind) -> Sequence[pb.NamedPathItem]:
    """Make the path of a kind's objects, with the one operation that kubectl looks at."""
    if "patch" not in kind.verbs:
        return ()
    parameters = [_query(name) for name in ("dryRun", "fieldManager", "fieldValidation")]
    patch = pb.Operation(
        description=f"patch {kind.name}",
        operation_id=f"patch{kind.name}",
        consumes=patch_types(kind),
        produces=["application/json"],
        parameters=parameters,
        vendor_extension=_extensions({GVK: _gvk(kind), "x-kubernetes-action": "patch"}),
    )
    path = kind.template("{name}")
    return (pb.NamedPathItem(name=path, value=pb.PathItem(patch=patch)),)


def _query(name: str) -> pb.ParametersItem:
    query = pb.QueryParameterSubSchema(**{"in": "query"}, name=name, type="string")
    parameter = pb.Parameter(non_body_parameter=pb.NonBodyParameter(query_parameter_sub_schema=query))
    return pb.ParametersItem(parameter=parameter)
