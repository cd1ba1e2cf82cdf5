"""What a path asks of an API server: Kubernetes' request attributes, from method and path alone.

Modelled on `apiserver/pkg/endpoints/request/requestinfo.go`, which the authorizer of a real API server goes by. Also
how the same object is called in etcd (`/registry/minions/a` is `nodes//a`), so that both sides of the server can be
joined. Left out: proxy paths' inner path, the old `/watch/` prefix.

    parse("POST", "/apis/apps/v1/namespaces/default/deployments?fieldManager=kubectl-create")
    -> Asked(verb="create", group="apps", version="v1", resource="deployments", namespace="default", …)
    token("deployments", "default", "web")                     -> "deployments/default/web"
    registry_token("/registry/deployments/default/web")        -> "deployments/default/web"
"""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from cluster_engine.api.kinds import BUILT_IN

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
COLLECTION_VERBS = frozenset({"list", "watch", "deletecollection"})
NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
REGISTRY_PREFIX = "/registry/"
REGISTRY_NAMES = {kind.storage_prefix: kind.plural for kind in BUILT_IN.stored if kind.storage_prefix != kind.plural}
SINGULARS = {kind.plural: kind.singular for kind in BUILT_IN}
PLURALS = {kind.name.lower(): kind.plural for kind in BUILT_IN}


class Asked(msgspec.Struct, frozen=True):
    """A request's attributes; `resource` is empty for what is not an object (discovery, health, version)."""

    method: str
    path: str
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @property
    def token(self) -> str:
        """The object's name for the index of causes; ends in "/" when it is a collection."""
        return f"{self.resource}/{self.namespace}/{self.name}"

    @property
    def label(self) -> str:
        """The request in short: "POST deployments", "GET pods/web-1", "watch pods"."""
        if not self.resource:
            return f"{self.method} {self.path.partition('?')[0]}"
        if self.verb == "watch":
            return f"watch {self.resource}"
        parts = [self.resource, self.name, self.subresource]
        return f"{self.method} {'/'.join(part for part in parts if part)}"

    def parameter(self, key: str) -> str:
        """Return a query parameter, "" when it is not there."""
        return next((value for name, value in self.query if name == key), "")

    @property
    def everywhere(self) -> bool:
        """Whether this is about a collection in all namespaces."""
        if self.verb not in COLLECTION_VERBS or self.namespace:
            return False
        kind = BUILT_IN.by_resource(self.group, self.version, self.resource)
        return kind is not None and kind.namespaced

    @property
    def selector(self) -> str:
        """What a collection is narrowed to, by fields or by labels; "" for nothing."""
        return ", ".join(filter(None, (self.parameter("fieldSelector"), self.parameter("labelSelector"))))

    @property
    def since(self) -> str:
        """The version from which on a watch is asked for; "" for none."""
        since = self.parameter("resourceVersion") if self.verb == "watch" else ""
        return "" if since == "0" else since

    def fields(self) -> dict[str, Any]:
        """The attributes as an entry shows them, without the empty ones."""
        found: dict[str, Any] = {"method": self.method, "path": self.path, "verb": self.verb}
        for key in ("group", "version", "resource", "namespace", "name", "subresource"):
            value = getattr(self, key)
            if value:
                found[key] = value
        if self.everywhere:
            found["allNamespaces"] = True
        if self.selector:
            found["selector"] = self.selector
        if self.since:
            found["since"] = self.since
        return found


@lru_cache(maxsize=512)
def parse(method: str, path: str) -> Asked:
    """Read a request line as an API server does."""
    plain, _, query_text = path.partition("?")
    query = tuple(parse_qsl(query_text, keep_blank_values=True))
    verb = VERBS.get(method, method.lower())
    parts = [unquote(part) for part in plain.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Asked(method, path, verb, query=query)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in NAMESPACE_SUBRESOURCES:
        namespace, rest = rest[1], rest[2:]
    resource = rest[0]
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    return Asked(method, path, _verb(verb, name, query), group, version, resource, namespace, name, subresource, query)


def _verb(verb: str, name: str, query: tuple[tuple[str, str], ...]) -> str:
    if name:
        return verb
    if verb == "get":
        watching = any(key == "watch" and value in ("", "1", "true") for key, value in query)
        return "watch" if watching else "list"
    return "deletecollection" if verb == "delete" else verb


def token(resource: str, namespace: str, name: str) -> str:
    """Name an object for the index of causes."""
    return f"{resource}/{namespace}/{name}"


@lru_cache(maxsize=1024)
def registry_token(key: str) -> str:
    """Name the object (or, for a prefix, the collection) that an etcd key of an API server stands for; "" if none."""
    if not key.startswith(REGISTRY_PREFIX):
        return ""
    inner = key[len(REGISTRY_PREFIX) :]
    for prefix, named in REGISTRY_NAMES.items():
        if inner.startswith(f"{prefix}/"):
            inner = named + inner[len(prefix) :]
            break
    parts = inner.split("/")
    if "." in parts[0]:
        parts = parts[1:]
    if not parts:
        return ""
    resource = parts[0]
    if len(parts) == 2:
        return f"{resource}//{parts[1]}"
    return f"{resource}/{'/'.join(parts[1:])}" if len(parts) > 2 else f"{resource}//"


@lru_cache(maxsize=256)
def singular(resource: str) -> str:
    """Return the word for one of `resource`: "pods" -> "pod"; a guess where the kind is not built in."""
    if resource in SINGULARS:
        return SINGULARS[resource]
    if resource.endswith("ies"):
        return resource[:-3] + "y"
    if resource.endswith("sses"):
        return resource[:-2]
    return resource.removesuffix("s")


@lru_cache(maxsize=256)
def plural(kind: str) -> str:
    """Return the resource of a kind: "Pod" -> "pods"; where it is not built in, UnsafeGuessKindToResource's guess."""
    lower = kind.lower()
    if lower in PLURALS:
        return PLURALS[lower]
    if lower.endswith("s"):
        return lower + "es"
    return lower[:-1] + "ies" if lower.endswith("y") else lower + "s"
