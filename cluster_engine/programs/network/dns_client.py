"""Asking a name server for dig, nslookup and host: the question, how often it is asked, and how each try failed.

    asking = Asking("10.96.0.10")
    answer = await ask(query(invocation, "web.default.svc.cluster.local.", "A", asking), asking)
    answer.seconds                      0.0011

What resolv.conf says and how a question travels is the world's (`world/resolver.py`). Modelled on BIND 9.18.
"""

import asyncio
import errno

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.reversename
import msgspec

from cluster_engine.programs.invocation import Invocation
from cluster_engine.world import resolver

LOCALHOST = "127.0.0.1"
TRIES = 3
_SAID = {errno.ECONNREFUSED: "connection refused", errno.EHOSTUNREACH: "host unreachable"}


class NoAnswerError(Exception):
    """Nobody has answered; the lines say how each try failed, as BIND's tools do."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Answer(msgspec.Struct, frozen=True):
    """What a server has answered: the message, how many bytes it was, and how long it took in seconds."""

    message: dns.message.Message
    size: int
    seconds: float
    server: str
    port: int
    by_tcp: bool = False


class Asking(msgspec.Struct, frozen=True):
    """How to ask: which server, how many seconds to wait, how often to try, and whether by TCP."""

    server: str
    port: int = resolver.PORT
    timeout: float = resolver.TIMEOUT_SECONDS
    tries: int = TRIES
    by_tcp: bool = False
    edns_bytes: int | None = None
    recursion: bool = True


def configuration(invocation: Invocation) -> tuple[str, resolver.Configuration]:
    """Return the name server of whoever runs the program (itself, where none is said) and its resolv.conf."""
    found = resolver.configuration(invocation.files)
    return (found.servers or (LOCALHOST,))[0], found


def query(invocation: Invocation, name: str, kind: str, asking: Asking) -> dns.message.QueryMessage:
    """Make a question. dns.exception.DNSException for a name or type that is none."""
    found = dns.message.make_query(
        dns.name.from_text(name), kind, id=invocation.process.rng.getrandbits(16), flags=dns.flags.RD * asking.recursion
    )
    if asking.edns_bytes is not None:
        found.use_edns(0, payload=asking.edns_bytes)
    return found


async def ask(question: dns.message.QueryMessage, asking: Asking) -> Answer:
    """Ask a server. NoAnswerError."""
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    for _ in range(asking.tries):
        begun, said = loop.time(), "end of file"
        try:
            message = await resolver.answer_of(question, asking.server, asking.timeout, asking.port, tcp=asking.by_tcp)
            if message is not None:
                seconds, size = loop.time() - begun, len(message.wire or b"")
                return Answer(message, size, seconds, asking.server, asking.port, asking.by_tcp)
        except TimeoutError:
            said = "timed out"
        except OSError as error:
            said = _SAID.get(error.errno or 0, "network unreachable")
        except asyncio.IncompleteReadError:
            pass
        failures.append(f";; communications error to {asking.server}#{asking.port}: {said}")
    raise NoAnswerError(failures)


def reverse(address: str) -> str:
    """Return the name under which a name is found for an address. ValueError."""
    try:
        return str(dns.reversename.from_address(address))
    except dns.exception.SyntaxError as problem:
        raise ValueError(address) from problem
