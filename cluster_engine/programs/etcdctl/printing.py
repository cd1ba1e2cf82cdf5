"""What etcdctl prints: simple, json, fields and table, each letter by letter as the real one.

    get foo                    foo\\nbar
    get foo -w json            {"header":{"cluster_id":…},"kvs":[{"key":"Zm9v","create_revision":2,…}],"count":1}
    get foo -w fields          "Key" : "foo" …
    endpoint status -w table   +---…---+ …

JSON is Go's of the protobuf structs: fields in the order of the .proto, zeros left out, bytes as base64, and what
stands in a oneof below two names of Go's. Protobuf is the answer as it came. Modelled on
etcdctl/ctlv3/command/printer*.go (3.5).
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from cluster_engine.programs.etcdctl.failures import BAD_FEATURE, FailedError
from cluster_engine.rpc import etcd_pb2 as pb
from cluster_engine.rpc import kv_pb2

FORMATS = ("simple", "json", "fields", "table", "protobuf")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def unsupported(name: str) -> FailedError:
    """Return the failure of a command that has no output in this format."""
    return FailedError(f"{name} not supported as output format", BAD_FEATURE)


def go_json(value: Any) -> str:
    """Write JSON as Go does: no blanks, <, > and & escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def as_json(message: Message) -> dict[str, Any]:
    """Return what Go's encoding/json makes of a message's generated struct."""
    told: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None:
            if message.HasField(field.name):
                told[oneof.name.title()] = {_camel(field.name): _value(field, getattr(message, field.name))}
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            if len(value):
                told[field.name] = [_value(field, one) for one in value]
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if message.HasField(field.name):
                told[field.name] = as_json(value)
        elif value:
            told[field.name] = _value(field, value)
    return told


