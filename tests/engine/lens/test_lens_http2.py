"""HTTP/2 and what it carries: multiplexed, padded, continued, with trailers, cut anywhere."""

import contextlib
import random
import struct

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lens_capture import API, KUBECTL, Capture, byte_by_byte, clear_h2, kinds, one, secured_h2

from cluster_engine.lens.header_compression import LEFT_OUT, LIST_BYTES_MAX, HeaderDecoder, bounded
from cluster_engine.lens.opening import open_entry
from cluster_engine.lens.unreadable import Unreadable
from cluster_engine.words.sentences import sentence

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
POD = b'{"kind":"Pod","metadata":{"name":"web-1","namespace":"default","uid":"u1","resourceVersion":"7"}}'


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(*headers: tuple[str, str]) -> bytes:
    return hpack.Encoder().encode(headers)


REQUEST = block((":method", "GET"), (":path", "/version"), (":scheme", "https"), ("user-agent", "kubectl"))
RESPONSE = block((":status", "200"), ("content-type", "text/plain"))


def frames(client: bytes, server: bytes = b"") -> Capture:
    """A connection in the clear with these frames."""
    capture = Capture()
    number = capture.connect()
    capture.data(number, True, PREFACE + client)
    capture.data(number, False, server)
    return capture


def story() -> Capture:
    """Requests, a watch and a refusal, interleaved on one connection."""
    capture = Capture()
    capture.note(KUBECTL, "command.started", "kubectl get pods -w", process=KUBECTL)
    h2 = secured_h2(capture)
    watch = h2.request("GET", "/api/v1/namespaces/default/pods?watch=true&resourceVersion=5")
    h2.respond(watch, 200, end=False)
    get = h2.request("GET", "/api/v1/namespaces/default/pods/web-1")
    event = b'{"type":"ADDED","object":%b}\n' % POD
    h2.more(watch, event[:30])
    h2.respond(get, 200, POD)
    h2.more(watch, event[30:] + event + event[:5])
    h2.more(watch, event[5:])
    post = h2.request(
        "POST", "/api/v1/namespaces/default/pods", POD, [("content-type", "application/json"), ("x-long", "v" * 20000)]
    )
    refusal = (
        b'{"kind":"Status","status":"Failure","message":"pods \\"web-1\\" already exists","reason":"AlreadyExists"}'
    )
    h2.respond(post, 409, refusal)
    h2.client.ping(b"12345678")
    h2.flush()
    h2.more(watch, b"", end=True)
    h2.client.close_connection()
    h2.flush()
    return capture


def test_the_answer_to_a_watch_says_as_the_request_from_which_version_it_goes_on():
    entries = story().entries()
    told = [
        one["fields"].get("since") for one in entries if one["kind"] in ("http.request", "http.response", "http.end")
    ]
    assert told.count("5") == 2 and told.count(None) == len(told) - 2


def test_requests_and_responses_of_many_streams_are_told_apart():
    entries = story().entries()

    get = one(entries, "http.request", name="web-1", verb="get")
    answer = next(entry for entry in entries if entry["replyTo"] == get["seq"])
    assert (answer["kind"], answer["fields"]["status"]) == ("http.response", 200)
    assert (get["from"], get["to"], answer["from"], answer["to"]) == (KUBECTL, API, API, KUBECTL)
    assert get["stream"] == answer["stream"] == 3


def test_a_watch_is_answered_at_once_and_told_event_by_event():
    entries = story().entries()

    watch = one(entries, "http.request", verb="watch")
    events = [entry for entry in entries if entry["kind"] == "watch.event"]
    assert len(events) == 3
    assert all(event["stream"] == watch["stream"] for event in events)
    assert events[0]["fields"] == {
        "type": "ADDED",
        "resource": "pods",
        "kind": "Pod",
        "resourceVersion": "7",
        "namespace": "default",
        "name": "web-1",
        "uid": "u1",
    }
    assert sentence(events[0]) == "kube-apiserver tells kubectl: Pod web-1 in namespace default was added"
    end = one(entries, "http.end")
    assert end["replyTo"] == watch["seq"]


