"""TLS as the lens reads it: records out of the stream, opened with the key log, handshake messages as entries.

A connection's bytes are cut into records (RFC 8446 section 5.1). The hellos come in the clear; from ServerHello on
each direction has keys, first for the handshake, then for the application, and new ones at every KeyUpdate. What is
inside is handed to the parser that ALPN names. Without secrets (a capture begun late, a foreign server) every record
is still shown, as encrypted.

    client half   clear ─ ServerHello ▸ handshake keys ─ its Finished ▸ application keys ─ KeyUpdate ▸ next
    server half   clear ─ ServerHello ▸ handshake keys ─ its Finished ▸ application keys ─ KeyUpdate ▸ next

A server writes the client's application secret down when it has read the client's Finished, so what the client sends
in the same breath is heard before its secret: it is held until the secret comes, or until time has gone on without
it. Where keys are on trial all of them are there from the beginning, and nothing is held.

TLS 1.2 is read as well where the key log has the master secret (`CLIENT_RANDOM`), or a private key on trial gives it
(`trial`): keys come into use with ChangeCipherSpec. Left out: early data, renegotiation, compression.
"""

from typing import Any, NamedTuple

from cluster_engine.lens import handshake, protection
from cluster_engine.lens.causes import Reason
from cluster_engine.lens.conversation import Conversation
from cluster_engine.lens.evidence import Evidence, Piece
from cluster_engine.lens.protection import TLS_1_3, Protection
from cluster_engine.lens.recognition import Guess, Parsers
from cluster_engine.lens.scribe import TLS, Said
from cluster_engine.lens.tls_names import ALERTS, RECORD_TYPES, SUITES, name
from cluster_engine.lens.trial import Recording, Trial
from cluster_engine.lens.unreadable import Unreadable

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
HEADER_BYTES = 5
RECORD_BYTES_MAX = HEADER_BYTES + (1 << 14) + 2048
MESSAGE_BYTES_MAX = 256 * 1024
HELD_MAX = 256
CLIENT_APPLICATION = "CLIENT_TRAFFIC_SECRET_0"


class Held(NamedTuple):
    """A record whose secret is still to come, and when it came itself."""

    record: bytes
    number: int
    offset: int
    positions: tuple[int, ...]
    sent: float
    arrived: float | None


class Half:
    """One direction: the bytes not yet a record, the keys in use, the handshake message under way.

    `bounds` says which kept segment each stretch of `rest` came from: (where it begins, its position), where the first
    may begin before `rest` does.
    """

    __slots__ = (
        "awaited",
        "bounds",
        "held",
        "keys",
        "message",
        "message_pieces",
        "packed",
        "protected",
        "records",
        "rest",
        "sealed",
        "secret",
    )

    def __init__(self) -> None:
        self.rest = b""
        self.bounds: list[tuple[int, int]] = []
        self.records = 0
        self.keys: Protection | None = None
        self.packed = b""
        self.protected = 0
        self.secret = b""
        self.sealed = False
        self.message = b""
        self.message_pieces: list[Piece] = []
        self.awaited = ""
        self.held: list[Held] = []

    def use(self, keys: Protection | None) -> None:
        """Read with these keys from the next record on; None: nothing can be read from here on."""
        self.keys = keys
        self.packed = keys.pack() if keys else b""
        self.protected = 0
        self.sealed = keys is None


