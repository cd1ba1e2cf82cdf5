"""Nothing that crosses a wire stops the lens: garbage, lost segments, ends at any moment."""

import random
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from lens_capture import API, KUBECTL, Capture, kinds, secured_h2

from cluster_engine.journal import Journal
from cluster_engine.lens import Lens, certificates
from cluster_engine.lens.lens import ENDED_MAX
from cluster_engine.lens.opening import open_entry
from cluster_engine.lens.tcp import Stream
from cluster_engine.words.sentences import sentence
from cluster_engine.world.tap import Connection, Endpoint, Segment
from tests.engine.lens import tls_recordings


def test_garbage_on_a_port_becomes_bytes():
    capture = Capture()
    number = capture.connect()
    capture.data(number, True, b"\xde\xad\xbe\xef")
    capture.data(number, False, b"\0\0")
    capture.flag(number, False, "RA")

    entries = capture.entries()
    assert kinds(entries)[2:] == ["tcp.data", "tcp.data", "tcp.rst"]
    assert entries[2]["fields"] == {"unreadable": "neither TLS nor HTTP"}
    assert "cannot be read" in sentence(entries[2])
    assert "breaks off" in sentence(entries[4])


def test_too_few_bytes_to_tell_are_shown_when_the_connection_ends():
    capture = Capture()
    number = capture.connect()
    capture.data(number, True, b"P")
    capture.flag(number, True, "FA")
    assert kinds(capture.entries())[-2:] == ["tcp.data", "tcp.fin"]


beginnings = st.sampled_from(
    [
        b"",
        b"\x16\x03\x01",
        b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x03\x03",
        b"\x17\x03\x03\x00\x10",
        b"\x15\x03\x03\x00\x02",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x10\x01\x05\0\0\0\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x00\x01\0\0\0\x01",
        b"GET / HTTP/1.1\r\n",
        b"POST /api/v1/pods HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\0\0\0\x04\0\0\0\0\0",
    ]
)


@settings(max_examples=400)
@given(
    parts=st.lists(st.tuples(st.booleans(), st.builds(lambda a, b: a + b, beginnings, st.binary(max_size=80)))),
    flags=st.sampled_from(["FA", "RA", ""]),
)
def test_no_bytes_make_the_lens_fail(parts, flags):
    capture = Capture()
    number = capture.connect()
    for from_client, data in parts:
        capture.data(number, from_client, data)
    if flags:
        capture.flag(number, True, flags)
        capture.flag(number, False, flags)
    journal = capture.journal()
    for entry in journal.since(0, 1000):
        assert open_entry(journal, entry["seq"])["segments"]


def conversation() -> Capture:
    capture = Capture()
    h2 = secured_h2(capture)
    watch = h2.request("GET", "/api/v1/pods?watch=1")
    h2.respond(watch, 200, b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n', end=False)
    h2.respond(h2.request("POST", "/api/v1/namespaces/x/pods", b"{}"), 422, b"{}")
    return capture


CONVERSATION = conversation()


@settings(max_examples=200)
@given(seed=st.integers(0, 1 << 32))
def test_flipped_bits_and_missing_segments_never_make_the_lens_fail(seed):
    chance = random.Random(seed)
    heard = []
    for one_heard in CONVERSATION.heard:
        if isinstance(one_heard, tuple) and one_heard[4] and chance.random() < 0.15:
            tag, number, from_client, flags, payload, at, lost = one_heard
            if chance.random() < 0.3:
                continue
            at_byte = chance.randrange(len(payload))
            payload = payload[:at_byte] + bytes([payload[at_byte] ^ 1 << chance.randrange(8)]) + payload[at_byte + 1 :]
            heard.append((tag, number, from_client, flags, payload, at, lost))
        else:
            heard.append(one_heard)
    entries = Capture(heard=heard).entries()
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))


def test_a_damaged_record_is_shown_as_encrypted_and_so_is_what_follows():
    heard = list(CONVERSATION.heard)
    index = max(i for i, h in enumerate(heard) if isinstance(h, tuple) and h[4] and not h[2])
    tag, number, from_client, flags, payload, at, lost = heard[index]
    heard[index] = (tag, number, from_client, flags, payload[:-1] + bytes([payload[-1] ^ 1]), at, lost)
    entries = Capture(heard=heard).entries()
    assert entries[-1]["kind"] == "tls.encrypted"


# -- TCP --------------------------------------------------------------------------------------------------------------


