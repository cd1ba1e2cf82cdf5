"""Our HTTP/2 is h2's: told the same, it tells the same. What a peer sends is made by h2 itself, then cut and broken."""

import random
from collections.abc import Iterable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hpack import HeaderTuple, NeverIndexedHeaderTuple
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, SettingsFrame, WindowUpdateFrame

from cluster_engine.rpc.http2 import CLOSED_STREAMS_MAX, KNOWN_MAX, Connection

REQUEST = [(b":method", b"PUT"), (b":path", b"/lease"), (b":scheme", b"https"), (b":authority", b"10.0.0.1:6443")]
CLIENT = H2Configuration(client_side=True, header_encoding=None)
SERVER = H2Configuration(client_side=False, header_encoding=None)

Told = list[object]


def described(event: Event) -> tuple[str, str]:
    return type(event).__name__, repr(sorted(vars(event).items(), key=lambda field: field[0]))


def tell(connection: H2Connection, pieces: Iterable[bytes]) -> Told:
    """Give a connection what arrives, and note all that comes of it: events, bytes, a refusal."""
    told: Told = []
    for piece in pieces:
        try:
            told += [described(event) for event in connection.receive_data(piece)]
        except ProtocolError as error:
            told += [type(error).__name__, str(error), connection.data_to_send()]
            break
        told.append(connection.data_to_send())
    return [one for one in told if one != b""]


def both(pieces: list[bytes]) -> tuple[Told, Told]:
    """Serve the same client with h2's connection and with ours."""
    served = []
    for make in (H2Connection, Connection):
        server = make(SERVER)
        server.initiate_connection()
        server.data_to_send()
        served.append(tell(server, pieces))
    return served[0], served[1]


def conversation(seed: int) -> bytes:
    """Say what some client sends: requests with and without bodies, changing and returning fields, resets, pings."""
    chance = random.Random(seed)
    client = H2Connection(CLIENT)
    client.initiate_connection()
    opened: list[int] = []
    for number in range(chance.randint(1, 12)):
        stream = client.get_next_available_stream_id()
        secret = NeverIndexedHeaderTuple(b"audit-id", b"%032x" % chance.getrandbits(128))
        varying = [(b"x-%d" % chance.randint(0, 2), b"%d" % chance.randint(0, 3)), secret]
        has_body = chance.random() < 0.7
        client.send_headers(stream, [*REQUEST, *varying], end_stream=not has_body)
        if has_body:
            padding = chance.choice((None, None, None, 7))
            client.send_data(
                stream, bytes(chance.randint(0, 900)), end_stream=chance.random() < 0.8, pad_length=padding
            )
            opened.append(stream)
        if chance.random() < 0.2:
            client.ping(b"%08d" % number)
        if opened and chance.random() < 0.2:
            client.reset_stream(opened.pop())
        if chance.random() < 0.1:
            client.increment_flow_control_window(chance.randint(1, 99))
    return client.data_to_send()


def requests(count: int) -> bytes:
    client = H2Connection(CLIENT)
    client.initiate_connection()
    for _ in range(count):
        client.send_headers(client.get_next_available_stream_id(), REQUEST, end_stream=True)
    return client.data_to_send()


def cut(data: bytes, seed: int) -> list[bytes]:
    """Cut bytes into pieces as TCP might."""
    chance = random.Random(seed)
    pieces = []
    while data:
        size = chance.choice((1, 5, 9, 24, 60, 400, 4000))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.parametrize("seed", range(40))
def test_a_client_is_understood_as_h2_understands_it(seed: int) -> None:
    theirs, ours = both(cut(conversation(seed), seed))
    assert ours == theirs
    assert any(one[0] == "RequestReceived" for one in theirs if isinstance(one, tuple))


