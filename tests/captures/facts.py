"""What was said on a wire, in words that both tshark's reading and the journal can be put into, and how they differ.

A fact belongs to one direction of one connection, and there to a *thread*, in which order counts: what TCP, TLS, HTTP/2
and a WebSocket say of themselves, each stream of HTTP/2, and all messages of HTTP/1. Between threads the order does not
count: the lens holds a record until it has its key, and writes a request down once it is whole.

    (8, from the client)   tcp       SYN  FIN           tls   client_hello  certificate  …  alert close_notify
                           http2     SETTINGS  SETTINGS ACK  GOAWAY 0
                           stream 1  GET /api/v1/nodes?limit=500

A fact is `due` where the other side must have it too. Not due are, of what tshark reads, a request and an answer whose
end the capture does not have: the journal has them at once, when the connection breaks, or not yet. Of what the journal
has, the answer over HTTP/1 to a watch or to an etcd member that listens: tshark shows a response once it has all of its
body, so never, where that goes on until the connection ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

TCP, TLS, HTTP1, HTTP2, WEBSOCKET = "tcp", "tls", "http/1", "http2", "websocket"


class Thread(NamedTuple):
    """Where order counts: a connection by the tap's number, a direction, and what speaks there."""

    connection: int
    from_client: bool
    name: str

    def __str__(self) -> str:
        return f"connection {self.connection}, {'client' if self.from_client else 'server'}, {self.name}"


class Fact(NamedTuple):
    """One thing that was said; `where` is tshark's frame or the journal's entry."""

    thread: Thread
    said: str
    where: str
    is_due: bool = True


def differences(read: Iterable[Fact], written: Iterable[Fact]) -> Iterator[str]:
    """Say what tshark read and the journal does not have, and the other way round; in which thread, and where."""
    threads: defaultdict[Thread, tuple[list[Fact], list[Fact]]] = defaultdict(lambda: ([], []))
    for side, facts in enumerate((read, written)):
        for fact in facts:
            threads[fact.thread][side].append(fact)
    for thread, (theirs, ours) in threads.items():
        yield from (f"{thread}: {problem}" for problem in _compared(theirs, ours))


def _compared(theirs: list[Fact], ours: list[Fact]) -> Iterator[str]:
    """Go through both in order; what one has and the other does not is passed over on its side."""
    at = 0
    for fact in theirs:
        found = next((n for n in range(at, len(ours)) if ours[n].said == fact.said), None)
        if found is not None:
            yield from _alone(ours[at:found])
            at = found + 1
        elif fact.is_due:
            yield f"tshark alone has {fact.said} ({fact.where})"
    yield from _alone(ours[at:])


def _alone(ours: list[Fact]) -> Iterator[str]:
    return (f"the journal alone has {one.said} ({one.where})" for one in ours if one.is_due)
