"""Bodies of requests: JSON, YAML or protobuf to plain objects, checked against the kind and defaulted.

    application/json ──┐
    application/yaml ──┼──►  dict  ──►  strict check (unknown fields: warn or refuse)  ──►  defaults  ──►  object
    …protobuf ─────────┘

Modelled on apiserver/pkg/endpoints/handlers/{create,rest}.go and apimachinery's serializers.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cluster_engine.api import documents, protobuf, strict
from cluster_engine.api.defaulting import default
from cluster_engine.api.kind_set import KindSet
from cluster_engine.api.objects import Object
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import BadRequest, UnsupportedMediaType
from cluster_engine.apiserver.registry.backend import Call
from cluster_engine.apiserver.registry.metadata import check_kind

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
SUMMARY_BYTES = 30
TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'


def media_type(content_type: str) -> str:
    """Return a Content-Type without its parameters; JSON where there is none, "" where it says nothing."""
    return content_type.partition(";")[0].strip().lower() if content_type else JSON


def decode(kinds: KindSet, body: bytes, content_type: str, expected: str) -> Object:
    """Read a body as an object; `expected` is the kind that it should be of. BadRequest, UnsupportedMediaType."""
    media = media_type(content_type)
    if media == PROTOBUF:
        return protobuf.decode(kinds, body)
    if media == JSON:
        value = decode_json(body, expected)
    elif media == YAML:
        value = _decode_yaml(body, expected)
    else:
        raise UnsupportedMediaType()
    if not isinstance(value, dict):
        what = "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"
        raise _unrecognized(body, expected, f"json: cannot unmarshal {what} into Go value of type {TYPE_META}")
    return value


def decode_json(body: bytes, expected: str) -> Any:
    """Read JSON, whatever it holds."""
    try:
        return documents.read_json(body)
    except documents.Unreadable as problem:
        raise _unrecognized(body, expected, str(problem)) from problem


def _decode_yaml(body: bytes, expected: str) -> Any:
    try:
        return documents.read_one_yaml(body)
    except documents.Unreadable as problem:
        raise _unrecognized(body, expected, str(problem)) from problem


def _unrecognized(body: bytes, expected: str, why: str) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {expected}): couldn't get version/kind; "
        f"json parse error: {why} ({_summary(body)})"
    )


def _summary(body: bytes) -> str:
    """Show how a body begins: text if it looks like JSON, else hexadecimal (rest.go, summarizeData)."""
    start, dots = body[:SUMMARY_BYTES], " ..." if len(body) > SUMMARY_BYTES else ""
    if not body:
        return "<empty>"
    return (start.decode("utf-8", "replace") if body[:1] == b"{" else start.hex()) + dots


def read(kinds: KindSet, call: Call, kind: Kind, body: bytes, content_type: str) -> Object:
    """Read a body as an object of a kind, checked and completed.

    Keys that stand twice are only looked for when `fieldValidation` is asked for, as kubectl does.
    """
    obj = decode(kinds, body, content_type, kind.name)
    check_kind(kind, obj)
    mode = call.parameters.get("fieldValidation", "")
    if mode in ("Strict", "Warn"):
        return complete(call, kind, obj, doubled(body, media_type(content_type)))
    return complete(call, kind, obj)


def doubled(body: bytes, media: str) -> list[str]:
    """Report keys that stand twice in an object of a body."""
    if media == JSON:
        return strict.duplicate_fields(body)
    if media == YAML and (found := next(documents.yaml_documents(body)).doubled):
        return ["\n  ".join(["yaml: unmarshal errors:", *found])]
    return []


def complete(call: Call, kind: Kind, obj: Object, doubled: Sequence[str] = ()) -> Object:
    """Check an object's fields as `fieldValidation` says, and fill in defaults; `doubled` are keys that stand twice."""
    mode = call.parameters.get("fieldValidation", "")
    unknown, cleaned = strict.check(kind, obj)
    problems = [*doubled, *unknown]
    if problems and mode == "Strict":
        raise strict.strict_error(kind, problems)
    if mode != "Ignore":
        call.warnings.extend(problems)
    default(kind, cleaned)
    return cleaned


def copied(obj: Object) -> Object:
    """Copy deeply; by way of JSON, which is the fastest."""
    copy: Object = msgspec.json.decode(msgspec.json.encode(obj))
    return copy
