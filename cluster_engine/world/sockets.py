"""What a socket is to the program that has it, and what it knows of that program; a listening one whole.

`tcp` has the connected ones.
"""

import asyncio
import contextvars
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from cluster_engine.world.tap import Endpoint

TIME_WAIT_SECONDS = 60.0
"""TCP_TIMEWAIT_LEN (include/net/tcp.h)."""
TIME_WAITS_MAX = 4096


class Descriptors:
    """The numbers of a process's open sockets: as in Linux, a new one has the lowest that is free, here from 3 on."""

    def __init__(self) -> None:
        self._taken = 0b111

    def open(self) -> int:
        """Take a number."""
        lowest = ~self._taken & (self._taken + 1)
        self._taken |= lowest
        return lowest.bit_length() - 1

    def close(self, number: int) -> None:
        """Give a number back."""
        self._taken &= ~(1 << number)


class TimeWait(msgspec.Struct, frozen=True):
    """What a host remembers of a connection that it closed first, until an instant of the loop's time."""

    local: Endpoint
    remote: Endpoint
    until: float


class TimeWaits:
    """A host's connections in TIME-WAIT: kept TIME_WAIT_SECONDS, the latest TIME_WAITS_MAX, and by nothing obeyed."""

    def __init__(self) -> None:
        self._waits: deque[TimeWait] = deque(maxlen=TIME_WAITS_MAX)

    def add(self, local: Endpoint, remote: Endpoint, now: float) -> None:
        """Remember a connection that has ended now."""
        self.at(now)
        self._waits.append(TimeWait(local, remote, now + TIME_WAIT_SECONDS))

    def at(self, now: float) -> list[TimeWait]:
        """Return what is remembered at an instant, the oldest first."""
        while self._waits and self._waits[0].until <= now:
            self._waits.popleft()
        return list(self._waits)


class Machine(Protocol):
    """What a socket knows of the host that it is on."""

    address: str
    time_waits: TimeWaits

    @property
    def name(self) -> str:
        """The host's name."""
        ...

    @property
    def machine(self) -> "Machine":
        """The machine it is on; itself, but for a pod's network."""
        ...

    @property
    def powered(self) -> bool:
        """Whether it is switched on."""
        ...


class Owner(Protocol):
    """What a socket knows of the process that it belongs to."""

    ends: dict[Any, None]
    """Of its connections."""
    datagram_sockets: dict[Any, None]
    hangs: bool
    """Whether it reads nothing of what comes."""
    descriptors: Descriptors

    @property
    def id(self) -> str:
        """The participant it is: "worker-1/kubelet"."""
        ...

    @property
    def host(self) -> Machine:
        """Where it runs."""
        ...

    @property
    def is_alive(self) -> bool:
        """False from the moment of the kill or of main's end."""
        ...


class SocketFacts:
    """What libraries ask of `get_extra_info("socket")`; there is no file descriptor behind it."""

    def __init__(
        self, local: Endpoint, remote: Endpoint | None, *, is_unix: bool = False, kind: int = socket.SOCK_STREAM
    ) -> None:
        self.family = socket.AF_UNIX if is_unix else socket.AF_INET
        self.type = kind
        transport = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
        self.proto = 0 if is_unix else transport
        self._local, self._remote = local, remote

    def getsockname(self) -> Any:
        """The local address, as a socket would say it."""
        return as_told(self._local)

    def getpeername(self) -> Any:
        """The remote address; OSError for a listening socket."""
        if self._remote is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return as_told(self._remote)

    def setsockopt(self, *_: Any) -> None:
        """Options change nothing here."""

    def getsockopt(self, *_: Any) -> int:
        """Options are all off."""
        return 0

    def fileno(self) -> int:
        """-1: not a descriptor."""
        return -1


def as_told(endpoint: Endpoint) -> Any:
    """Return an address as Python's sockets tell it: (host, port), or the path of a unix socket."""
    return (endpoint.address, endpoint.port) if endpoint.port else endpoint.address


class Listener:
    """A listening socket of a process: an address ("" for every address of the host) and a port, or a path."""

    def __init__(
        self,
        process: Owner,
        local: Endpoint,
        accept: Callable[[], asyncio.BaseProtocol],
        on_close: Callable[[], None],
    ) -> None:
        self.process, self.local = process, local
        self.fd = process.descriptors.open()
        self.accept = accept
        self._on_close = on_close
        self.context = contextvars.copy_context()
        self.facts = SocketFacts(local, None, is_unix=not local.port)

    def close(self) -> None:
        """Accept no more. Open connections stay."""
        self._on_close()
