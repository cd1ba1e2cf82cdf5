"""Discovery and OpenAPI: documents that never change while a server runs, made once and named by a hash.

    GET /apis                 aggregated (one document) or legacy (a list of groups), as Accept says
    GET /openapi/v3           the index; each entry's URL carries the hash of what lies behind it, so it may be kept

Clients keep them: with If-None-Match they are told 304, and a v3 document asked for by its right hash is immutable.

Modelled on apiserver/pkg/endpoints/discovery/aggregated and kube-openapi/pkg/handler3.
"""

import functools
import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cluster_engine.api import discovery, openapi
from cluster_engine.api.status import NotAcceptable
from cluster_engine.apiserver.handlers.negotiation import negotiate, wants_aggregated_discovery
from cluster_engine.apiserver.handlers.responses import NOT_FOUND_TEXT
from cluster_engine.apiserver.request_info import parse_query
from cluster_engine.apiserver.serving.exchange import Headers, Request, Response

JSON_TYPE = "application/json"
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
OPENAPI_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OPENAPI_V3 = "/openapi/v3"

Document = tuple[bytes, str]
"""The bytes and their hash, which serves as Etag."""


def discovery_response(request: Request, path: str) -> Response:
    """Answer `/api`, `/apis` and what lies below down to the group version."""
    accept = request.header("accept")
    if path in ("/api", "/apis") and wants_aggregated_discovery(accept):
        headers: Headers = (("vary", "Accept"), ("cache-control", "public"))
        return _unless_known(request, _aggregated(path), AGGREGATED_TYPE, headers)
    negotiate(accept)
    body = _legacy(path)
    return NOT_FOUND_TEXT if body is None else Response(200, JSON_TYPE, body, (("vary", "Accept"),))


def openapi_v3_response(request: Request, path: str, now: datetime) -> Response:
    """Answer `/openapi/v3` and the documents below it."""
    name = path.removeprefix(OPENAPI_V3).strip("/")
    if not name:
        return Response(200, JSON_TYPE, msgspec.json.encode(openapi.v3_index()))
    found = _openapi_v3().get(name)
    if found is None:
        return NOT_FOUND_TEXT
    _, right = found
    asked = parse_query(request.query).get("hash")
    headers: Headers = (("vary", "Accept-Encoding"),)
    if asked == right:
        expires = (now + timedelta(days=365)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = (*headers, ("cache-control", "public, immutable"), ("expires", expires))
    elif asked:
        return Response(301, "", b"", (*headers, ("location", f"{path}?hash={right}")))
    return _unless_known(request, found, JSON_TYPE, headers)


def openapi_v2_response(request: Request) -> Response:
    """Answer `/openapi/v2`, in protobuf only."""
    accept = request.header("accept")
    if accept and "protobuf" not in accept and "*/*" not in accept:
        raise NotAcceptable()
    return _unless_known(request, _openapi_v2(), OPENAPI_V2_TYPE, (("vary", "Accept"),))


def _unless_known(request: Request, document: Document, content_type: str, headers: Headers) -> Response:
    body, etag = document
    headers = (("etag", f'"{etag}"'), *headers)
    if request.header("if-none-match").strip('"') == etag:
        return Response(304, "", b"", headers)
    return Response(200, content_type, body, headers)


def _document(value: Any) -> Document:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return body, hashlib.sha512(body).hexdigest().upper()


@functools.cache
def _aggregated(path: str) -> Document:
    return _document(discovery.aggregated_core() if path == "/api" else discovery.aggregated_groups())


@functools.lru_cache(maxsize=64)
def _legacy(path: str) -> bytes | None:
    match path.strip("/").split("/"):
        case ["api"]:
            return msgspec.json.encode(discovery.api_versions())
        case ["apis"]:
            return msgspec.json.encode(discovery.api_group_list())
        case ["api", "v1"]:
            return msgspec.json.encode(discovery.api_resource_list("v1"))
        case ["apis", group] if group in discovery.GROUPS:
            return msgspec.json.encode(discovery.api_group(group))
        case ["apis", group, "v1"] if group in discovery.GROUPS:
            return msgspec.json.encode(discovery.api_resource_list(f"{group}/v1"))
    return None


@functools.cache
def _openapi_v3() -> dict[str, Document]:
    """Give all v3 documents by name, each with the hash that the index says."""
    index = openapi.v3_index()["paths"]
    hashes = {name: parse_query(entry["serverRelativeURL"].partition("?")[2])["hash"] for name, entry in index.items()}
    return {name: (msgspec.json.encode(openapi.v3(name)), right) for name, right in hashes.items()}


@functools.cache
def _openapi_v2() -> Document:
    return _document(openapi.v2_protobuf())