@pytest.mark.parametrize("seed", range(150))
def test_a_broken_byte_is_refused_as_h2_refuses_it(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(conversation(seed))
    for _ in range(chance.choice((1, 1, 4))):
        data[chance.randrange(24, len(data))] = chance.getrandbits(8)
    theirs, ours = both(cut(bytes(data), seed))
    if "FrameTooLargeError" in ours and "FrameTooLargeError" not in theirs:
        return  # h2 waits for the whole of it first
    assert ours == theirs


def headers(stream: int, *flags: str, data: bytes = b"\x83\x84\x87") -> Frame:
    return HeadersFrame(stream, data, flags=flags)


REFUSED = {
    "a frame on stream 0": [b"\0\0\0\0\0\0\0\0\0"],
    "a body before its request": [DataFrame(1, b"x").serialize()],
    "a frame that is longer than allowed": [b"\0\x40\1\0\0\0\0\0\1" + bytes(16385)],
    "another frame inside a header block": [headers(1).serialize(), DataFrame(1, b"x").serialize()],
    "a header block of which nothing was begun": [ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize()],
    "a stream that was left behind": [headers(5, "END_HEADERS").serialize(), headers(3, "END_HEADERS").serialize()],
    "an index that the table does not have": [headers(1, "END_HEADERS", data=b"\xff\x7f").serialize()],
    "a window beyond its bound": [WindowUpdateFrame(0, 2**31 - 1).serialize()],
    "more than the window holds": [
        headers(1, "END_HEADERS").serialize(),
        *[DataFrame(1, bytes(16000)).serialize()] * 5,
    ],
}
ACCEPTED = {
    "a header block in two frames": [
        HeadersFrame(1, b"\x82\x84").serialize(),
        ContinuationFrame(1, b"\x87\x01\x01a", flags=["END_HEADERS"]).serialize(),
    ],
    "the same block again after the table was emptied": [
        headers(1, "END_HEADERS", data=b"\x82\x84\x87\x41\x01a\x40\x01b\x01c").serialize(),
        headers(3, "END_HEADERS", data=b"\x82\x84\x87\xbf\xbe").serialize(),
        headers(5, "END_HEADERS", data=b"\x82\x84\x87\xbf\xbe").serialize(),
        headers(7, "END_HEADERS", data=b"\x20\x3f\xe1\x1f\x82\x84\x87\x41\x01z\x40\x01b\x01y").serialize(),
        headers(9, "END_HEADERS", data=b"\x82\x84\x87\xbf\xbe").serialize(),
    ],
}


def prefaced(frames: list[bytes]) -> list[bytes]:
    return [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SettingsFrame(0).serialize(), *frames]


@pytest.mark.parametrize("what", REFUSED)
def test_what_h2_refuses_is_refused_in_the_same_words(what: str) -> None:
    theirs, ours = both(prefaced(REFUSED[what]))
    assert ours == theirs
    assert any(isinstance(one, str) for one in theirs), "h2 refuses this"


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_h2_takes_apart_is_taken_apart_alike(what: str) -> None:
    theirs, ours = both(prefaced(ACCEPTED[what]))
    assert ours == theirs
    assert sum(one[0] == "RequestReceived" for one in theirs if isinstance(one, tuple)) == len(
        [frame for frame in ACCEPTED[what] if frame[3] == 1]
    )


def test_fields_are_compressed_to_the_same_bytes() -> None:
    """While fields return, change, are never to be indexed, and the peer makes the table larger and smaller."""
    chance = random.Random(7)
    theirs, ours = H2Connection(CLIENT), Connection(CLIENT)
    for _ in range(400):
        fields = [HeaderTuple(*pair) for pair in REQUEST]
        for _ in range(chance.randint(0, 4)):
            kind = chance.choice((HeaderTuple, HeaderTuple, NeverIndexedHeaderTuple))
            fields.append(kind(b"x-%d" % chance.randint(0, 9), b"%d" % chance.randint(0, 9)))
        if chance.random() < 0.05:
            size = chance.choice((0, 60, 200, 4096))
            theirs.encoder.header_table_size = ours.encoder.header_table_size = size
        assert ours.encoder.encode(fields) == theirs.encoder.encode(fields)


def test_a_response_is_sent_in_the_same_bytes() -> None:
    sent = []
    for make in (H2Connection, Connection):
        server = make(SERVER)
        server.initiate_connection()
        server.receive_data(requests(3))
        server.data_to_send()
        server.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 70000})
        for stream in (1, 3, 5):
            server.send_headers(stream, [HeaderTuple(b":status", b"200"), NeverIndexedHeaderTuple(b"date", b"today")])
            server.send_data(stream, b"{}")
            server.send_headers(stream, [HeaderTuple(b"grpc-status", b"0")], end_stream=True)
        sent.append(server.data_to_send())
    assert sent[0] == sent[1]


def test_what_is_known_of_headers_has_a_bound() -> None:
    client, server = Connection(CLIENT), Connection(SERVER)
    fields = [HeaderTuple(b"x", b"%d" % number) for number in range(KNOWN_MAX + 9)]
    kept = []
    for field in [*fields, *fields]:
        block = client.encoder.encode([field])
        kept.append((len(client.encoder._known), len(server.decoder._known)))
        server.decoder.decode(block, raw=True)
    assert max(known for known, _ in kept) == KNOWN_MAX
    assert max(known for _, known in kept) == KNOWN_MAX


def test_a_frame_that_is_too_long_is_refused_by_its_header_before_it_is_kept():
    server = Connection(SERVER)
    header = bytes([255, 255, 255, 0, 0, 0, 0, 0, 1])
    told = tell(server, [requests(1), header])
    assert told[-3] == "FrameTooLargeError"
    assert b"\x07" in told[-1][3:4], "GOAWAY"


def served(count: int, *, resets_last: bool) -> tuple[Connection, H2Connection, int]:
    """Serve `count` requests on one connection, the last of which the server may reset; give the last stream too."""
    client, server = H2Connection(CLIENT), Connection(SERVER)
    client.initiate_connection()
    server.initiate_connection()
    last = 0
    for number in range(count):
        last = client.get_next_available_stream_id()
        resets = resets_last and number == count - 1
        client.send_headers(last, REQUEST, end_stream=not resets)
        server.receive_data(client.data_to_send())
        if resets:
            server.reset_stream(last)
        else:
            server.send_headers(last, [(b":status", b"200")], end_stream=True)
            client.receive_data(server.data_to_send())
    return server, client, last


def test_a_connection_that_lasts_remembers_a_bounded_number_of_closed_streams() -> None:
    server, _, _ = served(2 * CLOSED_STREAMS_MAX, resets_last=False)
    assert len(server._closed_streams) == CLOSED_STREAMS_MAX


def test_a_late_frame_of_a_stream_that_was_reset_is_passed_over_among_many_that_have_closed() -> None:
    server, client, last = served(2 * CLOSED_STREAMS_MAX, resets_last=True)
    client.send_data(last, b"late")
    assert server.receive_data(client.data_to_send()) == [], "not a connection error"
