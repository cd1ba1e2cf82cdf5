"""Kubernetes' own protobuf: four bytes that say so, an envelope, and in it the object, by its kind's schema.

kubectl and the components of a real cluster send it, and API servers store objects so in etcd. Field numbers are those
of `api.schemas`. Modelled on apimachinery/pkg/runtime/serializer/protobuf.

    6b 38 73 00        k8s\\0
    0a 0f …            typeMeta     apiVersion = v1, kind = ConfigMap
    12 05 …            raw          a ConfigMap: metadata, data, …
"""

from collections.abc import Mapping

from cluster_engine.api import schema
from cluster_engine.api.derived import derived
from cluster_engine.api.kinds import BUILT_IN
from cluster_engine.api.protobuf import MAGIC
from cluster_engine.fields.field import Field
from cluster_engine.fields.protobuf import (
    Known,
    Read,
    Shape,
    Show,
    boolean,
    double,
    fields,
    nothing_known,
    signed,
    strings,
)
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.unreadable import Unreadable

TYPE_META, RAW = 1, 2
"""Numbers in the envelope, runtime.Unknown."""


def kubernetes_object(data: bytes) -> tuple[Field, ...]:
    """Dissect a body of the type application/vnd.kubernetes.protobuf."""
    return dissected(data, read_object)


def read_stored(stretch: Stretch) -> None:
    """Read what a key of etcd holds: an object in this form, or something else, as JSON is."""
    if stretch.peek(len(MAGIC)) == MAGIC:
        read_object(stretch)
    else:
        stretch.text("kubernetes.stored", len(stretch))


def read_object(stretch: Stretch) -> None:
    """Read the magic number, the envelope and the object in it."""
    if stretch.peek(len(MAGIC)) != MAGIC:
        raise Unreadable("not Kubernetes' protobuf: it does not begin with k8s\\0")
    stretch.take("kubernetes.magic", len(MAGIC), "k8s\\0")
    envelope = dict(strings(stretch.peek(len(stretch))))
    who = {number: text.decode("utf-8", "replace") for number, text in strings(envelope.get(TYPE_META, b""))}
    kind = BUILT_IN.by_kind(who.get(1, ""), who.get(2, ""))
    inner = nothing_known if kind is None else _shape(kind.schema)
    known = {
        TYPE_META: Known("typeMeta", _reads({1: Known("apiVersion", is_text=True), 2: Known("kind", is_text=True)})),
        RAW: Known("raw", lambda raw: fields(raw, inner)),
        3: Known("contentEncoding", is_text=True),
        4: Known("contentType", is_text=True),
    }
    fields(stretch, known.get)


def _reads(known: Mapping[int, Known]) -> Read:
    return lambda stretch: fields(stretch, known.get)


_SHOWN: Mapping[schema.Scalar, Show] = {
    schema.BOOL: boolean,
    schema.INT32: signed,
    schema.INT64: signed,
}
_MOMENT = _reads({1: Known("seconds", show=signed), 2: Known("nanos", show=signed)})
_RAW = _reads({1: Known("raw")})
_MESSAGES: Mapping[schema.Scalar, Read] = {
    schema.TIME: _MOMENT,
    schema.MICRO_TIME: _MOMENT,
    schema.QUANTITY: _reads({1: Known("string", is_text=True)}),
    schema.INT_OR_STRING: _reads({1: Known("type"), 2: Known("intVal", show=signed), 3: Known("strVal", is_text=True)}),
    schema.RAW: _RAW,
    schema.RAW_EXTENSION: _RAW,
}
"""What JSON writes as a string or number, and protobuf as a message."""


@derived
def _shapes(of: schema.Message) -> dict[int, Known]:
    return {each.number: _known(each) for each in of.own if each.number}


def _shape(of: schema.Message) -> Shape:
    return lambda number: _shapes(of).get(number)


def _known(each: schema.Field | schema.Inline) -> Known:
    if isinstance(each, schema.Inline):
        return Known(each.message.go_name, _message(each.message))
    return _of_type(each.name, each.type)


def _message(of: schema.Message) -> Read:
    return lambda stretch: fields(stretch, _shape(of))


def _of_type(name: str, type_: schema.Type) -> Known:
    if isinstance(type_, schema.ListOf):
        return _of_type(name, type_.item)
    if isinstance(type_, schema.MapOf):
        value = type_.value
        if isinstance(value, schema.ListOf):  # a message that only wraps a list
            held = Known("value", _reads({1: _of_type("items", value.item)}))
        else:
            held = _of_type("value", value)
        return Known(name, _reads({1: Known("key", is_text=True), 2: held}))
    if isinstance(type_, schema.Message):
        return Known(name, _message(type_))
    if type_ in _MESSAGES:
        return Known(name, _MESSAGES[type_])
    if type_ in _SHOWN:
        return Known(name, show=_SHOWN[type_], is_number=True)
    if type_ is schema.FLOAT64:
        return Known(name, show=double)
    return Known(name, is_text=type_ is not schema.BYTES)
