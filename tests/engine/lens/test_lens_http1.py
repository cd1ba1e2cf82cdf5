"""HTTP/1.1: lengths, chunks, until the end, pipelines, upgrades, and what is none of it."""

import pytest
from lens_capture import Capture, Secured, byte_by_byte, kinds, one

from cluster_engine.lens.opening import open_entry

GET = b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n"


def talk(*parts: tuple[bool, bytes]) -> Capture:
    capture = Capture()
    number = capture.connect()
    for from_client, data in parts:
        capture.data(number, from_client, data)
    return capture


def test_a_request_and_a_response_with_lengths():
    body = b'{"kind":"Pod","metadata":{"name":"a"}}'
    post = b"POST /api/v1/namespaces/default/pods HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
    capture = talk((True, post % (len(body), body)), (False, b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"))
    journal = capture.journal()
    entries = journal.since(0, 99)

    request, response = one(entries, "http.request"), one(entries, "http.response")
    assert request["fields"]["name"] == "a"
    assert request["stream"] is None
    assert (response["replyTo"], response["fields"]["status"]) == (request["seq"], 201)
    assert open_entry(journal, request["seq"])["body"]["text"] == body.decode()
    assert [":method", "POST"] in open_entry(journal, request["seq"])["headers"]


def test_a_watch_in_chunks_is_told_event_by_event_whatever_the_chunks_are():
    line = b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"3"}}}\n'
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in (line[:10], line[10:] + line))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    request = b"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    capture = talk((True, request), (False, head), (False, chunks), (False, b"0\r\nX-Trailer: 1\r\n\r\n"), (True, GET))

    entries = capture.entries()
    assert kinds(entries, "watch.") == ["watch.event", "watch.event"]
    assert one(entries, "http.end")
    assert one(entries, "http.request", path="/version")
    assert capture.entries(byte_by_byte) == entries


def test_pipelined_requests_are_answered_in_order():
    second = GET.replace(b"/version", b"/livez")
    no_content = b"HTTP/1.1 204 No Content\r\n\r\n"
    entries = talk((True, GET + second), (False, no_content + no_content)).entries()

    first, last = [entry for entry in entries if entry["kind"] == "http.request"]
    assert [entry["replyTo"] for entry in entries if entry["kind"] == "http.response"] == [first["seq"], last["seq"]]


def test_a_response_without_length_ends_with_the_connection():
    capture = talk((True, GET), (False, b"HTTP/1.0 200 OK\r\n\r\nall"), (False, b" of it"))
    capture.flag(1, False, "FA")
    journal = capture.journal()
    response = one(journal.since(0, 99), "http.response")
    assert open_entry(journal, response["seq"])["body"]["text"] == "all of it"
    assert "unfinished" not in response["fields"]


def test_a_head_request_has_an_answer_without_body():
    head = GET.replace(b"GET", b"HEAD")
    capture = talk((True, head), (False, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), (True, GET))
    assert len([entry for entry in capture.entries() if entry["kind"] == "http.request"]) == 2


def test_interim_responses_are_passed_over():
    capture = talk((True, GET), (False, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))
    assert one(capture.entries(), "http.response")["fields"]["status"] == 204


def test_after_an_upgrade_the_bytes_are_shown_as_bytes():
    capture = talk((True, GET), (False, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x82\x01"), (True, b"\x82\x81abcd"))
    entries = capture.entries()
    assert one(entries, "http.response")["fields"]["status"] == 101
    assert kinds(entries, "tcp.data") == ["tcp.data", "tcp.data"]


def test_plain_http_sent_to_a_tls_port_is_read_as_what_it_is():
    capture = talk(
        (True, GET), (False, b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    )
    capture.flag(1, False, "FA")
    assert one(capture.entries(), "http.response")["fields"]["status"] == 400


def test_http1_inside_tls_is_chosen_by_alpn():
    capture = Capture()
    wire = Secured(capture, capture.connect(), alpn=("http/1.1",))
    wire.shake_hands()
    wire.send(True, GET)
    wire.send(False, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert one(capture.entries(), "http.response")["connection"] == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"GET " + b"a" * 300_000,
    ],
)
def test_requests_that_cannot_be_read_become_bytes(data):
    last = talk((True, data)).entries()[-1]
    assert (last["kind"], last["layer"]) == ("tcp.data", "tcp")
    assert last["fields"]["unreadable"]