def test_a_refusal_says_in_whose_words():
    refusal = one(story().entries(), "http.response", status=409)
    assert refusal["label"] == "409 AlreadyExists"
    assert refusal["fields"]["message"] == 'pods "web-1" already exists'


def test_frames_that_concern_the_connection_are_entries_of_the_http_layer():
    entries = story().entries()
    assert kinds(entries, "h2.").count("h2.settings") == 4
    ping, answer = [entry for entry in entries if entry["kind"] == "h2.ping"]
    assert (ping["trigger"], answer["cause"]) == ("timer", ping["seq"])
    assert ping["heartbeat"] and answer["heartbeat"]
    assert one(entries, "h2.goaway")["fields"]["error"] == "NO_ERROR"
    assert {entry["layer"] for entry in entries if entry["kind"].startswith("h2.")} == {"http"}


def test_a_story_cut_at_every_byte_gives_the_same_entries():
    capture = story()
    assert capture.entries(byte_by_byte) == capture.entries()


STORY = story()
STORY_ENTRIES = STORY.entries()


@settings(max_examples=40)
@given(seed=st.integers(0, 1 << 32), typical=st.sampled_from([2, 9, 60, 1400]))
def test_a_story_cut_anywhere_gives_the_same_entries(seed, typical):
    chance = random.Random(seed)

    def cut(payload: bytes) -> list[bytes]:
        parts = []
        while payload:
            length = chance.randint(1, 2 * typical)
            parts.append(payload[:length])
            payload = payload[length:]
        return parts

    assert STORY.entries(cut) == STORY_ENTRIES


def test_padding_and_priority_are_taken_away():
    client = frame(1, 0x1 | 0x4 | 0x8 | 0x20, 1, b"\x03" + b"\0\0\0\0\x10" + REQUEST + b"\0\0\0")
    server = frame(1, 0x4, 1, RESPONSE) + frame(0, 0x1 | 0x8, 1, b"\x02ok\0\0")

    capture = frames(client, server)
    journal = capture.journal()
    response = one(journal.since(0, 99), "http.response")
    assert open_entry(journal, response["seq"])["body"] == {"type": "text", "text": "ok", "truncated": False}


def test_a_header_block_may_be_continued():
    client = frame(1, 0x1, 1, REQUEST[:4]) + frame(9, 0, 1, REQUEST[4:9]) + frame(9, 0x4, 1, REQUEST[9:])
    assert one(frames(client).entries(), "http.request")["fields"]["path"] == "/version"


def test_trailers_belong_to_their_response():
    trailers = hpack.Encoder().encode([("x-checksum", "1")])
    server = frame(1, 0x4, 1, RESPONSE) + frame(0, 0, 1, b"ok") + frame(1, 0x4 | 0x1, 1, trailers)
    journal = frames(frame(1, 0x5, 1, REQUEST), server).journal()

    response = one(journal.since(0, 99), "http.response")
    assert ["x-checksum", "1"] in open_entry(journal, response["seq"])["headers"]


def test_a_stream_that_is_reset_says_so_and_the_others_go_on():
    client = (
        frame(1, 0x5, 1, REQUEST)
        + frame(3, 0, 1, b"\0\0\0\x08")
        + frame(1, 0x5, 3, block((":method", "GET"), (":path", "/a")))
    )
    entries = frames(client).entries()

    request = one(entries, "http.request", path="/version")
    reset = one(entries, "h2.rst_stream")
    assert (reset["cause"], reset["fields"]["error"]) == (request["seq"], "CANCEL")
    assert one(entries, "http.request", path="/a")


