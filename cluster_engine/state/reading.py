"""What the journal has of an entry, read when it is needed, and once for each question.

reader.entry(12)      -> {"seq": 12, "kind": "grpc.request", …}, None when it has been forgotten
reader.message(12)    -> TxnRequest(…), its body
"""

from collections.abc import Callable
from typing import Any

import msgspec
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from cluster_engine.journal import Entry, Journal
from cluster_engine.journal.recent import Recent
from cluster_engine.lens.evidence import KUBERNETES_PROTOBUF, StoredEvidence, unpack
from cluster_engine.lens.objects import decode_protobuf

MESSAGES_MAX, DOCUMENTS_MAX = 64, 8
PROTOBUF = "protobuf:"


class Reader:
    """Reads a journal; remembers the latest messages, for many objects lie in one answer of etcd."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._messages: Recent[int, Any] = Recent(MESSAGES_MAX)
        self._documents: Recent[tuple[int, Any], tuple[Any]] = Recent(DOCUMENTS_MAX)

    def entry(self, seq: int | None) -> Entry | None:
        """Return an entry, None where there is none (any more)."""
        try:
            return None if seq is None else self._journal.entry(seq)
        except KeyError:
            return None

    def evidence(self, seq: int) -> StoredEvidence | None:
        """Return what lies beside an entry."""
        try:
            packed = self._journal.evidence(seq)
        except KeyError:
            return None
        return unpack(packed) if packed else None

    def message(self, seq: int) -> Any:
        """Return the protobuf message that an entry carries, None when there is none to be read."""
        found = self._messages.get(seq)
        if found is None:
            body_type, body = self.body(seq)
            found = _message(body_type.removeprefix(PROTOBUF), body) if body_type.startswith(PROTOBUF) else None
            if found is not None:
                self._messages[seq] = found
        return found

    def json(self, seq: int) -> Any:
        """Return the JSON (or Kubernetes protobuf, as JSON) that an entry carries, None when there is none."""
        return self.read_as(seq, _document)

    def read_as(self, seq: int, read: Callable[[str, bytes], Any]) -> Any:
        """Return what `read` makes of the type and the bytes of an entry's body; the latest are remembered."""
        found = self._documents.get((seq, read))
        if found is None:
            found = self._documents[seq, read] = (read(*self.body(seq)),)
        return found[0]

    def body(self, seq: int) -> tuple[str, bytes]:
        """Return the type of an entry's body, and the body; two empty ones when it is not here."""
        evidence = self.evidence(seq)
        if evidence is None:
            return "", b""
        body = b"" if evidence.body < 0 else self._journal.read(evidence.body)
        return ("", b"") if body is None or evidence.truncated else (evidence.body_type, body)


def _document(body_type: str, body: bytes) -> Any:
    if body_type.startswith(KUBERNETES_PROTOBUF):
        return decode_protobuf(body)
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, RecursionError):
        return None


def _message(name: str, body: bytes) -> Any:
    try:
        return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name)).FromString(body)
    except (KeyError, DecodeError):
        return None
