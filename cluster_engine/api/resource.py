"""What names a kind on the wire: all that a client has to know to ask for its objects.

A client knows this of every kind that discovery lists, also of those that it was not compiled with. What only a server
knows (schema, columns, rules) is added in `schema.Kind`, which is a `Resource` too.
"""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote

IN_A_SEGMENT = "$&+=:@"
"""Stands for itself in a segment of a URL's path, as Go's net/url has it (shouldEscape)."""
STANDARD_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def segment(text: str) -> str:
    """Write a name as a segment of a URL's path: `a?b` as `a%3Fb`."""
    return quote(text, IN_A_SEGMENT)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Resource:
    """A kind by its names, its scope and its verbs. Two are equal only if they are the same record.

    `name` is the kind (Pod), `plural` what URLs say (pods); the core group is the empty one.
    """

    group: str
    version: str
    name: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = STANDARD_VERBS
    api_version: str = field(init=False)
    resource_name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_version", f"{self.group}/{self.version}" if self.group else self.version)
        object.__setattr__(self, "resource_name", f"{self.plural}.{self.group}" if self.group else self.plural)

    @property
    def list_kind(self) -> str:
        """The kind of a list of these: `PodList`."""
        return f"{self.name}List"

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the URL path of a collection, an object or a subresource; no namespace means all of them."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", segment(namespace)]
        parts.append(self.plural)
        parts += [segment(part) for part in (name, subresource) if part]
        return "/".join(parts)

    def template(self, name: str | None = None, subresource: str | None = None) -> str:
        """Return a path as OpenAPI writes it: /api/v1/namespaces/{namespace}/pods/{name}."""
        return unquote(self.path("{namespace}", name, subresource))
