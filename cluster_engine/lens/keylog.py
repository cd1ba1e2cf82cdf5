"""The TLS secrets that a connection's server wrote down: NSS key log lines, by the client's random.

`SSLKEYLOGFILE` is how browsers and curl let Wireshark read what they said; the lens reads the same lines. A line is
`LABEL client_random secret`, both in hex; the client random stands in the clear in every ClientHello.

Modelled on draft-ietf-tls-keylogfile. Left out: RSA lines, early-data and exporter secrets (nothing here uses them).

    log = KeyLog()
    log.add("CLIENT_TRAFFIC_SECRET_0 " + "11" * 32 + " " + "aa" * 32)
    log.secrets(bytes.fromhex("11" * 32))   -> {"CLIENT_TRAFFIC_SECRET_0": bytes.fromhex("aa" * 32)}
"""

from collections.abc import Callable

from cluster_engine.lens.trial import Trial

CLIENTS_MAX = 1024
LABELS = frozenset(
    {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "CLIENT_RANDOM",
    }
)


class KeyLog:
    """Secrets by client random. Holds the latest `CLIENTS_MAX` clients that nobody has asked for yet.

    `trial` has private keys to be tried beside it, for who asks what they open; None: nobody does.
    """

    def __init__(self, trial: Trial | None = None) -> None:
        self.trial = trial
        self._clients: dict[bytes, dict[str, bytes]] = {}
        self._waiting: dict[bytes, Callable[[], None]] = {}

    def add(self, line: str) -> None:
        """Take one line; comments and lines of another form are passed over."""
        parts = line.split()
        if len(parts) != 3 or parts[0] not in LABELS:
            return
        try:
            random, secret = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
        except ValueError:
            return
        self.secrets(random)[parts[0]] = secret
        waiting = self._waiting.get(random)
        if waiting is not None:
            waiting()

    def secrets(self, client_random: bytes) -> dict[str, bytes]:
        """Return the secrets of a client; the dict fills as further lines come."""
        secrets = self._clients.get(client_random)
        if secrets is None:
            secrets = self._clients[client_random] = {}
            if len(self._clients) > CLIENTS_MAX:
                self.forget(next(iter(self._clients)))
        return secrets

    def when_told(self, client_random: bytes, call: Callable[[], None]) -> None:
        """Call back at every further line of this client, until it is forgotten."""
        self._waiting[client_random] = call

    def forget(self, client_random: bytes) -> None:
        """Drop a client whose keys have been taken."""
        self._clients.pop(client_random, None)
        self._waiting.pop(client_random, None)