class Tls:
    """A TLS connection, both directions; `inside` makes the parser of what it carries."""

    __slots__ = (
        "_application",
        "_client_random",
        "_conversation",
        "_halves",
        "_holding",
        "_inside",
        "_protocol",
        "_recording",
        "_secrets",
        "_server_random",
        "_session",
        "_suite",
        "_unreadable",
        "_version",
    )

    def __init__(self, conversation: Conversation, inside: Parsers) -> None:
        self._conversation = conversation
        self._inside = inside
        self._halves = (Half(), Half())
        self._client_random = b""
        self._server_random = b""
        self._secrets: dict[str, bytes] = {}
        self._session = ""
        self._version = 0
        self._suite = 0
        self._protocol: str | None = None
        self._application: Guess | None = None
        self._holding = False
        self._unreadable: Unreadable | None = None
        trial = conversation.keylog.trial
        self._recording = trial.record(conversation.number) if trial is not None else None

    def data(self, from_client: bool, chunk: bytes, piece: Piece) -> None:
        """Cut records out of the stream and read them."""
        if self._unreadable is not None:
            raise self._unreadable
        if self._holding:
            self._stop_holding_if_late()
        half = self._halves[from_client]
        position = piece.positions[0]
        if half.rest:
            half.bounds.append((len(half.rest), position))
            chunk = half.rest + chunk
        else:
            half.bounds = [(0, position)]
        at = 0
        end = len(chunk)
        while end - at >= HEADER_BYTES:
            length = HEADER_BYTES + (chunk[at + 3] << 8 | chunk[at + 4])
            if (
                not CHANGE_CIPHER_SPEC <= chunk[at] <= APPLICATION_DATA
                or chunk[at + 1] != 3
                or length > RECORD_BYTES_MAX
            ):
                raise Unreadable("not a TLS record")
            if end - at < length:
                break
            half.records += 1
            offset, positions = self._origin(half, at, at + length)
            record = chunk[at : at + length]
            if half.awaited and not self._awaited(half):
                self._hold(half, record, offset, positions)
            else:
                self._record(from_client, half, record, number=half.records, offset=offset, positions=positions)
            at += length
        half.rest = chunk[at:]
        if at and half.rest:
            first = max(index for index, (start, _) in enumerate(half.bounds) if start <= at)
            half.bounds = [(start - at, kept) for start, kept in half.bounds[first:]]

    def ended(self, from_client: bool) -> None:
        """The stream below has ended; so has what is inside."""
        self._stop_holding()
        if self._application is not None:
            self._application.ended(from_client)

    def broken(self) -> None:
        """The stream below is no more."""
        self._stop_holding()
        if self._application is not None:
            self._application.broken()

    @staticmethod
    def _origin(half: Half, at: int, end: int) -> tuple[int, tuple[int, ...]]:
        """Find the kept segments of a record, and where in the first of them it begins."""
        bounds = half.bounds
        if len(bounds) == 1:
            start, position = bounds[0]
            return at - start, (position,)
        first = max(index for index, (start, _) in enumerate(bounds) if start <= at)
        return at - bounds[first][0], tuple(kept for start, kept in bounds[first:] if start < end)

    def _awaited(self, half: Half) -> bool:
        """Begin to use an awaited secret, if it has come."""
        secret = self._secrets.get(half.awaited)
        if secret is None:
            return False
        half.awaited = ""
        if self._version == TLS_1_3:
            half.secret = secret
            half.use(protection.from_secret(self._suite, secret))
        else:
            client, server = protection.from_master_secret(
                self._suite, secret, self._client_random, self._server_random
            )
            half.use(client if half is self._halves[True] else server)
        self._conversation.keylog.forget(self._client_random)
        return True

    def _hold(self, half: Half, record: bytes, offset: int, positions: tuple[int, ...]) -> None:
        scribe = self._conversation.scribe
        half.held.append(Held(record, half.records, offset, positions, scribe.sent, scribe.arrived))
        self._holding = True
        self._conversation.keylog.when_told(self._client_random, self._secret_came)
        if len(half.held) > HELD_MAX:
            self._stop_holding()

    def _secret_came(self) -> None:
        """Read what was held. Called from the key log: what cannot be read is told at the next bytes."""
        half = self._halves[True]
        if half.awaited and self._awaited(half):
            try:
                self._read_held()
            except Unreadable as problem:
                self._unreadable = problem

    def _stop_holding_if_late(self) -> None:
        held = self._halves[True].held
        if held and self._conversation.scribe.now > (held[0].arrived or held[0].sent):
            self._stop_holding()

    def _stop_holding(self) -> None:
        """The secret has not come: what was held is shown as encrypted."""
        half = self._halves[True]
        if half.awaited and half.held:
            half.awaited = ""
            half.use(None)
            self._read_held()

    def _read_held(self) -> None:
        half = self._halves[True]
        scribe = self._conversation.scribe
        now = scribe.sent, scribe.arrived
        held, half.held, self._holding = half.held, [], False
        try:
            for record, number, offset, positions, sent, arrived in held:
                scribe.sent, scribe.arrived = sent, arrived
                self._record(True, half, record, number=number, offset=offset, positions=positions)
        finally:
            scribe.sent, scribe.arrived = now

    def _record(
        self, from_client: bool, half: Half, record: bytes, *, number: int, offset: int, positions: tuple[int, ...]
    ) -> None:
        content_type = record[0]
        # RFC 8446, section 5.2: what is protected calls itself application data; OpenSSL's clients refuse in the open.
        is_plain_alert = content_type == ALERT and self._version == TLS_1_3
        if half.sealed and not is_plain_alert:
            if content_type != CHANGE_CIPHER_SPEC:
                self._encrypted(from_client, record, Piece(number, offset, len(record), positions, 0))
            return
        if half.keys is not None and (content_type == APPLICATION_DATA or self._version != TLS_1_3):
            piece = Piece(number, offset, len(record), positions, half.protected, half.packed)
            try:
                content_type, content = half.keys.open(record, half.protected)
            except Unreadable:
                half.use(None)
                self._encrypted(from_client, record, piece)
                return
            half.protected += 1
            if self._recording is not None:
                self._recording.opened += 1
        elif content_type == APPLICATION_DATA:
            half.use(None)
            self._encrypted(from_client, record, Piece(number, offset, len(record), positions, 0))
            return
        else:
            content = record[HEADER_BYTES:]
            piece = Piece(number, offset, len(record), positions)
        self._content(from_client, half, content_type, content, piece)

    def _content(self, from_client: bool, half: Half, content_type: int, content: bytes, piece: Piece) -> None:
        if content_type == APPLICATION_DATA:
            if content:
                if self._application is None:
                    self._application = Guess(self._conversation, TLS, self._inside, self._protocol)
                self._application.data(from_client, content, piece)
        elif content_type == HANDSHAKE:
            self._handshake(from_client, half, content, piece)
        elif content_type == ALERT:
            self._alert(from_client, content, piece)
        elif self._version and self._version != TLS_1_3:
            self._change_cipher(half)

    def _change_cipher(self, half: Half) -> None:
        """TLS 1.2's ChangeCipherSpec: what follows in this direction is protected."""
        if self._suite not in SUITES:
            half.use(None)
        elif "CLIENT_RANDOM" in self._secrets or (half is self._halves[True] and self._recording is None):
            half.awaited = "CLIENT_RANDOM"
        else:
            half.use(None)

    def _handshake(self, from_client: bool, half: Half, content: bytes, piece: Piece) -> None:
        carried = len(half.message)
        data = half.message + content
        half.message_pieces.append(piece)
        while len(data) >= 4:
            end = 4 + int.from_bytes(data[1:4])
            if end > MESSAGE_BYTES_MAX:
                raise Unreadable("a handshake message too long to be one")
            if len(data) < end:
                break
            self._message(from_client, half, data[0], data[4:end], half.message_pieces)
            data = data[end:]
            if carried:
                piece, carried = piece._replace(begun=end - carried), 0
            half.message_pieces = [piece]
        half.message = data
        if not data:
            half.message_pieces = []

    def _message(self, from_client: bool, half: Half, message_type: int, body: bytes, pieces: list[Piece]) -> None:
        if message_type == handshake.SERVER_HELLO:
            self._version, self._suite = handshake.server_choice(body)
        parsed = handshake.parse(message_type, body, self._version)
        if message_type == handshake.CLIENT_KEY_EXCHANGE and self._sends_premaster:
            parsed = handshake.encrypted_premaster(body)
        elif message_type == handshake.SERVER_HELLO and self._version != TLS_1_3:
            session = parsed.fields["sessionId"]
            parsed.fields["resumes"] = bool(session) and session == self._session
        conversation = self._conversation
        before = conversation.handshake
        reason = Reason(before) if before is not None else conversation.reason()
        said = Said(TLS, parsed.kind, parsed.label, parsed.fields, reason, size=len(body) + 4)
        conversation.handshake = conversation.say(from_client, said, Evidence(pieces))
        self._follow(from_client, half, message_type, body, parsed.fields)
        if self._recording is not None and conversation.keylog.trial is not None:
            self._try(self._recording, conversation.keylog.trial, message_type, body)

    @property
    def _sends_premaster(self) -> bool:
        suite = SUITES.get(self._suite)
        return suite is not None and suite.is_rsa_key_exchange

    def _try(self, recording: Recording, trial: Trial, message_type: int, body: bytes) -> None:
        """See whether the keys on trial give the master secret, where no key log does."""
        master = recording.heard(trial, message_type, body)
        if message_type == handshake.SERVER_HELLO and self._secrets:
            recording.by = "key log"
        elif master:
            self._secrets.setdefault("CLIENT_RANDOM", master)

    def _follow(self, from_client: bool, half: Half, message_type: int, body: bytes, fields: dict[str, Any]) -> None:
        """Change keys where a message asks for it, and remember what is needed for that."""
        if message_type == handshake.CLIENT_HELLO:
            self._client_random, self._session = handshake.hello_random(body), fields["sessionId"]
            self._secrets = self._conversation.keylog.secrets(self._client_random)
        elif message_type == handshake.SERVER_HELLO:
            self._protocol = fields.get("alpn") or self._protocol
            self._server_random = handshake.hello_random(body)
            if self._version == TLS_1_3 and not fields.get("retry"):
                self._use(half, "SERVER_HANDSHAKE_TRAFFIC_SECRET")
                self._use(self._halves[True], "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
        elif message_type == handshake.ENCRYPTED_EXTENSIONS:
            self._protocol = fields["alpn"]
        elif message_type == handshake.CERTIFICATE and from_client:
            self._conversation.certificate = fields.get("subject", "")
        elif self._version != TLS_1_3:
            return
        elif message_type == handshake.FINISHED:
            self._use(half, CLIENT_APPLICATION if from_client else "SERVER_TRAFFIC_SECRET_0")
        elif message_type == handshake.KEY_UPDATE and half.secret:
            half.secret = protection.next_secret(self._suite, half.secret)
            half.use(protection.from_secret(self._suite, half.secret))

    def _use(self, half: Half, label: str) -> None:
        secret = self._secrets.get(label)
        if secret is None and half.keys is not None and half is self._halves[True] and self._recording is None:
            half.awaited = label
            return
        if label == CLIENT_APPLICATION:
            self._conversation.keylog.forget(self._client_random)
        half.secret = secret or b""
        half.use(protection.from_secret(self._suite, secret) if secret and self._suite in SUITES else None)

    def _alert(self, from_client: bool, content: bytes, piece: Piece) -> None:
        if len(content) != 2:
            raise Unreadable("an alert that is not two bytes long")
        level = "fatal" if content[0] == 2 else "warning"
        alert = name(ALERTS, content[1])
        fields = {"level": level, "description": alert}
        said = Said(TLS, "tls.alert", f"Alert {alert}", fields, self._conversation.reason(), size=2)
        self._conversation.say(from_client, said, Evidence([piece]))

    def _encrypted(self, from_client: bool, record: bytes, piece: Piece) -> None:
        if self._recording is not None:
            self._recording.closed += 1
        size = len(record)
        fields = {"type": name(RECORD_TYPES, record[0]), "length": size}
        label = f"encrypted, {size} bytes"
        said = Said(TLS, "tls.encrypted", label, fields, self._conversation.reason(), size=size)
        self._conversation.say(from_client, said, Evidence([piece]))
