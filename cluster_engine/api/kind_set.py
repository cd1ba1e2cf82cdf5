"""Kinds that are served together: how to find one from a URL or an object, and in which groups and versions they lie.

A set never changes; one kind more or less makes another set, which shares what has not changed. So what is derived from
a set (discovery's documents) or from a group version (OpenAPI's) is made once, for all API servers that serve the same.

    kinds.by_resource("apps", "v1", "deployments")     the kind that a URL names
    kinds.by_kind("v1", "Pod")                         the kind that an object says it is
    kinds.groups["apps"]                               (GroupVersion apps/v1,), the best version first

Groups stand in the order in which their first kind does. Which of a group's versions is best follows
apimachinery/pkg/version, CompareKubeAwareVersionStrings: v2, v1, v2beta1, v1beta2, v1alpha1, and then all others.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cluster_engine.api.derived import Derived
from cluster_engine.api.schema import Kind

_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_MATURITY = {None: 0, "beta": 1, "alpha": 2}


@dataclass(frozen=True, slots=True, eq=False)
class GroupVersion:
    """The kinds that one version of one group serves, by their plurals."""

    group: str
    version: str
    kinds: tuple[Kind, ...]
    derived: Derived = field(init=False, repr=False, default_factory=dict)

    @property
    def name(self) -> str:
        """Group and version as objects name them: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


class KindSet:
    """Kinds that never change. Iterating gives all, in the order given; `stored` are those whose objects are kept."""

    __slots__ = ("_all", "_by_kind", "_by_resource", "_everywhere", "derived", "groups", "stored")

    def __init__(
        self, kinds: Iterable[Kind], *, everywhere: Iterable[Kind] = (), like: "KindSet | None" = None
    ) -> None:
        """Make a set. Kinds `everywhere` exist in every group; parts that are equal to those of `like` are shared.

        Raise ValueError where two kinds have the same resource or the same name.
        """
        self._all = tuple(kinds)
        self.stored = tuple(kind for kind in self._all if kind.is_stored)
        self._everywhere = {kind.name: kind for kind in everywhere}
        self._by_kind = {(kind.api_version, kind.name): kind for kind in self._all}
        self._by_resource = {(kind.group, kind.version, kind.plural): kind for kind in self._all if kind.is_served}
        if len(self._by_kind) < len(self._all) or len(self._by_resource) < sum(kind.is_served for kind in self._all):
            raise ValueError("two kinds have the same resource or the same name")
        self.groups: dict[str, tuple[GroupVersion, ...]] = _groups(self._all, {} if like is None else like.groups)
        self.derived: Derived = {}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._all)

    @property
    def group_versions(self) -> list[GroupVersion]:
        """Every version of every group, the core group first, then in the order in which they are offered."""
        return [each for name in sorted(self.groups, key=bool) for each in self.groups[name]]

    def group_version(self, group: str, version: str) -> GroupVersion | None:
        """Find a version of a group, if it is served."""
        return next((each for each in self.groups.get(group, ()) if each.version == version), None)

    def by_resource(self, group: str, version: str, plural: str) -> Kind | None:
        """Find the kind that a URL's resource names; the core group is the empty one."""
        return self._by_resource.get((group, version, plural))

    def by_kind(self, api_version: str, name: str) -> Kind | None:
        """Find the kind that an object says it is."""
        return self._by_kind.get((api_version, name)) or self._everywhere.get(name)

    def with_kind(self, kind: Kind) -> "KindSet":
        """Return a set of one kind more. ValueError when its place is taken."""
        return KindSet((*self._all, kind), everywhere=self._everywhere.values(), like=self)

    def without_kind(self, kind: Kind) -> "KindSet":
        """Return a set of one kind less. ValueError when it is not there."""
        if kind not in self._all:
            raise ValueError(f"{kind.resource_name} is not served")
        left = (each for each in self._all if each is not kind)
        return KindSet(left, everywhere=self._everywhere.values(), like=self)


def _groups(kinds: Iterable[Kind], known: dict[str, tuple[GroupVersion, ...]]) -> dict[str, tuple[GroupVersion, ...]]:
    found: dict[str, dict[str, list[Kind]]] = {}
    for kind in kinds:
        if kind.is_served:
            found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    old = {(each.group, each.version): each for versions in known.values() for each in versions}

    def made(group: str, version: str) -> GroupVersion:
        served = tuple(sorted(found[group][version], key=lambda kind: kind.plural))
        before = old.get((group, version))
        return before if before is not None and before.kinds == served else GroupVersion(group, version, served)

    return {group: tuple(made(group, each) for each in sorted(found[group], key=precedence)) for group in found}


def precedence(version: str) -> tuple[int, int, int, str]:
    """Return what sorts the versions of a group, the best first."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return 3, 0, 0, version
    major, maturity, minor = match.groups()
    return _MATURITY[maturity], -int(major), -int(minor or 0), version
