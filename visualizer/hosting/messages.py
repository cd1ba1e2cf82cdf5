"""What passes over the bus between web processes and workers, and in which stream.

What people do, and what is told of that, are the structs of `cluster_engine.deeds`.

stream             from → to                      messages
worker:<worker>    web → the worker               Ask(question), answered in `reply_to`
web:<web>          worker → the web process       Reply
cluster:<cluster>  worker → whoever follows it    Said(life, …, n): Batch, Clock, Typed, Output, Reads, Editing,
                                                  Background, Done, State, Lesson, Input, Applied, Outside,
                                                  Left
                   web → web processes            Said(life, State of a cluster without a process), Said(0, Rights)
clusters           worker → whoever records       Announced: this cluster now writes its stream
loads              worker → whoever places        Load: what its clusters take of its machine

lease              held by          means
worker:<worker>    the worker       it is alive and its engine is loaded
cluster:<cluster>  <worker>#<life>  it runs that life of the cluster; `ENDED` holds it for a while once it is given up
recorder           a web            it writes journals to the database and gives up clusters whose worker is gone

Fencing. A process may stand still for as long as it likes (a suspended machine, SIGSTOP) and go on in the belief that
nothing has happened. So the lease of a cluster carries the number of its life, and so does whatever acts or speaks: a
question is for one life, an append to a cluster's stream is made only while the lease is held (`Bus.append(under=…)`),
what it says is passed over by readers who have heard of a later life, and the database takes nothing of another life
than the one in its row. Who wakes renews its lease before it does anything else, and is told by that if it is over.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

import msgspec

from cluster_engine import deeds
from cluster_engine.deeds import Deed, Input
from visualizer.hosting.batches import Batch

logger = logging.getLogger(__name__)
T = TypeVar("T")

ENDED = "ended"  # the holder of the lease of a cluster that was given up: its worker, if it wakes, stops it
LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
CLUSTERS = "clusters"
LOADS = "loads"
KILLED = frozenset({"hung", "memory", "crashed"})  # why a process was ended, or ended itself, over what it was doing
SUSPENDING = KILLED | {"idle", "room", "server-stopped", "worker-lost", "process-lost"}
"""Reasons after which a cluster may come back."""


def worker_name(worker: str) -> str:
    """The inbox of a worker, and its lease."""
    return f"worker:{worker}"


def web_name(web: str) -> str:
    """The inbox of a web process."""
    return f"web:{web}"


def cluster_name(cluster: str) -> str:
    """The stream of a cluster, and its lease."""
    return f"cluster:{cluster}"


def holder_of(worker: str, life: int) -> str:
    """Who holds the lease of a cluster: a worker, for one life of it."""
    return f"{worker}#{life}"


def worker_and_life(holder: str) -> tuple[str, int]:
    """Read `holder_of` back; a life of 0 for what is no worker (`ENDED`)."""
    worker, _, life = holder.rpartition("#")
    return (worker, int(life)) if worker and life.isdecimal() else (holder, 0)


# Questions ------------------------------------------------------------------------------------------------------------


class Create(msgspec.Struct, tag=True, frozen=True):
    """Start a cluster, or bring one back; answered by {} once this worker holds it, long before it is up.

    What is brought back is replayed: its `inputs`, each at its time, up to `until`, where time stands if `paused`. The
    entries up to `recorded` are known, the last of them as `last`; they are made again and not told again. Every
    process that a cluster lives in is one `life` of it; it was up last under `revision`. `epoch` is the date at its
    beginning, in Unix seconds. Its API server's certificate has `gateway_names` too, for `Kubeconfig`; a worker that
    has a GATEWAY_HOST puts its own there. By the `secret` the authority's key is the same in every life. A branch that
    comes to its beginning for the first time says where it `leaves` its parent.
    """

    nodes: int
    seed: int
    pace: float | None = 1.0
    lesson: str | None = None
    epoch: float | None = None
    life: int = 1
    inputs: list[Input] = []
    until: float = 0.0
    paused: bool = False
    recorded: int = 0
    last: dict[str, Any] | None = None
    gateway_names: list[str] = []
    effort: float = 0.0
    revision: str = ""
    system_pods: bool = False
    secret: bytes = b""
    etcd_members: int = 1
    audit: bool = False
    key_lab: bool = False
    leaves: bool = False


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Stop a cluster, for a reason out of `REASONS`; answered by {}. The `successor` is what it was replaced by."""

    reason: str
    successor: str | None = None


