"""What passes over the bus between web processes and workers, and in which stream.

stream             from → to                      messages
worker:<worker>    web → the worker               Ask(question), answered in `reply_to`
web:<web>          worker → the web process       Reply
cluster:<cluster>  worker → whoever follows it    Batch, Clock, Output, Done, State: everything the page is told
clusters           worker → whoever records       Announced: this cluster now writes its stream

lease              held by      means
worker:<worker>    the worker   it is alive and its engine is loaded
cluster:<cluster>  the worker   it runs that cluster; `ENDED` holds it for a while once it is given up
recorder           a web        it writes journals to the database and gives up clusters whose worker is gone
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

import msgspec

from visualizer.hosting.batches import Batch

logger = logging.getLogger(__name__)
T = TypeVar("T")

ENDED = "ended"  # the holder of the lease of a cluster that was given up: its worker, if it wakes, stops it
LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
CLUSTERS = "clusters"


def worker_name(worker: str) -> str:
    """The inbox of a worker, and its lease."""
    return f"worker:{worker}"


def web_name(web: str) -> str:
    """The inbox of a web process."""
    return f"web:{web}"


def cluster_name(cluster: str) -> str:
    """The stream of a cluster, and its lease."""
    return f"cluster:{cluster}"


# Questions ------------------------------------------------------------------------------------------------------------


class Create(msgspec.Struct, tag=True, frozen=True):
    """Start a cluster; answered by {} once this worker holds it, long before it is up."""

    nodes: int
    seed: int
    pace: float = 1.0


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Stop a cluster, for a reason out of `REASONS`; answered by {}."""

    reason: str


class Command(msgspec.Struct, tag=True, frozen=True):
    """Type a line on the workstation; answered by {} at once, then told by `Output` and `Done`."""

    id: str
    line: str


class Interrupt(msgspec.Struct, tag=True, frozen=True):
    """Press Ctrl-C on a command."""

    id: str


class Pace(msgspec.Struct, tag=True, frozen=True):
    """Set how many virtual seconds pass in a real one."""

    pace: float


class Pause(msgspec.Struct, tag=True, frozen=True):
    """Stop virtual time."""


class Resume(msgspec.Struct, tag=True, frozen=True):
    """Let virtual time go on."""


class Step(msgspec.Struct, tag=True, frozen=True):
    """Go on to the next journal entry; answered by {"seq"}."""


class Detail(msgspec.Struct, tag=True, frozen=True):
    """Ask for one entry's headers, body and bytes."""

    seq: int


class Entries(msgspec.Struct, tag=True, frozen=True):
    """Ask for entries after `since`; answered by a JSON array."""

    since: int
    limit: int


class Kubeconfig(msgspec.Struct, tag=True, frozen=True):
    """Ask for a kubeconfig that leads through the gateway; answered by a JSON string."""


Question = Create | Stop | Command | Interrupt | Pace | Pause | Resume | Step | Detail | Entries | Kubeconfig


class Ask(msgspec.Struct, frozen=True):
    """A question to the worker that runs `cluster`."""

    id: int
    reply_to: str
    cluster: str
    question: Question


class Reply(msgspec.Struct, frozen=True):
    """The answer as JSON, or why there is none, in words for people."""

    id: int
    answer: bytes = b"null"
    refusal: str | None = None
    missing: bool = False  # refused because there is no such thing


# What a cluster's stream tells ----------------------------------------------------------------------------------------


class Clock(msgspec.Struct, tag=True, frozen=True):
    """The cluster's virtual time."""

    now: float
    pace: float | None
    paused: bool


class Output(msgspec.Struct, tag=True, frozen=True):
    """What a command wrote; `n` counts the frames of one command from 1."""

    id: str
    n: int
    stream: Literal["stdout", "stderr"]
    text: str


class Done(msgspec.Struct, tag=True, frozen=True):
    """A command has ended."""

    id: str
    n: int
    code: int


class State(msgspec.Struct, tag=True, frozen=True):
    """What became of the cluster; `reason` out of `REASONS` when it has ended."""

    state: Literal["running", "ended"]
    reason: str = ""


class Announced(msgspec.Struct, frozen=True):
    """A worker has taken a cluster."""

    cluster: str


Told = Batch | Clock | Output | Done | State

pack = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask)
_reply = msgspec.msgpack.Decoder(Reply)
_told = msgspec.msgpack.Decoder(Told)
_announced = msgspec.msgpack.Decoder(Announced)


def asks(frames: Iterable[bytes]) -> Iterator[Ask]:
    """Read what a worker's inbox holds."""
    return _decoded(_ask, frames)


def replies(frames: Iterable[bytes]) -> Iterator[Reply]:
    """Read what a web process's inbox holds."""
    return _decoded(_reply, frames)


def told(frames: Iterable[bytes]) -> Iterator[Told]:
    """Read what a cluster's stream holds."""
    return _decoded(_told, frames)


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
