"""What HTTP carries, by its type: JSON, a watch's lines, Kubernetes' protobuf, gRPC's messages, Raft's.

body_of(Context("http.response", headers=[("content-type", "application/json")], …))   -> text, which explains itself
body_of(Context("etcd.event", body_type="protobuf:mvccpb.Event", …))                   -> gRPC: a WatchResponse
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from cluster_engine.fields import grpc, raft
from cluster_engine.fields.field import Field, text_of
from cluster_engine.fields.kubernetes import kubernetes_object
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.lens.evidence import KUBERNETES_PROTOBUF

Dissector = Callable[[bytes], tuple[Field, ...]]

PROTOBUF = "protobuf:"
SENT_WITHIN = {"mvccpb.Event": "etcdserverpb.WatchResponse"}
"""Of what is an entry by itself, the message in which it is sent."""


class Context(NamedTuple):
    """What the journal knows of the entry that the bytes belong to: see docs/journal.md and `lens.evidence`."""

    kind: str
    stream: int | None
    fields: Mapping[str, Any]
    headers: Sequence[tuple[str, str]]
    body_type: str

    @property
    def family(self) -> str:
        """The first word of the kind."""
        return self.kind.partition(".")[0]


def body_of(context: Context) -> Dissector | None:
    """Return what dissects the body that these bytes carry; None where they carry none of their own."""
    if context.body_type.startswith(f"{PROTOBUF}raftpb."):
        return {"MsgApp": raft.appends, "MsgSnap": raft.snapshot}.get(context.fields.get("type", ""), raft.messages)
    if context.body_type.startswith(PROTOBUF):
        name = context.body_type.removeprefix(PROTOBUF)
        return partial(grpc.messages, name=SENT_WITHIN.get(name, name))
    if context.family in ("grpc", "etcd"):
        return grpc.messages
    if context.family == "watch":
        return _lines
    return _by_content_type(context) if context.family == "http" else None


def _by_content_type(context: Context) -> Dissector:
    headers = dict(context.headers)
    content_type = headers.get("content-type", "")
    if headers.get("content-encoding", "identity") != "identity":
        return _compressed
    if content_type.startswith(KUBERNETES_PROTOBUF) and "stream=" not in content_type:
        return kubernetes_object
    if "json" in content_type or "yaml" in content_type:
        return _lines if context.fields.get("verb") == "watch" else _json
    return _text if content_type.startswith("text/") else _bytes


def _lines(data: bytes) -> tuple[Field, ...]:
    def read(stretch: Stretch) -> None:
        while stretch:
            found = data.find(b"\n", stretch.at)
            stretch.text("body.watch_event", (len(data) if found < 0 else found + 1) - stretch.at)

    return dissected(data, read)


def _json(data: bytes) -> tuple[Field, ...]:
    return _whole("body.json", data, text_of(data.decode("utf-8", "replace")))


def _text(data: bytes) -> tuple[Field, ...]:
    return _whole("body.text", data, text_of(data.decode("utf-8", "replace")))


def _bytes(data: bytes) -> tuple[Field, ...]:
    return _whole("body.bytes", data, text_of(data))


def _compressed(data: bytes) -> tuple[Field, ...]:
    return _whole("body.compressed", data, text_of(data))


def _whole(name: str, data: bytes, value: str) -> tuple[Field, ...]:
    return (Field(name, 0, len(data), value),) if data else ()