class Detail(msgspec.Struct, tag=True, frozen=True):
    """Ask for one entry's headers, body and bytes."""

    seq: int


class Entries(msgspec.Struct, tag=True, frozen=True):
    """Ask for entries after `since`; answered by a JSON array."""

    since: int
    limit: int


class Export(msgspec.Struct, tag=True, frozen=True):
    """Ask for slice `number` of the journal in a format, of `cluster_engine.export`; answered by its `Slice` as JSON.

    The asker chooses a `name` for the whole, and asks for slice 0, 1, … until one is the last. What is chosen, and in
    which language, counts with the first.
    """

    name: str
    number: int
    format: str
    first: int = 1
    last: int | None = None
    connection: int | None = None
    language: str = "en"
    prints: bool = False
    """Whether what was typed and printed is theirs to take as well."""


class StateAt(msgspec.Struct, tag=True, frozen=True):
    """Ask what stood after entry `at`, in a view of `cluster_engine.state`; answered by its JSON."""

    view: str
    at: int
    args: dict[str, str] = {}


class Search(msgspec.Struct, tag=True, frozen=True):
    """Ask which entries after `since` have these texts in their bodies; answered as `lens.searching` does."""

    texts: list[str]
    since: int = 0


class Kubeconfig(msgspec.Struct, tag=True, frozen=True):
    """Ask for a kubeconfig that leads through the gateway, to a name of its machine; answered by a JSON string."""

    name: str = "127.0.0.1"


class Inputs(msgspec.Struct, tag=True, frozen=True):
    """Ask for the inputs after number `since`; answered by a JSON array."""

    since: int = 0


class Workers(msgspec.Struct, tag=True, frozen=True):
    """Ask for the names of the machines for pods, those that were switched on later too; answered by a JSON array."""


class Recap(msgspec.Struct, tag=True, frozen=True):
    """Ask what stands, of what is told once: for who has missed some of it. Answered by a JSON array of `Told`.

    Its state, clock and lesson, that it is spoken to from outside, the last faults of incidents that were applied, and
    what its last commands said. Entries and inputs have questions of their own.
    """


Question = Deed | Create | Stop | Detail | Entries | Export | StateAt | Search | Inputs | Recap | Kubeconfig | Workers


class Ask(msgspec.Struct, frozen=True):
    """A question to the worker that runs this `life` of `cluster`."""

    id: int
    reply_to: str
    cluster: str
    question: Question
    life: int = 1


class Reply(msgspec.Struct, frozen=True):
    """The answer as JSON, or why there is none, in words for people."""

    id: int
    answer: bytes = b"null"
    refusal: str | None = None
    missing: bool = False  # refused because there is no such thing


# What a cluster's stream tells ----------------------------------------------------------------------------------------


class Clock(msgspec.Struct, tag="clock", frozen=True):
    """The cluster's virtual time, and how it keeps its pace (`cluster_engine.world.pacing.Drift`), in real seconds."""

    now: float
    pace: float | None
    paused: bool
    reached: float | None = None
    behind: float = 0.0
    slept: float = 0.0
    overrun: float = 0.0


class State(msgspec.Struct, tag=True, frozen=True):
    """What became of the cluster in one of its lives; `reason` out of `REASONS` when it is suspended or has ended.

    Where the reason is one of `KILLED`, input number `n` (0: none) was the last thing done, in the words of `doing`.
    """

    state: Literal["starting", "running", "suspended", "ended"]
    reason: str = ""
    life: int = 1
    successor: str | None = None
    n: int = 0
    doing: str = ""


