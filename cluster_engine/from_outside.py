"""What clients from outside said, said again in a replay by somebody who stands in for them.

Theory of operation. A client from outside (the real kubectl) speaks TLS, and TLS cannot be played again byte by byte:
the server's random and key shares are other ones each time, so what was encrypted for the first server is noise for the
second. So what is kept is what the client said inside (`world.tls_layer` overhears it at the server's end), with the
virtual times at which it was read, whether it had shown the administrator's certificate, and its application protocol.
In a replay a stand-in connects at the same time, does a handshake of its own with such a certificate, and says it.

    live      4.10 connected   4.13 "PRI * HTTP/2.0 …"   4.13 "GET /api …"   5.00 left
    replay    4.10 connects, shakes hands at once        4.13 says both      5.00 leaves, a moment later

What is not the same: how long the handshake took, the order of messages within a hop or two of the network, and what
the client would have answered to other words of the server (acknowledgements of HTTP/2 are said as they were said).
After Redis' and PostgreSQL's logical replication logs: what was meant is kept, not how it was packed.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.deeds import FromOutside, Input
from cluster_engine.world.gateway import Gateway
from cluster_engine.world.tls import client_tls

STAYS_SECONDS = 0.005
"""How much longer than the client its stand-in stays. What it says is kept as of when the server had read it, and is
said only then, so that the answer comes later by a hop and a reading: a client that left with it would leave without.
"""


class FromOutsideAgain:
    """Does what clients from outside did, in the order of the inputs of the `past`."""

    def __init__(self, cluster: Cluster, past: Sequence[Input]) -> None:
        self._cluster = cluster
        self._clients: dict[int, _StandIn] = {}
        said = [one.act for one in past if isinstance(one.act, FromOutside) and one.act.what == "said"]
        self._first_said = {act.client: act for act in reversed(said)}

    def do(self, act: FromOutside) -> Any:
        """Do it; what is to be waited for is returned."""
        client = self._clients.get(act.client)
        match act.what:
            case "opened":
                return self._open()
            case "connected":
                self._connect(act.client)
            case "said" if client is not None:
                client.say(act.data)
            case "left" if client is not None:
                client.leave()
        return {}

    async def _open(self) -> dict[str, Any]:
        await self._cluster.open_gateway()
        return {}

    def _connect(self, number: int) -> None:
        gateway = self._cluster.gateway
        if gateway is None:  # it was opened before anything of this was kept
            return
        how = self._first_said.get(number, FromOutside("said", number, alpn="h2", admin=True))
        pair = self._cluster.pki.admin if how.admin else None
        tls = client_tls(
            ca=self._cluster.pki.cluster.pair.certificate,
            certificate=pair.certificate if pair else None,
            key=pair.key if pair else None,
            alpn=[how.alpn] if how.alpn else [],
        )
        gateway.numbers.pass_over(number)
        self._clients[number] = _StandIn(gateway, tls)


class _StandIn(asyncio.Protocol):
    """One client; what it is to say before its handshake is over waits for that."""

    def __init__(self, gateway: Gateway, tls: Any) -> None:
        self._gateway, self._tls = gateway, tls
        self._to_say: list[bytes] = []
        self._leaves = False
        self._transport: Any = None
        self._connecting = gateway.do(self._connect())

    async def _connect(self) -> None:
        try:
            made: Awaitable[Any] = self._gateway.loop.create_connection(lambda: self, *self._gateway.to, ssl=self._tls)
            self._transport, _ = await made
        except OSError:
            return
        for data in self._to_say:
            self._transport.write(data)
        if self._leaves:
            self._close_soon()

    def say(self, data: bytes) -> None:
        """Say it, or have it said."""
        if self._transport is None:
            self._to_say.append(data)
        else:
            self._transport.write(data)

    def leave(self) -> None:
        """Close the connection, once all is said."""
        self._leaves = True
        if self._transport is not None:
            self._close_soon()

    def _close_soon(self) -> None:
        self._gateway.loop.call_later(STAYS_SECONDS, self._transport.close)
