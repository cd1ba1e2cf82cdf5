"""What a simulated cluster leaves behind, and the invariants look at: the journal, etcd's true history, the end.

Everything here is data, so that a test can doctor a story and see the invariant go red.

    Write(revision=57, key="/registry/pods/default/web-0", before=None, now={…}, at=3.2)
    history.of("pods")                    the writes of pods, oldest first
    history.state("pods", 57)             what a list at 57 has to hold, by token "pods/default/web-0"
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cluster_engine.api.objects import Object
from cluster_engine.lens.kubernetes import registry_token
from tests.recent import EPOCH

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold; `seqs` are the journal's entries that show it."""

    invariant: str
    text: str
    seqs: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f" [journal {', '.join(map(str, self.seqs))}]" if self.seqs else ""
        return f"{self.invariant}: {self.text}{where}"


@dataclass(frozen=True, slots=True)
class Write:
    """One change of one key: `before` is None when it was created, `now` when it was deleted."""

    revision: int
    key: str
    before: Object | None
    now: Object | None
    at: float = 0.0

    @property
    def token(self) -> str:
        """The object's name, "pods/default/web-0"."""
        return registry_token(self.key)


class History:
    """Every write that etcd has ever made, whatever it has compacted since."""

    def __init__(self, writes: Iterable[Write] = ()) -> None:
        self.writes: list[Write] = []
        self._by_resource: dict[str, list[Write]] = {}
        self._by_token: dict[str, list[Write]] = {}
        for write in writes:
            self.add(write)

    def add(self, write: Write) -> None:
        """Remember a write; they come in order."""
        self.writes.append(write)
        self._by_resource.setdefault(write.token.partition("/")[0], []).append(write)
        self._by_token.setdefault(write.token, []).append(write)

    def of(self, resource: str, since: int = 0, until: float = float("inf")) -> list[Write]:
        """Give the writes of a resource with `since` < revision <= `until`."""
        writes = self._by_resource.get(resource, [])
        first = bisect_right(writes, since, key=lambda write: write.revision)
        return [write for write in writes[first:] if write.revision <= until]

    def about(self, token: str) -> list[Write]:
        """Give the writes of one name."""
        return self._by_token.get(token, [])

    def state(self, resource: str, revision: int) -> dict[str, Object]:
        """Give the objects of a resource as they were at a revision, by token."""
        objects: dict[str, Object] = {}
        for write in self.of(resource, until=revision):
            if write.now is None:
                objects.pop(write.token, None)
            else:
                objects[write.token] = write.now
        return objects


@dataclass(frozen=True, slots=True)
class Start:
    """A container started by a host's containerd, for the pod of that uid."""

    seq: int
    host: str
    pod: str
    uid: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Somebody's copy of a collection: resourceVersions by token, beside those it should have."""

    owner: str
    held: dict[str, str]
    true: dict[str, str]


@dataclass(slots=True)
class Story:
    """All there is to judge. `stored` is etcd's end: revisions by token; `calm_at` when nothing was broken any more.

    `began_anew`: etcd lost its disk, and `history` is what it has written since.
    """

    entries: list[Entry] = field(default_factory=list)
    history: History = field(default_factory=History)
    began_anew: bool = False
    stored: dict[str, int] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    components: tuple[str, ...] = ()
    calm_at: float = float("inf")
    failure: BaseException | None = None
    seconds: float = 0.0
    epoch: datetime = EPOCH
    said: dict[int, Any] = field(default_factory=dict)
    """What the journal's entries do not say of requests: `traffic.Said` by seq."""