def state_after(reason: str, life: int, successor: str | None = None, *, n: int = 0, doing: str = "") -> State:
    """Say what becomes of a cluster whose process ends for a reason out of `REASONS`."""
    return State("suspended" if reason in SUSPENDING else "ended", reason, life, successor, n, doing)


class Lesson(msgspec.Struct, tag=True, frozen=True):
    """How far the lesson has come, whole; as the player says it."""

    state: dict[str, Any]


class Outside(msgspec.Struct, tag=True, frozen=True):
    """Somebody speaks to the cluster through the gateway: played again, its run is not the same to the entry."""


class Left(msgspec.Struct, tag=True, frozen=True):
    """A branch has come to the instant at which it leaves its parent, after entry `seq`, in virtual seconds."""

    at: float
    seq: int


class Rights(msgspec.Struct, tag=True, frozen=True):
    """Who may do what with the cluster has changed: whoever serves its pages asks again."""


class Announced(msgspec.Struct, frozen=True):
    """A worker has taken a cluster."""

    cluster: str


class Load(msgspec.Struct, frozen=True):
    """How crowded a worker's machine is: runnable tasks a core, and bytes of memory left."""

    worker: str
    cores: float
    free_bytes: int


Told = Batch | Clock | State | Lesson | Outside | Left | Rights | deeds.Told


class Said(msgspec.Struct, frozen=True):
    """A message on a cluster's stream, and the life that says it; 0 for what is of no life.

    The process of a cluster numbers what it says, from 1; `n` is 0 in what others say of it.
    """

    life: int
    told: Told
    n: int = 0


pack = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask)
_reply = msgspec.msgpack.Decoder(Reply)
_said = msgspec.msgpack.Decoder(Said)
_load = msgspec.msgpack.Decoder(Load)
_announced = msgspec.msgpack.Decoder(Announced)
inputs = msgspec.json.Decoder(list[Input]).decode


def asks(frames: Iterable[bytes]) -> Iterator[Ask]:
    """Read what a worker's inbox holds."""
    return _decoded(_ask, frames)


def replies(frames: Iterable[bytes]) -> Iterator[Reply]:
    """Read what a web process's inbox holds."""
    return _decoded(_reply, frames)


recap = msgspec.json.Decoder(list[Told]).decode


def say(told: Told, life: int, n: int = 0) -> bytes:
    """Write a message for a cluster's stream, in the name of a life."""
    return pack(Said(life, told, n))


class Reader:
    """Reads what a cluster's stream holds, from a life on: what an older one says is passed over.

    `has_missed` after a `read` that saw a gap in what a life has numbered, also before the first that was read:

        1 2 3      nothing missed
        3 4 | 7    missed before 7: the stream was trimmed before it was read
        1 2 | 1    of the next life: nothing missed
        2 | 1 2    nothing missed the second time: the stream is read again from its beginning
    """

    def __init__(self, life: int = 0) -> None:
        self.has_missed = False
        self._life = life
        self._next = 1

    def read(self, frames: Iterable[bytes]) -> list[Told]:
        """Return what is told."""
        self.has_missed = False
        return [said.told for said in _decoded(_said, frames) if self._counts(said)]

    def _counts(self, said: Said) -> bool:
        if 0 < said.life < self._life:
            return False
        if said.life > self._life:
            self._life, self._next = said.life, 1
        if said.n:
            self.has_missed = self.has_missed or said.n > self._next
            self._next = max(self._next, said.n + 1)
        return True


def loads(frames: Iterable[bytes]) -> Iterator[Load]:
    """Read what workers say of their machines."""
    return _decoded(_load, frames)


def announced(frames: Iterable[bytes]) -> Iterator[Announced]:
    """Read what the stream of all clusters holds."""
    return _decoded(_announced, frames)


def _decoded(decoder: msgspec.msgpack.Decoder[T], frames: Iterable[bytes]) -> Iterator[T]:
    """Read frames; one of another version's making is passed over, not stumbled upon again and again."""
    for frame in frames:
        try:
            yield decoder.decode(frame)
        except msgspec.DecodeError as problem:
            logger.warning("a message on the bus was not understood: %s", problem)
