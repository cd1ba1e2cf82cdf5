"""Captures that people bring: what becomes of good ones, of hostile ones, and of what is too much."""

import asyncio
import json
import struct

import pytest
from django.test import AsyncClient
from web_until import until

from cluster_engine.journal import Journal
from visualizer import rate_limits
from visualizer.database import in_database
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.messages import StateAt
from visualizer.imports import answering, asking, open_recordings, reader, services
from visualizer.imports.models import Import, JournalPart, Part
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

HTTP = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
AUDIT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/pods",
    "verb": "list",
    "user": {"username": "<img src=x onerror=alert(1)>"},
    "responseStatus": {"code": 200},
    "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
    "stageTimestamp": "2026-01-01T00:00:00.100000Z",
}


def capture(*payloads: bytes) -> bytes:
    """A pcap of one TCP connection to port 80."""
    made, sequence = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101), 1000
    for number, payload in enumerate([None, *payloads]):
        flags, content = (0x02, b"") if payload is None else (0x18, payload)
        tcp = struct.pack("!HHIIBBHHH", 40_000, 80, sequence, 1, 5 << 4, flags, 65_535, 0, 0) + content
        sequence += len(content) + (payload is None)
        ends = bytes([10, 0, 0, 5, 10, 0, 0, 1])
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends + tcp
        made += struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet
    return made


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


async def begun(client, name: str = "a.pcap") -> str:
    answer = await client.post("/imports/", {"name": name})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


async def sent(client, file: str, n: int, data: bytes, to: str = "parts"):
    return await client.post(f"/imports/{file}/{to}/{n}/", data, content_type="application/octet-stream")