def _value(field: Any, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return as_json(value)
    return base64.b64encode(value).decode() if field.type == FieldDescriptor.TYPE_BYTES else value


def _camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Draw a table as olekukonko/tablewriter does: the header in the middle, cells to the right."""
    titles = [title.upper() for title in header]
    widths = [max(len(cell) for cell in column) for column in zip(titles, *rows, strict=True)]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"
    head = "".join(f"| {_centred(title, width)} " for title, width in zip(titles, widths, strict=True)) + "|\n"
    body = "".join(
        "".join(f"| {cell:>{width}} " for cell, width in zip(row, widths, strict=True)) + "|\n" for row in rows
    )
    return f"{line}{head}{line}{body}{line}"


def _centred(text: str, width: int) -> str:
    return (" " * ((width - len(text)) // 2) + text).ljust(width)


def size(count: int) -> str:
    """Write a number of bytes as go-humanize does: 20480 is "20 kB"."""
    if count < 10:
        return f"{count} B"
    unit, value = 0, float(count)
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    value = int(value * 10 + 0.5) / 10
    return f"{value:.1f} {_UNITS[unit]}" if value < 10 else f"{value:.0f} {_UNITS[unit]}"


def quoted(data: bytes) -> str:
    """Quote bytes as Go's %q does."""
    told = []
    for one in data.decode("utf-8", "surrogateescape"):
        code = ord(one)
        if 0xDC80 <= code <= 0xDCFF:
            told.append(f"\\x{code - 0xDC00:02x}")
        elif one in '"\\':
            told.append(f"\\{one}")
        elif one in "\a\b\f\n\r\t\v":
            told.append("\\" + "abfnrtv"["\a\b\f\n\r\t\v".index(one)])
        elif one.isprintable():
            told.append(one)
        else:
            told.append(f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}")
    return '"' + "".join(told) + '"'


class Printer:
    """Writes answers in one format; `values_only` and `hexadecimal` are of the simple one."""

    def __init__(self, name: str, *, hexadecimal: bool = False) -> None:
        self.name = name
        self.hexadecimal = hexadecimal
        self.values_only = False

    def answer(self, message: Message) -> bytes:
        """Print the answer to get, put, del or txn."""
        if self.name == "json":
            return (go_json(as_json(message)) + "\n").encode()
        if self.name == "fields":
            return self.fields(message).encode("utf-8", "surrogateescape")
        if self.name == "protobuf":
            return message.SerializeToString()
        return self._simple(message)

    def events(self, response: pb.WatchResponse) -> bytes:
        """Print what a watch tells."""
        if self.name == "json":
            told = {
                "Header": as_json(response.header),
                "Events": [as_json(event) for event in response.events],
                "CompactRevision": response.compact_revision,
                "Canceled": response.canceled,
                "Created": response.created,
            }
            return (go_json(told) + "\n").encode()
        if self.name == "fields":
            text = header_fields(response.header)
            for event in response.events:
                text += f'"Type" : {_type(event)}\n'
                text += (_pair_fields("Prev", event.prev_kv) if event.HasField("prev_kv") else "") + _pair_fields(
                    "", event.kv
                )
            return text.encode("utf-8", "surrogateescape")
        if self.name == "protobuf":
            return response.SerializeToString()
        told_ = b""
        for event in response.events:
            told_ += f"{_type(event)}\n".encode()
            told_ += (self._pair(event.prev_kv) if event.HasField("prev_kv") else b"") + self._pair(event.kv)
        return told_

    def _simple(self, message: Message) -> bytes:
        if isinstance(message, pb.RangeResponse):
            return b"".join(map(self._pair, message.kvs))
        if isinstance(message, pb.PutResponse):
            return b"OK\n" + (self._pair(message.prev_kv) if message.HasField("prev_kv") else b"")
        if isinstance(message, pb.DeleteRangeResponse):
            return f"{message.deleted}\n".encode() + b"".join(map(self._pair, message.prev_kvs))
        assert isinstance(message, pb.TxnResponse)
        told = b"SUCCESS\n" if message.succeeded else b"FAILURE\n"
        return told + b"".join(b"\n" + self._simple(_inner(one)) for one in message.responses)

    def _pair(self, pair: kv_pb2.KeyValue) -> bytes:
        key, value = pair.key, pair.value
        if self.hexadecimal:
            key, value = (b"".join(b"\\x%02x" % one for one in data) for data in (key, value))
        return value + b"\n" if self.values_only else key + b"\n" + value + b"\n"

    def fields(self, message: Message) -> str:
        """Print an answer field by field."""
        text = header_fields(message.header)  # type: ignore[attr-defined]
        if isinstance(message, pb.RangeResponse):
            text += "".join(_pair_fields("", pair) for pair in message.kvs)
            return text + f'"More" : {_truth(message.more)}\n"Count" : {message.count}\n'
        if isinstance(message, pb.PutResponse):
            return text + (_pair_fields("Prev", message.prev_kv) if message.HasField("prev_kv") else "")
        if isinstance(message, pb.DeleteRangeResponse):
            previous = "".join(_pair_fields("Prev", pair) for pair in message.prev_kvs)
            return f'{text}"Deleted" : {message.deleted}\n{previous}'
        if isinstance(message, pb.TxnResponse):
            inner = "".join(self.fields(_inner(one)) for one in message.responses)
            return f'{text}"Succeeded" : {_truth(message.succeeded)}\n{inner}'
        return text


def _type(event: Any) -> str:
    return "DELETE" if event.type else "PUT"


def _inner(one: pb.ResponseOp) -> Any:
    return getattr(one, str(one.WhichOneof("response")))


def _truth(value: bool) -> str:
    return "true" if value else "false"


def header_fields(header: pb.ResponseHeader) -> str:
    """Print a header field by field."""
    return (
        f'"ClusterID" : {header.cluster_id}\n"MemberID" : {header.member_id}\n"Revision" : {header.revision}\n'
        f'"RaftTerm" : {header.raft_term}\n'
    )


def _pair_fields(prefix: str, pair: kv_pb2.KeyValue) -> str:
    return (
        f'"{prefix}Key" : {quoted(pair.key)}\n"{prefix}CreateRevision" : {pair.create_revision}\n'
        f'"{prefix}ModRevision" : {pair.mod_revision}\n"{prefix}Version" : {pair.version}\n'
        f'"{prefix}Value" : {quoted(pair.value)}\n"{prefix}Lease" : {pair.lease}\n'
    )
