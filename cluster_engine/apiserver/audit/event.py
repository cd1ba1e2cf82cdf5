"""An event of the audit log, and the two forms in which it becomes a line: `--audit-log-format` json and legacy.

    {"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"2f0c…","stage":"ResponseComplete",…}
    2026-01-01T10:00:03.25Z AUDIT: id="2f0c…" stage="ResponseComplete" ip="10.0.0.100" method="get" user="jane" …

Modelled on apiserver/pkg/apis/audit/v1/types.go and pkg/audit/format.go (v1.32).
"""

import json
from collections.abc import Callable, Sequence

import msgspec

from cluster_engine.api.objects import Object


class Reference(msgspec.Struct, omit_defaults=True, rename="camel"):
    """ObjectReference."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_group: str = ""
    api_version: str = ""
    resource_version: str = ""
    subresource: str = ""


class Event(msgspec.Struct, omit_defaults=True):
    """Event, in the order of Go's struct."""

    kind: str
    apiVersion: str  # noqa: N815, as on the wire
    level: str
    auditID: str  # noqa: N815
    stage: str
    requestURI: str  # noqa: N815
    verb: str
    user: msgspec.Raw
    impersonatedUser: msgspec.Raw | None = None  # noqa: N815
    sourceIPs: list[str] | None = None  # noqa: N815
    userAgent: str = ""  # noqa: N815
    objectRef: Reference | None = None  # noqa: N815
    responseStatus: Object | None = None  # noqa: N815
    requestObject: msgspec.Raw | None = None  # noqa: N815
    responseObject: msgspec.Raw | None = None  # noqa: N815
    requestReceivedTimestamp: str = ""  # noqa: N815
    stageTimestamp: str = ""  # noqa: N815
    annotations: dict[str, str] | None = None


Form = Callable[[Event], bytes]
as_json: Form = msgspec.json.Encoder().encode


class _Named(msgspec.Struct):
    username: str = ""
    groups: list[str] | None = None


_named = msgspec.json.Decoder(_Named).decode


def as_legacy(event: Event) -> bytes:
    """Write the few facts that the audit log had before it was JSON (EventString)."""
    user = _named(event.user)
    acting = _named(event.impersonatedUser) if event.impersonatedUser is not None else None
    said = {
        "id": event.auditID,
        "stage": event.stage,
        "ip": event.sourceIPs[0] if event.sourceIPs else "<unknown>",
        "method": event.verb,
        "user": user.username or "<none>",
        "groups": _list(user.groups) if user.username and user.groups else "<none>",
        "as": "<self>" if acting is None else acting.username,
        "asgroups": "<lookup>" if acting is None or acting.groups is None else _list(acting.groups),
        "user-agent": event.userAgent,
        "namespace": (event.objectRef.namespace if event.objectRef is not None else "") or "<none>",
        "uri": event.requestURI,
        "response": "<deferred>" if event.responseStatus is None else str(event.responseStatus["code"]),
    }
    at = f"{event.requestReceivedTimestamp[:-1].rstrip('0').rstrip('.')}Z"  # RFC3339Nano has no zeros at its end
    return f"{at} AUDIT: {' '.join(f'{name}={_quoted(value)}' for name, value in said.items())}".encode()


def _list(names: Sequence[str]) -> str:
    return ",".join(map(_quoted, names))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


FORMS: dict[str, Form] = {"json": as_json, "legacy": as_legacy}
