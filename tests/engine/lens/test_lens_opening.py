"""What an entry opens to: made on demand from the bytes that the journal kept."""

import pytest
from lens_capture import Capture, Secured, one, secured_h2

from cluster_engine.fields import opened as fields
from cluster_engine.journal import Journal
from cluster_engine.lens import Lens
from cluster_engine.lens.opening import open_entry


def test_an_entry_whose_bytes_are_gone_says_so():
    capture = Capture()
    h2 = secured_h2(capture)
    stream = h2.request("GET", "/api/v1/pods?watch=true")
    h2.respond(stream, 200, end=False)
    journal = Journal(bytes_max=48 * 1024)
    lens = Lens(journal)
    capture.replay(lens)
    kept = open_entry(journal, journal.head)
    assert kept["records"] and kept["segments"]
    for _ in range(400):
        journal.keep(b"x" * 200)
        journal.append({"seq": 0, "kind": "test", "fields": {}})
    with pytest.raises(KeyError):
        open_entry(journal, 1)


def test_an_entry_opens_to_headers_body_records_and_segments():
    capture = Capture()
    h2 = secured_h2(capture)
    body = b'{"kind":"Pod","metadata":{"name":"a"}}'
    stream = h2.request("POST", "/api/v1/namespaces/default/pods", body, [("content-type", "application/json")])
    h2.respond(stream, 201, body)
    journal = capture.journal()
    request = one(journal.since(0, 99), "http.request")
    detail = open_entry(journal, request["seq"])

    assert [":path", "/api/v1/namespaces/default/pods"] in detail["headers"]
    assert detail["body"] == {"type": "json", "text": body.decode(), "truncated": False}
    plain = b"".join(bytes.fromhex(record["plaintext"]) for record in detail["records"])
    assert body in plain
    cipher = "".join(record["wire"] for record in detail["records"])
    assert cipher == "".join(segment["payload"] for segment in detail["segments"])
    assert detail["records"][0]["type"] == "application_data"
    assert detail["records"][0]["version"] == "0x0303"


def test_a_record_cut_over_many_segments_opens_to_all_of_them():
    capture = Capture()
    h2 = secured_h2(capture)
    h2.request("GET", "/version")

    def in_tens(payload: bytes) -> list[bytes]:
        return [payload[at : at + 10] for at in range(0, len(payload), 10)]

    journal = capture.journal(in_tens)
    request = one(journal.since(0, 99), "http.request")
    detail = open_entry(journal, request["seq"])
    assert len(detail["segments"]) > 5
    (record,) = detail["records"]
    assert record["wire"] in "".join(segment["payload"] for segment in detail["segments"])
    assert record["plaintext"].startswith("0000")


def test_what_was_sent_in_the_clear_has_no_plaintext_beside_what_was_on_the_wire():
    capture = Capture()
    secured_h2(capture)
    journal = capture.journal()
    records = {}
    for kind in ("tls.client_hello", "tls.certificate_request"):
        (records[kind],) = open_entry(journal, one(journal.since(0, 99), kind)["seq"])["records"]
    assert records["tls.client_hello"]["wire"].startswith("160301")
    assert records["tls.client_hello"]["plaintext"] is None
    assert records["tls.certificate_request"]["wire"].startswith("170303")
    assert records["tls.certificate_request"]["plaintext"].startswith("0d")


def test_long_hex_is_cut_and_says_so():
    capture = Capture()
    h2 = secured_h2(capture)
    h2.request("POST", "/api/v1/namespaces/default/configmaps", b"x" * 15_000)
    journal = capture.journal()
    detail = open_entry(journal, one(journal.since(0, 99), "http.request")["seq"])
    assert any(record.get("truncated") for record in detail["records"])
    assert all(len(record["plaintext"]) <= 16 * 1024 for record in detail["records"])


@pytest.mark.parametrize("before", [0, 100, 9_000, 12_000])
def test_a_long_segment_is_shown_where_the_message_lies(before):
    capture = Capture()
    h2 = secured_h2(capture)
    kept = len(capture.heard)
    h2.request("POST", "/api/v1/namespaces/default/configmaps", b"x" * before)
    h2.request("GET", "/version")
    h2.request("POST", "/api/v1/namespaces/default/secrets", b"x" * 12_000)
    sent = [heard for heard in capture.heard[kept:] if heard[2]]
    one_segment = (*sent[0][:4], b"".join(heard[4] for heard in sent), *sent[0][5:])
    capture.heard[kept:] = [one_segment, *(heard for heard in capture.heard[kept:] if not heard[2])]
    journal = capture.journal()
    asked = next(entry for entry in journal.since(0, 99) if entry["label"] == "GET /version")
    detail = fields.open_entry(journal, asked["seq"])
    (segment,), record = detail["segments"], detail["records"][0]["wire"]
    payload, begin = one_segment[4], segment.get("from", 0)
    assert segment["truncated"] and record in segment["payload"]
    assert segment["payload"] == payload[begin : begin + 8192].hex()
    assert (begin > 0) == (before > 8192)
    (shown,) = (
        one
        for one in segment["payloadFields"]
        if one.name == "tls.record" and one.value == str(detail["records"][0]["number"])
    )
    assert bytes.fromhex(segment["payload"])[shown.begin : shown.end] == bytes.fromhex(record)


