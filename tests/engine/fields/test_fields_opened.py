"""An opened entry's stretches and their fields: every byte of what crossed a wire under TLS is explained."""

import re
from pathlib import Path

import rfc8448
from lens_capture import Capture, Secured, one, secured_h2
from test_fields_properties import covers, hold

from cluster_engine.cluster import Cluster, ClusterSpec
from cluster_engine.fields import opened
from cluster_engine.fields.field import UNREADABLE, every
from cluster_engine.fields.opened import open_entry
from cluster_engine.world.loop import ClusterLoop


def judge(detail: dict) -> list[str]:
    """Fail unless each stretch's fields lie in order and leave no byte out; give what could not be read."""
    stretches = [(record["wire"], record["wireFields"]) for record in detail["records"]]
    stretches += [
        (record["plaintext"], record["plaintextFields"]) for record in detail["records"] if record["plaintext"]
    ]
    stretches += [(segment["payload"], segment["payloadFields"]) for segment in detail["segments"]]
    assert not detail["fieldsCut"]
    for shown, fields in stretches:
        hold(fields, 0, len(shown) // 2)
        assert covers(fields, len(shown) // 2)
    return [f"{one.begin}: {one.value}" for _, fields in stretches for one in every(fields) if one.name == UNREADABLE]


def opened_entries(capture: Capture, cut=None) -> list[tuple[dict, dict]]:
    journal = capture.journal(cut) if cut else capture.journal()
    return [(entry, open_entry(journal, entry["seq"])) for entry in journal.since(0, 99)]


def names(fields) -> list[str]:
    return [one.name for one in every(fields)]


def test_every_byte_of_a_handshake_is_explained_in_both_versions():
    for tls12 in (False, True):
        capture = Capture()
        wire = Secured(capture, capture.connect(), tls12=tls12)
        wire.shake_hands()
        wire.send(True, b"hello")
        entries = opened_entries(capture)
        for entry, detail in entries:
            assert judge(detail) == [], entry["label"]
        tls = {entry["kind"] for entry, _ in entries if entry["layer"] == "tls"}
        assert {"tls.client_hello", "tls.certificate", "tls.certificate_verify", "tls.finished"} <= tls


def test_an_encrypted_record_has_fields_of_what_is_on_the_wire_and_of_what_the_keys_make_of_it():
    capture = Capture()
    Secured(capture, capture.connect()).shake_hands()
    details = {entry["kind"]: detail for entry, detail in opened_entries(capture)}
    (record,) = details["tls.encrypted_extensions"]["records"]
    assert names(record["wireFields"])[-2:] == ["tls.record.ciphertext", "tls.record.tag"]
    assert record["plaintextFields"][0].name == "tls.encrypted_extensions"
    assert record["plaintextFields"][-1][:4] == ("tls.record.inner_type", *_last(record), "22 handshake")
    assert record["plaintext"].endswith("16")
    (hello,) = details["tls.client_hello"]["records"]
    assert "plaintextFields" not in hello
    assert "tls.client_hello.random" in names(hello["wireFields"])


def _last(record: dict) -> tuple[int, int]:
    size = len(record["plaintext"]) // 2
    return size - 1, size


def test_a_record_over_many_segments_is_cut_to_each_of_them():
    capture = Capture()
    Secured(capture, capture.connect()).shake_hands()

    def in_sevens(payload: bytes) -> list[bytes]:
        return [payload[at : at + 7] for at in range(0, len(payload), 7)]

    _, detail = next(pair for pair in opened_entries(capture, in_sevens) if pair[0]["kind"] == "tls.client_hello")
    assert judge(detail) == []
    parts = [segment["payloadFields"] for segment in detail["segments"]]
    assert len(parts) > 20
    random = [one.value for fields in parts for one in every(fields) if one.name == "tls.client_hello.random"]
    assert len(random) == 6, "32 bytes, from byte 11 on, seven a segment"
    assert len(set(random)) == 1


def test_a_message_behind_the_end_of_another_is_read_from_its_own_beginning():
    hello = b"\x02\0\0\x28\x03\x03" + bytes(range(32)) + bytes.fromhex("00c02f000000")
    der = rfc8448.CERTIFICATE[11:-2]
    certificate = b"\x0b" + (len(der) + 6).to_bytes(3) + (len(der) + 3).to_bytes(3) + len(der).to_bytes(3) + der
    flight = hello + certificate + b"\x0e\0\0\0"
    capture = Capture()
    number = capture.connect()
    capture.data(number, True, b"\x16\x03\x01\0\xc4" + rfc8448.CLIENT_HELLO)
    for at in range(0, len(flight), 150):
        part = flight[at : at + 150]
        capture.data(number, False, b"\x16\x03\x03" + len(part).to_bytes(2) + part)
    details = {entry["kind"]: detail for entry, detail in opened_entries(capture)}
    assert judge(details["tls.certificate"]) == []
    parts = [record["wireFields"] for record in details["tls.certificate"]["records"]]
    assert [fields[3].name for fields in parts] == ["tls.server_hello", *["tls.certificate"] * 3]
    assert {"x509.issuer", "x509.signature"} <= {name for fields in parts for name in names(fields)}
    (last,) = details["tls.server_hello_done"]["records"]
    assert judge(details["tls.server_hello_done"]) == []
    assert [field.name for field in last["wireFields"][3:]] == ["any.other", "tls.server_hello_done"]


def test_bytes_of_other_messages_in_a_segment_are_told_apart():
    capture = Capture()
    Secured(capture, capture.connect()).shake_hands()
    _, detail = next(pair for pair in opened_entries(capture) if pair[0]["kind"] == "tls.server_hello")
    (segment,) = detail["segments"]
    assert [one.name for one in segment["payloadFields"]] == ["tls.record", "any.other"]


def test_fields_of_an_entry_are_bounded(monkeypatch):
    capture = Capture()
    h2 = secured_h2(capture)
    h2.request("POST", "/api/v1/namespaces/default/configmaps", b"x" * 15_000)
    journal = capture.journal()
    request = one(journal.since(0, 99), "http.request")
    monkeypatch.setattr(opened, "FIELDS_TOTAL_MAX", 3)
    detail = open_entry(journal, request["seq"])
    assert detail["fieldsCut"]
    assert () in [record["wireFields"] for record in detail["records"]]


def test_every_byte_under_tls_of_a_whole_run_is_explained():
    async def story(loop: ClusterLoop) -> list[tuple[dict, list[str]]]:
        async with Cluster(ClusterSpec(nodes=1, seed=7, pace=None, effort=0.0), loop) as cluster:
            assert await cluster.command("kubectl get pods", lambda *_: None) == 0
            journal = cluster.journal
            assert journal is not None
            entries = [entry for entry in journal.since(0, 100_000) if entry["layer"] == "tls"]
            return [(entry, judge(open_entry(journal, entry["seq"]))) for entry in entries]

    loop = ClusterLoop()
    try:
        judged = loop.run_until_complete(story(loop))
    finally:
        loop.close()
    assert len(judged) > 50
    assert [(entry["kind"], unreadable) for entry, unreadable in judged if unreadable] == []


def test_the_page_knows_the_same_fields_as_others():
    page = (Path(__file__).parents[3] / "static/js/fields/fieldtree.js").read_text()
    listed = page[page.index("const OTHERS") :].partition("]);")[0]
    assert set(re.findall(r'"([a-z0-9_.]+)"', listed)) == opened.OTHERS
