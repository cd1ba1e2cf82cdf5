"""A cluster's journal as a file: which there are, who may have it, and that it comes whole, slice by slice."""

import json
import re

import pytest
from django.test import AsyncClient, RequestFactory
from web_until import until

from cluster_engine.deeds import Command
from cluster_engine.export.formats import FORMATS
from visualizer import cluster_data, exports, rate_limits, selectors
from visualizer.access import Access, Role
from visualizer.database import in_database
from visualizer.exports import Chosen
from visualizer.hosting.bus import EmbeddedBus
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]
ENTRIES = 1000


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


async def running(client, host) -> str:
    """A cluster with more entries than fit into one slice."""
    response = await client.get("/sandbox/")
    found = re.search(r'data-cluster="([^"]+)"', response.content.decode())
    assert found
    cluster = found[1]
    await until(lambda: recorded(cluster, 3))
    await host.clusters.ask(cluster, Command("c1", f"emit {ENTRIES}"))
    await until(lambda: recorded(cluster, 3 + ENTRIES))
    return cluster


async def recorded(cluster: str, last: int) -> bool:
    return await in_database(selectors.recorded)(cluster) >= last


async def body(response) -> bytes:
    return b"".join([part async for part in response.streaming_content])


async def test_the_server_knows_the_formats_of_the_engine():
    assert list(exports.FILES) == ["html", "jsonl", "pcapng", "keylog", "mermaid", "otlp", "audit"]
    assert exports.FILES.keys() == FORMATS.keys()


async def test_a_journal_is_taken_along_whole(client, host):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/export/jsonl")
    assert response.headers["Content-Disposition"] == 'attachment; filename="glassplane.jsonl"'
    lines = (await body(response)).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, ENTRIES + 4))


async def test_a_page_is_taken_along_in_the_readers_language(client, host):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/export/html?last=12", headers={"Accept-Language": "de"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="glassplane-1-12.html"'
    page = (await body(response)).decode()
    assert '<html lang="de">' in page
    assert '"first": 1, "last": 12,' in page
    assert page.endswith("</html>\n")


@pytest.mark.parametrize(("role", "prints"), [(Role.OWNER, True), (Role.MEMBER, True), (Role.TAKER, False)])
async def test_what_was_typed_is_in_the_page_of_who_may_see_it_and_in_no_readers(client, host, role, prints):
    found = Access(await in_database(Cluster.objects.get)(pk=await running(client, host)), role)
    response = await cluster_data.export_of(RequestFactory().get("/"), found, "html")
    page = (await body(response)).decode()
    assert ('class="terminals"' in page) is prints


async def test_a_range_is_taken_along_under_a_name_that_says_so(client, host):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/export/jsonl?first=10&last=12")
    assert response.headers["Content-Disposition"] == 'attachment; filename="glassplane-10-12.jsonl"'
    assert [json.loads(line)["seq"] for line in (await body(response)).splitlines()] == [10, 11, 12]


async def test_a_file_is_one_stream_also_for_who_would_take_it_squeezed(client, host):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/export/jsonl", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "identity"
    assert len((await body(response)).splitlines()) == ENTRIES + 3


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("jsonl?first=x", 400, "first must be a whole number"),
        ("jsonl?connection=-1", 400, "connection must be a whole number"),
        ("html?first=9&last=3", 400, "The first message has to come before the last."),
        ("docx", 404, "there are html, jsonl, pcapng, keylog, mermaid, otlp, audit"),
    ],
)
async def test_what_cannot_be_is_said_before_a_file_begins(client, host, query, status, words):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/export/{query}")
    assert response.status_code == status
    assert words in response.json()["message"]


async def test_nobody_else_has_it(client, host):
    cluster = await running(client, host)
    response = await AsyncClient().get(f"/clusters/{cluster}/export/jsonl")
    assert response.status_code == 404


async def test_a_cluster_is_not_written_down_again_and_again(client, host, stopwatch):
    cluster = await running(client, host)
    for _ in range(rate_limits.EXPORTS._burst):
        rate_limits.EXPORTS.take(cluster)
    assert (await client.get(f"/clusters/{cluster}/export/jsonl")).status_code == 429


async def test_names_say_what_is_in_a_file():
    assert Chosen("keylog").file_name == "glassplane.keys.log"
    assert Chosen("pcapng", connection=17).file_name == "glassplane-connection-17.pcapng"
    assert Chosen("otlp", first=5).file_name == "glassplane-5.otlp.jsonl"