async def brought(client, data: bytes, keys: bytes = b"") -> dict:
    """Bring a file, and give how that ended."""
    file = await begun(client)
    size = services.PART_BYTES_MAX
    for n in range(0, len(data), size):
        assert (await sent(client, file, n // size, data[n : n + size])).status_code == 201
    if keys:
        assert (await sent(client, file, 0, keys, "keys")).status_code == 201
    assert (await client.post(f"/imports/{file}/read/")).status_code == 202

    async def is_done() -> bool:
        return (await client.get(f"/imports/{file}/")).json()["state"] in ("read", "failed")

    await until(is_done, seconds=60)
    return (await client.get(f"/imports/{file}/")).json()


async def test_a_capture_becomes_a_recording_of_its_owner(client, host):
    done = await brought(client, capture(HTTP))
    assert (done["state"], done["read"]) == ("read", 1.0)
    listed = (await client.get(f"{done['url']}entries/")).json()["entries"]
    assert [entry["seq"] for entry in listed] == list(range(1, len(listed) + 1))
    assert "http.request" in {entry["kind"] for entry in listed}
    request = next(entry["seq"] for entry in listed if entry["kind"] == "http.request")
    opened = (await client.get(f"{done['url']}entries/{request}/")).json()
    assert opened["seq"] == request
    assert opened["segments"]
    page = (await client.get(done["url"])).content.decode()
    assert 'data-imported="capture"' in page
    assert 'data-not-made="audit"' in page
    assert await in_database(Part.objects.count)() == 0


async def test_a_recording_is_its_owners_and_can_be_shared(client, host):
    done = await brought(client, capture(HTTP))
    stranger = AsyncClient()
    assert (await stranger.get(done["url"])).status_code == 404
    token = (await client.post(f"{done['url']}shares/")).json()["token"]
    assert (await stranger.get(f"/shared/{token}/entries/")).json()["entries"]
    assert (await stranger.get(f"/shared/{token}/entries/1/")).json()["seq"] == 1


async def test_nothing_can_be_done_to_a_recording(client, host):
    url = (await brought(client, capture(HTTP)))["url"]
    assert (await client.get(f"{url}kubeconfig")).status_code == 403
    assert (await client.post(f"{url}reset/", headers={"Accept": "application/json"})).status_code == 403


async def test_bodies_of_a_recording_are_searched(client, host):
    post = b"POST /api/v1/pods HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n"
    url = (await brought(client, capture(HTTP, post + b'{"image":"Nginx:1.27*"}', HTTP)))["url"]
    entries = (await client.get(f"{url}entries/")).json()["entries"]
    posted = next(entry["seq"] for entry in entries if entry["fields"].get("method") == "POST")
    asked = f"{url}search/?text=nginx&text=image*1.27&text=1.27*image"
    answer = (await client.get(asked)).json()
    assert answer["found"] == [[posted], [posted], []]
    assert answer["to"] == answer["head"] == entries[-1]["seq"]
    assert (await client.get(f"{asked}&since={posted}")).json()["found"] == [[], [], []]


# Taking it along ------------------------------------------------------------------------------------------------------


async def taken(client, url: str, form: str) -> bytes:
    answer = await client.get(f"{url}export/{form}")
    assert answer.status_code == 200, answer.content
    return b"".join([part async for part in answer.streaming_content])


async def test_a_capture_is_taken_along_as_a_run_is(client, host):
    url = (await brought(client, capture(HTTP, HTTP)))["url"]
    entries = (await client.get(f"{url}entries/")).json()["entries"]
    lines = [json.loads(line) for line in (await taken(client, url, "jsonl")).splitlines()]
    assert [{**line, "sentence": ""} for line in lines] == [{**entry, "sentence": ""} for entry in entries]
    assert all(line["sentence"] for line in lines)
    again = await brought(client, await taken(client, url, "pcapng"))
    kinds = [entry["kind"] for entry in (await client.get(f"{again['url']}entries/")).json()["entries"]]
    assert kinds == [entry["kind"] for entry in entries]
    assert b"sequenceDiagram" in await taken(client, url, "mermaid")
    assert await taken(client, url, "keylog") == b""
    assert json.loads((await taken(client, url, "otlp")).splitlines()[0])["resourceSpans"]
    ranged = await client.get(f"{url}export/jsonl?first=2&last=3")
    assert [
        json.loads(line)["seq"] for line in b"".join([one async for one in ranged.streaming_content]).splitlines()
    ] == [2, 3]


async def test_a_file_of_an_audit_log_is_taken_along_with_its_date(client, host):
    line = json.dumps(AUDIT).encode()
    url = (await brought(client, line + b"\n"))["url"]
    assert await taken(client, url, "audit") == line + b"\n"
    for form in ("pcapng", "keylog"):
        refused = await client.get(f"{url}export/{form}")
        assert refused.status_code == 404
        assert "An audit log has no" in refused.json()["message"]
    assert (await in_database(Import.objects.get)()).began_ns == 1767225600_100000000


async def test_a_capture_has_no_audit_log_and_says_so(client, host):
    url = (await brought(client, capture(HTTP)))["url"]
    refused = await client.get(f"{url}export/audit", headers={"Accept-Language": "de"})
    assert refused.status_code == 404
    assert "schreibt ein API-Server" in refused.json()["message"]


async def test_files_of_a_shared_recording_are_taken_where_its_owner_says_so(client, host):
    url = (await brought(client, capture(HTTP)))["url"]
    stranger = AsyncClient()
    looks, takes = [(await client.post(f"{url}shares/", form)).json()["token"] for form in ({}, {"files": "on"})]
    assert (await stranger.get(f"/shared/{looks}/export/jsonl")).status_code == 403
    assert await taken(stranger, f"/shared/{takes}/", "jsonl")


# What stood -----------------------------------------------------------------------------------------------------------


async def test_an_audit_log_tells_what_stood_and_that_it_says_nothing_of_connections(client, host):
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web-0", "namespace": "default", "resourceVersion": "5"},
    }
    about = {"resource": "pods", "namespace": "default", "name": "web-0"}
    created = {**AUDIT, "verb": "create", "objectRef": about, "responseObject": {**pod, "note": "x" * 20_000}}
    log = json.dumps(created).encode() + b"\n"
    url = (await brought(client, log))["url"]
    (kind,) = (await client.get(f"{url}state/objects/")).json()["kinds"]
    assert [(row["name"], row["cells"][4], row["gone"]) for row in kind["rows"]] == [("web-0", "<unknown>", False)]
    asked = f"{url}state/object/?resource=pods&namespace=default&name=web-0"
    assert (await client.get(asked)).json()["versions"][0]["user"] == AUDIT["user"]["username"]
    assert await taken(client, url, "audit") == log, "a line that is longer than a note"
    refused = await client.get(f"{url}state/topology/", headers={"Accept-Language": "de"})
    assert refused.status_code == 404
    assert "nichts von Verbindungen" in refused.json()["message"]


# What has it open -----------------------------------------------------------------------------------------------------


async def test_of_a_recording_without_its_journal_there_are_its_messages(client, host):
    url = (await brought(client, capture(HTTP)))["url"]
    await in_database(JournalPart.objects.all().delete)()
    assert (await client.get(f"{url}entries/")).json()["entries"]
    missing = await client.get(f"{url}entries/1/")
    assert missing.status_code == 404
    assert "messages alone" in missing.json()["message"]


async def test_a_process_that_dies_of_a_question_costs_that_answer(client, host, monkeypatch):
    url = (await brought(client, capture(HTTP)))["url"]
    assert (await client.get(f"{url}entries/1/")).status_code == 200
    (recording,) = open_recordings._open[asyncio.get_running_loop()].values()
    recording._process.kill()
    await recording._process.wait()
    assert (await client.get(f"{url}entries/1/")).status_code == 503
    assert (await client.get(f"{url}entries/1/")).status_code == 200


async def test_an_answer_that_cannot_be_read_costs_that_answer(client, host, monkeypatch):
    url = (await brought(client, capture(HTTP)))["url"]
    with monkeypatch.context() as broken:
        broken.setattr(open_recordings, "decode_reply", lambda _: 1 / 0)
        assert (await client.get(f"{url}entries/1/")).status_code == 503
    assert (await client.get(f"{url}entries/1/")).status_code == 200


async def test_so_many_recordings_are_open_and_no_more(client, host, monkeypatch):
    monkeypatch.setattr(open_recordings, "OPEN_MAX", 1)
    urls = [(await brought(client, capture(HTTP, *more)))["url"] for more in ([], [HTTP])]
    for url in (*urls, *urls):
        assert (await client.get(f"{url}entries/1/")).json()["seq"] == 1
        assert len(open_recordings._open[asyncio.get_running_loop()]) == 1


async def test_a_recording_that_nobody_asks_about_is_closed(client, host, monkeypatch):
    monkeypatch.setattr(open_recordings, "IDLE_SECONDS", 0.01)
    url = (await brought(client, capture(HTTP)))["url"]
    assert (await client.get(f"{url}entries/1/")).status_code == 200
    (recording,) = open_recordings._open[asyncio.get_running_loop()].values()

    async def is_closed() -> bool:
        return recording.is_over and recording._process is None

    await until(is_closed, seconds=60)
    assert (await client.get(f"{url}entries/1/")).status_code == 200


async def test_a_question_that_breaks_something_is_answered_in_words(monkeypatch):
    recording = answering.Recording(Journal(), "capture", 0)
    asked = asking.encode(StateAt("board", 1))
    monkeypatch.setattr(recording, "answer", lambda _: 1 / 0)
    assert answering.replied(recording, asked).refusal == "This broke inside Glassplane; that is our mistake."


async def test_an_audit_log_is_text_whatever_it_names(client, host):
    done = await brought(client, json.dumps(AUDIT).encode() + b"\nno json\n")
    assert done["state"] == "read"
    assert done["problems"] == ["1 lines are no audit events, or too many"]
    page = (await client.get("/imports/")).content.decode()
    assert "1 lines are no audit events" in page


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"\x00" * 4096,
        b"\xff" * 4096,
        b"<script>alert(1)</script>",
        b"PK\x03\x04" + bytes(range(256)) * 16,
        struct.pack("<III", 0x0A0D0D0A, 0xFFFFFFFF, 0x1A2B3C4D) + b"\x00" * 64,
        b"[" * 100_000,
    ],
    ids=["one-byte", "zeros", "ones", "markup", "zip", "huge-block", "brackets"],
)
async def test_what_is_no_capture_is_refused_in_words_and_nothing_of_it_stays(client, host, data):
    done = await brought(client, data)
    assert done["state"] == "failed"
    assert done["problems"]
    assert "Traceback" not in " ".join(done["problems"])
    assert await in_database(Cluster.objects.count)() == 0
    assert await in_database(Part.objects.count)() == 0


