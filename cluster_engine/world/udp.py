"""A UDP socket of a process, as asyncio's datagram transport. `datagrams` carries what it sends."""

import asyncio
import contextvars
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from cluster_engine.world.sockets import Owner, SocketFacts
from cluster_engine.world.tap import Endpoint

DATAGRAM_BYTES_MAX = 65507
"""What fits into an IPv4 packet beside its headers."""


class DatagramSocket(asyncio.DatagramTransport):
    """An address ("" for every address of the host) and a port. A connected one, with `remote`, hears only that one.

    Only a connected one is told that nobody is there, as Linux does it.
    """

    def __init__(
        self,
        process: Owner,
        local: Endpoint,
        remote: Endpoint | None,
        send: Callable[["DatagramSocket", bytes, Endpoint], None],
        on_close: Callable[["DatagramSocket"], None],
    ) -> None:
        super().__init__()
        self.process, self.local, self.remote = process, local, remote
        self.fd = process.descriptors.open()
        self.protocol: Any = None
        self.context = contextvars.copy_context()
        self.facts = SocketFacts(local, remote, kind=socket.SOCK_DGRAM)
        self._send, self._on_close = send, on_close
        self._closed = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send one datagram. OSError where it is too long; what becomes of it nobody tells."""
        to = self.remote or (Endpoint(str(addr[0]), int(addr[1])) if addr else None)
        if to is None:
            raise OSError(errno.EDESTADDRREQ, os.strerror(errno.EDESTADDRREQ))
        if len(data) > DATAGRAM_BYTES_MAX:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        if not self._closed and self.process.is_alive:
            self._send(self, bytes(data), to)

    def received(self, payload: bytes, source: Endpoint) -> None:
        """Take a datagram from the wire."""
        if self.remote in (None, source) and not self._closed:
            self.context.run(self.protocol.datagram_received, payload, (source.address, source.port))

    def failed(self, number: int) -> None:
        """Hear from the network that something could not be delivered, by its errno."""
        if self.remote is not None and not self._closed:
            self.context.run(self.protocol.error_received, OSError(number, os.strerror(number)))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell "peername", "sockname" and "socket"."""
        match name:
            case "sockname":
                return (self.local.address or "0.0.0.0", self.local.port)
            case "peername" if self.remote is not None:
                return (self.remote.address, self.remote.port)
            case "socket":
                return self.facts
        return default

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._closed

    def get_write_buffer_size(self) -> int:
        """Nothing is held back."""
        return 0

    def close(self) -> None:
        """Give the port back, then tell the protocol."""
        if self._closed:
            return
        self._closed = True
        self._on_close(self)
        self.process.descriptors.close(self.fd)
        if self.process.is_alive and self.protocol is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.protocol.connection_lost, None, context=self.context)

    def abort(self) -> None:
        """As close."""
        self.close()