@pytest.mark.parametrize("before", [0, 3_000, 9_000, 12_000])
def test_a_long_record_is_shown_where_the_messages_own_frames_lie(before):
    capture = Capture()
    h2 = secured_h2(capture)
    flush, h2.flush = h2.flush, lambda: None
    h2.request("POST", "/api/v1/namespaces/default/configmaps", b"x" * before)
    h2.request("GET", "/version")
    h2.request("POST", "/api/v1/namespaces/default/secrets", b"x" * 3_000)
    flush()
    journal = capture.journal()
    asked = next(entry for entry in journal.since(0, 99) if entry["label"] == "GET /version")
    detail = fields.open_entry(journal, asked["seq"])
    (record,), (segment,) = detail["records"], detail["segments"]
    (own,) = (one for one in record["plaintextFields"] if one.name == "http2.frame")
    assert own.value == f"HEADERS stream={asked['stream']}"
    begin, size = record.get("plaintextWindow", [0, 0])
    assert (begin > 0, size > 8192) == (before >= 8_000, before + 3_000 > 8192)
    assert own.end <= len(record["plaintext"]) // 2 <= 8192
    if size:
        wire, whole = record["wireWindow"]
        assert (begin % 16, wire % 16, whole) == (0, 0, size + 21)
        assert begin + len(record["plaintext"]) // 2 in (size, begin + 8192)
        assert wire <= begin + own.begin + 5 and segment["from"] == wire if wire else "from" not in segment


def test_of_many_events_in_one_frame_each_is_shown_where_it_lies():
    capture = Capture()
    h2 = secured_h2(capture)
    stream = h2.request("GET", "/api/v1/configmaps?watch=true")
    h2.respond(stream, 200, end=False)
    meta = '{"namespace":"default","name":"c%d","resourceVersion":"%d"}'
    lines = [f'{{"type":"ADDED","object":{{"kind":"ConfigMap","metadata":{meta % (n, n)}}}}}\n' for n in range(120)]
    h2.more(stream, "".join(lines).encode())
    journal = capture.journal()
    events = [entry for entry in journal.since(0, 999) if entry["kind"] == "watch.event"]
    details = [fields.open_entry(journal, entry["seq"]) for entry in events]
    assert len(details) == 120 and {len(detail["records"]) for detail in details} == {1}
    begins = [detail["records"][0]["plaintextWindow"][0] for detail in details]
    assert begins == sorted(begins) and begins[0] == 0 and begins[-1] > 4000
    for number, detail in enumerate(details):
        shown = bytes.fromhex(detail["records"][0]["plaintext"])
        assert f'"name":"c{number}"'.encode() in shown, number
        assert detail["records"][0]["plaintextFields"][-1].end <= len(shown) <= 8192


def test_a_note_opens_to_nothing():
    capture = Capture()
    capture.note("control-plane/etcd", "process.started", "etcd starts", name="etcd")
    detail = open_entry(capture.journal(), 1)
    assert detail["headers"] == detail["records"] == detail["segments"] == []
    assert detail["body"]["type"] == "none"


def test_a_record_says_who_could_read_it():
    readers = {}
    for name, how in {"TLS 1.3": {}, "ECDHE": {"tls12": True}, "no secrets": {"with_secrets": False}}.items():
        capture = Capture()
        wire = Secured(capture, capture.connect(), **how)
        wire.shake_hands()
        wire.send(True, b"hello")
        journal = capture.journal()
        opened = [open_entry(journal, entry["seq"])["records"] for entry in journal.since(0, 99)]
        readers[name] = [records[0]["readers"] for records in opened if records]
    assert (readers["TLS 1.3"][0], readers["TLS 1.3"][-1]) == ("everybody", "session")
    assert (readers["ECDHE"][0], readers["ECDHE"][-1]) == ("everybody", "session")
    assert (readers["no secrets"][0], readers["no secrets"][-1]) == ("everybody", "ends")
