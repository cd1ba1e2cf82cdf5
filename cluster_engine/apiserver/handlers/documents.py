"""Discovery and OpenAPI: documents that change only when kinds come or go, made once for a set of kinds and hashed.

    GET /apis                 aggregated (one document) or legacy (a list of groups), as Accept says
    GET /openapi/v3           the index; each entry's URL carries the hash of what lies behind it, so it may be kept

Clients keep them: with If-None-Match they are told 304, and a v3 document asked for by its right hash is immutable.

Modelled on apiserver/pkg/endpoints/discovery/aggregated and kube-openapi/pkg/handler3.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cluster_engine.api import discovery, openapi
from cluster_engine.api.derived import derived
from cluster_engine.api.kind_set import GroupVersion, KindSet
from cluster_engine.api.openapi_v2 import v2, v2_json
from cluster_engine.api.status import NotAcceptable
from cluster_engine.apiserver.handlers.negotiation import JSON_TYPES, negotiate, wants_aggregated_discovery
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT
from cluster_engine.apiserver.request_info import parse_query
from cluster_engine.apiserver.serving.exchange import Headers, Request, Response

JSON_TYPE = "application/json"
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OPENAPI_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OPENAPI_V3 = "/openapi/v3"

Document = tuple[bytes, str]
"""The bytes and their hash, which serves as Etag."""


def discovery_response(kinds: KindSet, request: Request, path: str) -> Response:
    """Answer `/api`, `/apis` and what lies below down to the group version."""
    accept = request.header("accept")
    if path in ("/api", "/apis") and wants_aggregated_discovery(accept):
        headers: Headers = (("vary", "Accept"), ("cache-control", "public"))
        return _unless_known(request, (_core if path == "/api" else _groups)(kinds), AGGREGATED_TYPE, headers)
    negotiate(accept)
    found = _legacy(kinds, path)
    if found is None:
        return NOT_FOUND_TEXT
    return Response(200, JSON_TYPE, msgspec.json.encode(found), (("vary", "Accept"),))


def openapi_v3_response(kinds: KindSet, request: Request, path: str, now: datetime) -> Response:
    """Answer `/openapi/v3` and the documents below it."""
    name = path.removeprefix(OPENAPI_V3).strip("/")
    if not name:
        return Response(200, JSON_TYPE, msgspec.json.encode(openapi.v3_index(kinds)))
    of = _group_version(kinds, name.split("/"))
    if of is None:
        return NOT_FOUND_TEXT
    found = openapi.encoded_v3(of)
    _, right = found
    asked = parse_query(request.query).get("hash")
    headers: Headers = (("vary", "Accept-Encoding"),)
    if asked == right:
        expires = (now + timedelta(days=365)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = (*headers, ("cache-control", "public, immutable"), ("expires", expires))
    elif asked:
        return Response(301, "", b"", (*headers, ("location", f"{path}?hash={right}")))
    return _unless_known(request, found, JSON_TYPE, headers)


def openapi_v2_response(kinds: KindSet, request: Request) -> Response:
    """Answer `/openapi/v2`: JSON, unless protobuf alone is asked for."""
    accept = request.header("accept")
    vary: Headers = (("vary", "Accept"),)
    if not accept or any(each in accept for each in JSON_TYPES):
        return _unless_known(request, _openapi_v2_json(kinds), JSON_TYPE, vary)
    if "protobuf" not in accept:
        raise NotAcceptable()
    return _unless_known(request, _openapi_v2(kinds), OPENAPI_V2_TYPE, vary)


def _unless_known(request: Request, document: Document, content_type: str, headers: Headers) -> Response:
    body, etag = document
    headers = (("etag", f'"{etag}"'), *headers)
    if request.header("if-none-match").strip('"') == etag:
        return Response(304, "", b"", headers)
    return Response(200, content_type, body, headers)


def _document(value: Any) -> Document:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return body, hashlib.sha512(body).hexdigest().upper()


@derived
def _core(kinds: KindSet) -> Document:
    return _document(discovery.aggregated_core(kinds))


@derived
def _groups(kinds: KindSet) -> Document:
    return _document(discovery.aggregated_groups(kinds))


@derived
def _openapi_v2(kinds: KindSet) -> Document:
    return _document(v2(kinds))


@derived
def _openapi_v2_json(kinds: KindSet) -> Document:
    return _document(v2_json(kinds))


def _legacy(kinds: KindSet, path: str) -> Any:
    parts = path.strip("/").split("/")
    match parts:
        case ["api"]:
            return discovery.api_versions(kinds)
        case ["apis"]:
            return discovery.api_group_list(kinds)
        case ["apis", group] if group in kinds.groups:
            return discovery.api_group(kinds, group)
    of = _group_version(kinds, parts)
    return None if of is None else discovery.api_resource_list(of)


def _group_version(kinds: KindSet, parts: list[str]) -> GroupVersion | None:
    match parts:
        case ["api", version]:
            return kinds.group_version("", version)
        case ["apis", group, version] if group:
            return kinds.group_version(group, version)
    return None
