"""What a request is about, read from its method and URL alone: verb, resource, namespace, name.

Theory of operation. Everything behind this module (authorization, audit, routing) speaks of verbs and resources; only
here are they read from a path. A URL without a name is a list or a watch rather than a get; a list that a field
selector narrows to one name is about that name, which is how a kubelet may list "its" Node and no other.

    GET  /api/v1/namespaces/default/pods/web-0/status   get    pods/status "web-0" in default
    GET  /apis/apps/v1/deployments?watch=1              watch  deployments.apps
    POST /api/v1/namespaces                             create namespaces
    GET  /version                                       get, not a resource

Modelled on apiserver/pkg/endpoints/request/requestinfo.go. Left out: the `proxy` prefix verb, gone since 1.10.
"""

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

import msgspec

VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
NAMESPACE_SUBRESOURCES = ("status", "finalize")
LONG_RUNNING_SUBRESOURCES = frozenset({"attach", "exec", "log", "portforward", "proxy"})
REMEMBERED_LENGTH_MAX = 512
"""Longer URLs are read anew each time, so that what is remembered stays small."""

TRUE_VALUES = ("1", "true", "True", "TRUE", "t", "T")
_EXACT_NAME = re.compile(r"(?:^|,)\s*metadata\.name==?([^,!=]+)")


class RequestInfo(msgspec.Struct, frozen=True):
    """A request in the words of authorization. For non-resource requests only `path` and `verb` are set."""

    verb: str
    path: str
    is_resource: bool = False
    prefix: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    rest: tuple[str, ...] = ()
    """What follows the subresource in the path (`proxy/<path>`)."""
    names_object: bool = False
    """True when the name stands in the path, not only in a field selector."""

    @property
    def is_long_running(self) -> bool:
        """Return whether the 60 seconds that other requests have do not apply."""
        return self.verb == "watch" or self.subresource in LONG_RUNNING_SUBRESOURCES


def parse_query(query: str) -> Mapping[str, str]:
    """Read a query string; the first value of each parameter counts, empty values are kept."""
    return _parse_query(query) if len(query) <= REMEMBERED_LENGTH_MAX else _parse_query.__wrapped__(query)


@functools.lru_cache(maxsize=512)
def _parse_query(query: str) -> Mapping[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(name, value)
    return MappingProxyType(parameters)


def is_true(value: str | None) -> bool:
    """Read a boolean parameter as Go's strconv.ParseBool does; anything else is false."""
    return value in TRUE_VALUES


def request_info(method: str, path: str, query: str) -> RequestInfo:
    """Tell what a request is about. `path` is percent-encoded, as it came."""
    if len(path) + len(query) <= REMEMBERED_LENGTH_MAX:
        return _request_info(method, path, query)
    return _request_info.__wrapped__(method, path, query)


@functools.lru_cache(maxsize=2048)
def _request_info(method: str, path: str, query: str) -> RequestInfo:
    parts = [unquote(part) for part in path.split("/") if part]
    verb = VERBS.get(method, method.lower())
    nothing = RequestInfo(verb=method.lower(), path=unquote(path))
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return nothing
    prefix, *parts = parts
    group = ""
    if prefix == "apis":
        if len(parts) < 3:
            return nothing
        group, *parts = parts
    version, *parts = parts
    watches = parts[0] == "watch" and len(parts) > 1
    if watches:
        verb, parts = "watch", parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource, name, subresource = (*parts, "", "")[:3]
    names_object = bool(name) and not watches
    if not name:
        verb, name = _collection_verb(verb, query)
    return RequestInfo(
        verb=verb,
        path=unquote(path),
        is_resource=True,
        prefix=prefix,
        group=group,
        version=version,
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
        rest=tuple(parts[3:]),
        names_object=names_object,
    )


def _collection_verb(verb: str, query: str) -> tuple[str, str]:
    """Tell verb and name of a request whose path names no object."""
    parameters = parse_query(query)
    if verb == "get":
        verb = "watch" if is_true(parameters.get("watch")) else "list"
    elif verb == "delete":
        verb = "deletecollection"
    if verb in ("list", "watch", "deletecollection"):
        exact = _EXACT_NAME.search(parameters.get("fieldSelector", ""))
        return verb, exact.group(1) if exact else ""
    return verb, ""