@pytest.mark.parametrize("cut", [30, 60, 95, 130])
async def test_a_capture_that_is_cut_short_is_shown_as_far_as_it_goes(client, host, cut):
    done = await brought(client, capture(HTTP, HTTP, HTTP)[:cut])
    assert done["state"] in ("read", "failed")
    assert done["problems"] or done["state"] == "read"


async def test_what_a_stream_says_in_no_protocol_is_shown_all_the_same(client, host):
    hostile = [
        b"\x16\x03\x01\xff\xff" + b"\x01" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 900,
        b"\x00" * 900,
    ]
    assert (await brought(client, capture(*hostile), keys=b"CLIENT_RANDOM zz zz\n" * 50))["state"] == "read"


# Bounds ---------------------------------------------------------------------------------------------------------------


async def test_parts_come_in_order_are_small_and_end(client, host, monkeypatch):
    file = await begun(client)
    assert (await sent(client, file, 1, b"x")).status_code == 409
    assert (await sent(client, file, 0, b"")).status_code == 409
    assert (await sent(client, file, 0, b"x" * (services.PART_BYTES_MAX + 1))).status_code == 409
    assert (await client.post(f"/imports/{file}/read/")).status_code == 409
    assert (await sent(client, file, 0, b"x")).status_code == 201
    assert (await sent(client, file, 0, b"x")).status_code == 409
    monkeypatch.setattr(services, "FILE_BYTES_MAX", 0)
    assert (await sent(client, file, 1, b"x")).status_code == 201
    refused = await sent(client, file, 2, b"x")
    assert refused.status_code == 409
    assert "was not expected" in refused.json()["message"]


