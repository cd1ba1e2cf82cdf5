"""A journal written by hand: entries as the lens tells of them, each with the body that it was read from."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from state_story import Recording

from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import Evidence, pack
from cluster_engine.rpc import kv_pb2

API, ETCD = "control-plane/kube-apiserver", "control-plane/etcd"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Wires(Recording):
    """Says things on wires; returns the entry that tells of each."""

    def __init__(self, **bounds: Any) -> None:
        super().__init__(Journal(**bounds), EPOCH)
        self.revision = 0

    def say(
        self, kind: str, source: str, to: str | None, body: Any = b"", type_: str = "application/json", **fields: Any
    ) -> int:
        """Append an entry with a body; among the `fields` its `replyTo`, `connection` and `stream`."""
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        entry = {
            **{"seq": 0, "at": self.journal.head / 1000, "arrived": None, "layer": "story", "kind": kind, "label": ""},
            **{"from": source, "to": to, "cause": None, "trigger": None, "size": len(payload), "heartbeat": False},
            **{name: fields.pop(name, None) for name in ("replyTo", "connection", "stream")},
            "fields": fields,
        }
        return self.journal.append(entry, pack(Evidence((), (), b"", type_), self.journal.keep_body(payload)))

    def put(self, key: str, obj: Any) -> int:
        """Have etcd tell its watchers of a write."""
        return self._event(key, "PUT", msgspec.json.encode(obj))

    def delete(self, key: str) -> int:
        """Have etcd tell its watchers that a key is gone."""
        return self._event(key, "DELETE", b"")

    def _event(self, key: str, type_: str, value: bytes) -> int:
        self.revision += 1
        pair = kv_pb2.KeyValue(key=key.encode(), value=value, mod_revision=self.revision)
        event = kv_pb2.Event(type=type_, kv=pair).SerializeToString()
        said = {"type": type_, "key": key, "revision": self.revision}
        return self.say("etcd.event", ETCD, API, event, "protobuf:mvccpb.Event", connection=2, stream=1, **said)