def test_a_request_cut_off_by_the_end_is_shown_as_unfinished():
    capture = frames(frame(1, 0x4, 1, REQUEST) + frame(0, 0, 1, b'{"a"'))
    capture.flag(1, True, "FA")
    assert one(capture.entries(), "http.request")["fields"]["unfinished"] is True


@pytest.mark.parametrize(
    "broken",
    [
        frame(9, 0x4, 1, REQUEST),
        frame(1, 0x5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        frame(1, 0x5, 1, b"\x80"),
        frame(0, 0x8, 1, b""),
        frame(4, 0, 0, b"\0"),
        frame(3, 0, 1, b"\0"),
        frame(7, 0, 0, b"\0"),
        b"\xff" * 40,
    ],
)
def test_frames_that_cannot_be_read_become_bytes(broken):
    good = frame(1, 0x5, 5, REQUEST)
    entries = frames(good + (frame(1, 0x5, 1, REQUEST) if broken[3] == 0 else b"") + broken + good).entries()
    assert entries[-1]["kind"] == "tcp.data"
    assert entries[-1]["fields"]["unreadable"]


def test_http2_is_recognised_without_tls_even_when_the_server_speaks_first():
    capture = Capture()
    h2 = clear_h2(capture, "worker-1/kubelet", "worker-1/containerd")
    h2.respond(h2.request("GET", "/healthz"), 200, b"ok", content_type="text/plain")
    swapped = [heard for heard in capture.heard if not (isinstance(heard, tuple) and heard[2] is False)]
    assert one(capture.entries(), "http.response")
    assert len(swapped) < len(capture.heard)

    first = Capture()
    number = first.connect()
    first.data(number, False, frame(4, 0, 0))
    first.data(number, True, PREFACE + frame(4, 0, 0))
    assert kinds(first.entries(), "h2.") == ["h2.settings", "h2.settings"]


# -- HPACK ------------------------------------------------------------------------------------------------------------

header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
header_lists = st.lists(st.lists(st.tuples(header_text.filter(bool), header_text), max_size=8), max_size=6)


@settings(max_examples=150)
@given(blocks=header_lists, coded=st.booleans(), size=st.sampled_from([4096, 0, 200, 65536]))
def test_our_header_decoder_agrees_with_the_hpack_package(blocks, coded, size):
    encoder, ours, theirs = hpack.Encoder(), HeaderDecoder(), hpack.Decoder()
    theirs.max_allowed_table_size = 65536
    for index, headers in enumerate(blocks):
        if index == 1:
            encoder.header_table_size = size
        encoded = encoder.encode(headers, huffman=coded)
        expected = [(name, value) for name, value in theirs.decode(encoded, raw=False)]
        assert ours.decode(encoded) == expected


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_no_header_block_makes_the_decoder_fail_otherwise_than_unreadable(data):
    with contextlib.suppress(Unreadable):
        HeaderDecoder().decode(data)


def test_of_many_headers_a_bounded_part_is_kept_and_the_rest_counted():
    decoder = HeaderDecoder()
    literal = hpack.Encoder().encode([("x-long", "y" * 3000)])
    (first, *_, last) = headers = decoder.decode(literal + b"\xbe" * 240_000)
    assert first == ("x-long", "y" * 3000)
    kept = LIST_BYTES_MAX // (3000 + len("x-long") + 32)
    assert len(headers) == kept + 1
    assert last == (LEFT_OUT, f"{240_001 - kept} more header fields of {(240_001 - kept) * 3038} bytes are not kept")
    assert decoder.decode(b"\xbe") == [("x-long", "y" * 3000)], "the table is as it should be"


def test_trailers_without_end_are_kept_no_further_than_headers():
    kept = []
    for _ in range(1000):
        kept = bounded([("grpc-status", "x" * 1000)], kept)
    assert len(kept) == LIST_BYTES_MAX // (1000 + len("grpc-status") + 32) + 1
    assert kept[-1][0] == LEFT_OUT