async def test_nobody_else_sees_sends_reads_or_deletes_a_file(client, host):
    file = await begun(client)
    stranger = AsyncClient()
    assert (await sent(stranger, file, 0, b"x")).status_code == 404
    for answer in (await stranger.get(f"/imports/{file}/"), await stranger.post(f"/imports/{file}/read/")):
        assert answer.status_code == 404
    assert (await stranger.post(f"/imports/{file}/forget/")).status_code == 404
    assert await in_database(Import.objects.count)() == 1


async def test_there_are_so_many_recordings_and_no_more(client, host, monkeypatch):
    monkeypatch.setattr(services, "IMPORTS_OF_OWNER_MAX", 1)
    await brought(client, capture(HTTP))
    refused = await client.post("/imports/", {"name": "b"})
    assert refused.status_code == 409
    assert "Delete one first" in refused.json()["message"]
    file = (await in_database(Import.objects.get)()).pk
    assert (await client.post(f"/imports/{file}/forget/")).status_code == 303
    for kept in (Import, Cluster, JournalPart):
        assert await in_database(kept.objects.count)() == 0
    await begun(client)


async def test_what_was_begun_and_left_is_given_up_by_the_next(client, host):
    await begun(client)
    await begun(client)
    assert await in_database(Import.objects.count)() == 1


async def test_files_are_brought_no_faster_than_a_person_does(client, host, stopwatch):
    for _ in range(rate_limits.IMPORTS._burst):
        await begun(client)
    assert (await client.post("/imports/", {"name": "a"})).status_code == 429


def read_here(tmp_path, data: bytes) -> list[dict]:
    """What the reader says of a file, in this process."""
    file, keys, out = tmp_path / "file", tmp_path / "keys", tmp_path / "out"
    file.write_bytes(data)
    keys.write_bytes(b"")
    with out.open("wb") as written:
        reader.main(file, keys, tmp_path / "saved", written)
    return [json.loads(line) for line in out.read_bytes().splitlines()]


async def test_a_reader_says_and_saves_what_came_before_its_bounds(monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "ENTRIES_MAX", 3)
    lines = read_here(tmp_path, capture(*[HTTP] * 20))
    assert sum(len(line.get("entries", [])) for line in lines) == 3
    assert lines[-1]["problems"] == ["only the first 3 messages are kept"]
    with (tmp_path / "saved").open("rb") as saved:
        assert Journal.load(saved).entry(3)["seq"] == 3


async def test_a_reader_ends_by_itself_what_takes_too_long(monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "READING_CPU_SECONDS_MAX", 0)
    lines = read_here(tmp_path, capture(*[HTTP] * 20))
    assert lines[-1]["problems"] == ["the rest took too long"]
    assert (tmp_path / "saved").exists()


async def test_of_a_journal_that_is_too_long_the_end_is_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "JOURNAL_BYTES_MAX", 64 * 1024)
    lines = read_here(tmp_path, capture(*[HTTP] * 500))
    assert lines[-1]["problems"][0].startswith("bodies and bytes are kept from message ")