def segments(*parts: tuple[int, bytes, bool]) -> list[dict]:
    """Feed (sequence, payload, lost) from the client of a fresh connection."""
    journal = Journal()
    lens = Lens(journal)
    lens.connection(Connection(1, Endpoint("10.0.0.100", 1), Endpoint("10.0.0.1", 2), KUBECTL, API, 0.0))
    for number, (sequence, payload, lost) in enumerate(parts, 1):
        lens.segment(Segment(number, 1, True, 0.5, None if lost else 1.0, "PA", sequence, 0, payload))
    return journal.since(0, 1000)


GET = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_lost_segment_is_told_and_its_second_sending_completes_the_request():
    entries = segments((1, GET[:10], False), (11, GET[10:20], True), (21, GET[20:], False), (11, GET[10:20], False))
    assert kinds(entries) == ["tcp.lost", "http.request"]
    assert (entries[0]["trigger"], entries[0]["arrived"], entries[0]["at"]) == ("fault", None, 0.5)


def test_repeated_and_overlapping_segments_count_once():
    entries = segments((1, GET[:10], False), (1, GET[:10], False), (5, GET[4:20], False), (21, GET[20:], False))
    assert kinds(entries) == ["http.request"]


def test_a_gap_that_is_never_filled_ends_in_bytes():
    stream_bytes = b"x" * 300_000
    entries = segments(*((1_000_000 * n, stream_bytes, False) for n in range(8)))
    assert entries[-1]["kind"] == "tcp.data"


@settings(max_examples=150)
@given(st.binary(min_size=1, max_size=60), st.integers(0, 1 << 32))
def test_a_stream_gives_every_byte_once_whatever_the_order(data, seed):
    chance = random.Random(seed)
    parts = [(at, data[at : at + chance.randint(1, 9)]) for at in range(0, len(data), chance.randint(1, 5))]
    parts += [(at, data[at : at + 9]) for at in range(0, len(data), 9)]
    chance.shuffle(parts)
    stream = Stream()
    stream.begin(0)
    got = b"".join(payload for at, part in parts for payload, _ in stream.receive(at, part, 0))
    assert got == data


def test_an_unanswered_port_refuses_and_the_refusal_follows_the_syn():
    capture = Capture()
    number = capture.connect()
    capture.heard = [capture.heard[0], capture.heard[1]]
    capture.flag(number, False, "RA")
    syn, refusal = capture.entries()
    assert (refusal["kind"], refusal["cause"]) == ("tcp.rst", syn["seq"])
    assert "refuses" in sentence(refusal)


def test_what_was_under_way_when_an_end_was_reset_still_crosses():
    capture = Capture()
    number = capture.connect()
    capture.flag(number, True, "RA")
    capture.flag(number, False, "FA")
    capture.flag(number, False, "RA")
    assert kinds(capture.entries())[2:] == ["tcp.rst", "tcp.fin", "tcp.rst"]


def test_a_connection_that_has_ended_is_forgotten_once_many_more_have():
    capture = Capture()
    numbers = [capture.connect() for _ in range(ENDED_MAX + 1)]
    for number in numbers:
        capture.flag(number, True, "RA")
    for number in numbers:
        capture.flag(number, False, "RA")
    resets = [entry["connection"] for entry in capture.entries() if entry["kind"] == "tcp.rst"]
    assert resets == [*numbers, *numbers[1:]]


def test_an_overlong_tls_length_is_no_tls():
    capture = Capture()
    number = capture.connect()
    capture.data(number, True, b"\x16\x03\x01" + struct.pack(">H", 40_000) + b"x" * 100)
    assert kinds(capture.entries())[-1] == "tcp.data"


def test_what_was_overtaken_keeps_the_time_at_which_it_was_sent():
    journal = Journal()
    lens = Lens(journal)
    lens.connection(Connection(1, Endpoint("10.0.0.100", 40000), Endpoint("10.0.0.1", 80), KUBECTL, API, 0.0))
    request, more = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    lens.segment(Segment(1, 1, True, 0.0, 0.1, "S", 0, 0, b""))
    lens.segment(Segment(2, 1, True, 2.0, 2.1, "PA", 1 + len(request), 0, more))
    lens.segment(Segment(3, 1, True, 1.0, 3.0, "PA", 1, 0, request))
    asked = [one for one in journal.since(0, 100) if one["kind"] == "http.request"]
    assert [(one["fields"]["path"], one["at"], one["arrived"]) for one in asked] == [
        ("/version", 1.0, 3.0),
        ("/healthz", 2.0, 3.0),
    ]


def test_a_certificate_with_a_key_of_no_known_kind_is_shown_as_unreadable():
    der = tls_recordings.certificate()
    assert certificates.facts(der)["key"] == "RSA 2048"
    known = bytes.fromhex("06092a864886f70d010101")
    facts = certificates.facts(der.replace(known, known[:-1] + b"\x63"))
    assert "Unknown key type" in facts["unreadable"]
