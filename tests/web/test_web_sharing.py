"""Links to runs: who makes them, what who has one may read, and what ends them."""

import json
import re
from datetime import timedelta

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import AsyncClient
from django.utils import timezone
from web_until import PATIENCE, until

from cluster_engine.deeds import Command
from visualizer import rate_limits, selectors, services
from visualizer.access import MAY, Action, Role
from visualizer.asgi import application
from visualizer.database import in_database
from visualizer.hosting import hub
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.messages import Stop
from visualizer.models import Cluster
from visualizer.sharing import services as sharing
from visualizer.sharing.models import Share
from visualizer.urls import urlpatterns

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

HERE = [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")]
ELSEWHERE = [(b"host", b"localhost:8000"), (b"origin", b"https://slides.example")]
NO_SUCH_CLUSTER = 4404


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


@pytest.fixture
def stranger() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


async def running(client) -> str:
    """The cluster of who asks, up, with three entries."""
    found = re.search(r'data-cluster="([^"]+)"', (await client.get("/sandbox/")).content.decode())
    assert found
    await until(lambda: recorded(found[1], 3))
    await until(lambda: state_is(found[1], "running"))
    return found[1]


async def recorded(cluster: str, last: int) -> bool:
    return await in_database(selectors.recorded)(cluster) >= last


async def state_is(cluster: str, state: str) -> bool:
    return await in_database(lambda: Cluster.objects.get(pk=cluster).state)() == state


async def shared(client, cluster: str, **asked: str) -> str:
    """The token of a new link."""
    answer = await client.post(f"/clusters/{cluster}/shares/", asked)
    assert answer.status_code == 201, answer.content
    return answer.json()["token"]


def reader(token: str, headers=HERE, query: str = "") -> WebsocketCommunicator:
    return WebsocketCommunicator(application, f"/ws/shared/{token}/{query}", headers=headers)


async def heard(socket: WebsocketCommunicator, kind: str) -> dict:
    while True:
        message = json.loads(await socket.receive_from(timeout=PATIENCE))
        if message["type"] == kind:
            return message


# Who makes them -------------------------------------------------------------------------------------------------------


async def test_an_owner_makes_links_and_finds_them_again(client, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    other = await shared(client, cluster, files="on")
    assert len(token) >= 32
    listed = (await client.get(f"/clusters/{cluster}/shares/")).json()["shares"]
    assert [(one["token"], one["files"]) for one in listed] == [(other, True), (token, False)]
    assert token in (await client.get("/shared/")).content.decode()


async def test_nobody_shares_what_is_not_theirs(client, stranger, host):
    cluster = await running(client)
    assert (await stranger.post(f"/clusters/{cluster}/shares/")).status_code == 404
    assert Action.SHARE not in MAY[Role.INSTRUCTOR] | MAY[Role.MEMBER] | MAY[Role.READER] | MAY[Role.TAKER]


async def test_there_are_so_many_links_and_no_more(client, host, monkeypatch):
    monkeypatch.setattr(sharing, "SHARES_OF_OWNER_MAX", 2)
    cluster = await running(client)
    await shared(client, cluster)
    await shared(client, cluster)
    refused = await client.post(f"/clusters/{cluster}/shares/")
    assert refused.status_code == 409
    assert "2 links already" in refused.json()["message"]


async def test_links_are_made_no_faster_than_a_person_does(client, host, stopwatch):
    cluster = await running(client)
    visitor = await in_database(lambda: Cluster.objects.get(pk=cluster).visitor)()
    for _ in range(rate_limits.SHARES._burst):
        rate_limits.SHARES.take(visitor)
    assert (await client.post(f"/clusters/{cluster}/shares/")).status_code == 429


async def test_a_form_of_another_site_makes_no_link(host):
    strict = AsyncClient(enforce_csrf_checks=True)
    cluster = await running(strict)
    assert (await strict.post(f"/clusters/{cluster}/shares/")).status_code == 403
    assert await in_database(Share.objects.count)() == 0


# What a reader may ----------------------------------------------------------------------------------------------------


async def test_a_stranger_reads_page_journal_and_details_and_is_made_nobody(client, stranger, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    page = await stranger.get(f"/shared/{token}/?lang=de")
    text = page.content.decode()
    assert page.status_code == 200
    assert '<html lang="de">' in text
    assert f'data-shared="{token}"' in text
    assert cluster not in text
    assert not page.cookies
    listed = (await stranger.get(f"/shared/{token}/entries/")).json()
    assert [entry["seq"] for entry in listed["entries"]] == [1, 2, 3]
    assert (await stranger.get(f"/shared/{token}/entries/1/")).json()["seq"] == 1
    assert (await stranger.get(f"/shared/{token}/state/board/")).status_code == 200
    assert (await stranger.get(f"/shared/{token}/search/?text=x")).json()["found"] == [[]]


async def test_a_reader_has_no_kubeconfig_and_none_of_the_owners_addresses(client, stranger, host):
    cluster = await running(client)
    token = await shared(client, cluster, files="on")
    for path in ("kubeconfig", "undo/", "reset/", "shares/"):
        assert (await stranger.get(f"/shared/{token}/{path}")).status_code == 404
        assert (await stranger.post(f"/shared/{token}/{path}")).status_code == 404
    for path in ("", "entries/", "kubeconfig", "export/jsonl"):
        assert (await stranger.get(f"/clusters/{token}/{path}")).status_code == 404
        assert (await stranger.get(f"/clusters/{cluster}/{path}")).status_code == 404


@pytest.mark.parametrize(("asked", "status"), [({}, 403), ({"files": "on"}, 200)])
async def test_files_are_taken_along_only_where_the_owner_says_so(client, stranger, host, asked, status):
    token = await shared(client, await running(client), **asked)
    answer = await stranger.get(f"/shared/{token}/export/jsonl")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"] == "Whoever shares this run does not want it taken along as files."


async def test_a_readers_socket_has_the_journal_and_takes_no_deed(client, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    socket = reader(token)
    assert (await socket.connect(timeout=PATIENCE))[0]
    hello = await heard(socket, "hello")
    assert hello["cluster"]["id"] == token
    assert hello["cluster"]["may"] == ["see"]
    await socket.send_json_to({"type": "watch", "since": 0})
    assert [entry["seq"] for entry in (await heard(socket, "entries"))["entries"]] == [1, 2, 3]
    for deed in (
        {"type": "command", "id": "c1", "line": "kubectl get pods"},
        {"type": "complete", "id": "c2", "line": "kub"},
        {"type": "pause"},
        {"type": "step"},
        {"type": "pace", "pace": 60},
        {"type": "inject", "id": "i1", "fault": {"name": "kill", "target": "x"}},
        {"type": "heal", "id": "h1", "fault": "f1"},
        {"type": "hint"},
    ):
        await socket.send_json_to(deed)
        assert (await heard(socket, "error"))["message"], deed
    assert await in_database(selectors.inputs)(cluster) == []
    await socket.disconnect(timeout=PATIENCE)


async def test_a_reader_is_not_told_what_is_typed_and_printed(client, host):
    cluster = await running(client)
    await host.clusters.ask(cluster, Command("c1", "emit 1"))
    await until(lambda: recorded(cluster, 4))
    socket = reader(await shared(client, cluster))
    await socket.connect(timeout=PATIENCE)
    await socket.send_json_to({"type": "watch", "since": 0})
    assert [entry["seq"] for entry in (await heard(socket, "entries"))["entries"]] == [1, 2, 3, 4]
    await host.clusters.ask(cluster, Command("c2", "emit 2"))
    said = []
    while not any(message["type"] == "entries" and message["entries"][-1]["seq"] == 6 for message in said):
        said.append(json.loads(await socket.receive_from(timeout=PATIENCE)))
    assert {message["type"] for message in said} <= {"entries", "clock", "cluster"}
    await socket.disconnect(timeout=PATIENCE)


async def test_no_other_sites_page_opens_a_readers_socket(client, host):
    token = await shared(client, await running(client))
    assert not (await reader(token, ELSEWHERE).connect(timeout=PATIENCE))[0]
    assert not (await reader(token, HERE[:1]).connect(timeout=PATIENCE))[0]


async def test_readers_do_not_keep_others_out(client, host, monkeypatch):
    monkeypatch.setattr(hub, "READERS_MAX", 1)
    cluster = await running(client)
    token = await shared(client, cluster)
    one, two = reader(token), reader(token)
    await one.connect(timeout=PATIENCE)
    await heard(one, "hello")
    await two.connect(timeout=PATIENCE)
    assert (await heard(two, "error"))["message"] == "Too many pages watch this cluster."
    feed, viewer = await host.hub.join(cluster)
    host.hub.leave(feed, viewer)
    await one.disconnect(timeout=PATIENCE)


# What ends them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 64])
async def test_a_token_that_is_none_leads_nowhere(stranger, host, token):
    page = await stranger.get(f"/shared/{token}/")
    assert page.status_code == 404
    assert "This link leads nowhere." in page.content.decode()
    for path in ("entries/", "entries/1/", "state/board/", "search/?text=x", "export/jsonl"):
        answer = await stranger.get(f"/shared/{token}/{path}")
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("This link leads nowhere")
    socket = reader(token)
    await socket.connect(timeout=PATIENCE)
    assert (await socket.receive_output(timeout=PATIENCE))["code"] == NO_SUCH_CLUSTER


async def test_a_link_that_is_taken_back_ends_the_pages_that_are_open_by_it_and_no_others(client, stranger, host):
    cluster = await running(client)
    token, kept = await shared(client, cluster), await shared(client, cluster)
    ended, open_still = reader(token), reader(kept)
    for socket in (ended, open_still):
        await socket.connect(timeout=PATIENCE)
        await heard(socket, "hello")
    assert (await stranger.post(f"/shared/{token}/revoke/")).status_code == 404
    assert (await client.post(f"/shared/{token}/revoke/", headers={"Accept": "application/json"})).status_code == 204
    while (said := await ended.receive_output(timeout=PATIENCE))["type"] != "websocket.close":
        pass
    assert said["code"] == NO_SUCH_CLUSTER
    assert (await stranger.get(f"/shared/{token}/")).status_code == 404
    assert (await stranger.get(f"/shared/{token}/entries/")).status_code == 404
    await open_still.send_json_to({"type": "watch", "since": 0})
    assert (await heard(open_still, "entries"))["entries"]
    await open_still.disconnect(timeout=PATIENCE)


async def test_a_run_that_is_forgotten_takes_its_links_along(client, stranger, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    await host.clusters.ask(cluster, Stop("full"))
    await until(lambda: state_is(cluster, "ended"))
    assert (await stranger.get(f"/shared/{token}/entries/")).json()["head"] >= 3
    long_ago = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS + 1)
    await in_database(lambda: Cluster.objects.filter(pk=cluster).update(ended_at=long_ago))()
    await in_database(services.forget_what_is_old)()
    assert (await stranger.get(f"/shared/{token}/")).status_code == 404
    assert await in_database(Share.objects.count)() == 0


async def test_what_is_nobodys_any_more_is_nobodys_to_show(client, stranger, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    await in_database(lambda: Cluster.objects.filter(pk=cluster).update(visitor="", user=None))()
    assert (await stranger.get(f"/shared/{token}/")).status_code == 404


# A cluster that sleeps ------------------------------------------------------------------------------------------------


async def asleep(client, host) -> tuple[str, str]:
    cluster = await running(client)
    token = await shared(client, cluster)
    await host.clusters.ask(cluster, Stop("idle"))
    await until(lambda: state_is(cluster, "suspended"))
    return cluster, token


async def test_reading_the_journal_wakes_nobody(client, stranger, host):
    cluster, token = await asleep(client, host)
    assert 'data-shared="' in (await stranger.get(f"/shared/{token}/")).content.decode()
    assert len((await stranger.get(f"/shared/{token}/entries/")).json()["entries"]) == 3
    socket = reader(token)
    await socket.connect(timeout=PATIENCE)
    assert (await heard(socket, "hello"))["cluster"]["state"] == "suspended"
    assert host.hub.watched() == []
    await socket.disconnect(timeout=PATIENCE)
    assert await state_is(cluster, "suspended")


async def test_looking_into_a_message_wakes_a_cluster_now_and_then(client, stranger, host, stopwatch):
    cluster, token = await asleep(client, host)
    await stranger.get(f"/shared/{token}/entries/1/")
    await until(lambda: state_is(cluster, "running"))
    await host.clusters.ask(cluster, Stop("idle"))
    await until(lambda: state_is(cluster, "suspended"))
    for _ in range(rate_limits.WAKES._burst - 1):
        rate_limits.WAKES.take(cluster)
    refused = await stranger.get(f"/shared/{token}/entries/1/")
    assert refused.status_code == 503
    assert "woken often just now" in refused.json()["message"]
    assert await state_is(cluster, "suspended")


async def test_readers_have_bounds_of_their_own(client, stranger, host, stopwatch):
    cluster = await running(client)
    token = await shared(client, cluster)
    for _ in range(rate_limits.READ._burst):
        rate_limits.READ.take(token)
    assert (await stranger.get(f"/shared/{token}/entries/1/")).status_code == 429
    assert (await client.get(f"/clusters/{cluster}/entries/1/")).status_code == 200


# In a frame -----------------------------------------------------------------------------------------------------------


def refuses_frames(response) -> bool:
    policy = response.headers["Content-Security-Policy"]
    return policy.endswith("; frame-ancestors 'none'") and response.headers["X-Frame-Options"] == "DENY"


async def test_a_shared_run_may_be_framed_by_any_page(client, stranger, host):
    token = await shared(client, await running(client))
    frame = await stranger.get(f"/shared/{token}/embed/?lang=de&theme=dark")
    text = frame.content.decode()
    assert frame.status_code == 200
    assert "frame-ancestors" not in frame.headers["Content-Security-Policy"]
    assert frame.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self' 'nonce-")
    assert "X-Frame-Options" not in frame.headers
    assert 'data-framed="yes"' in text
    assert '<html lang="de">' in text
    assert "csrfmiddlewaretoken" not in text
    assert not frame.cookies


async def test_in_a_frame_a_link_that_is_gone_is_words_and_nothing_to_press(stranger, host):
    frame = await stranger.get(f"/shared/{'A' * 32}/embed/")
    assert frame.status_code == 404
    assert "This link leads nowhere." in frame.content.decode()
    assert not re.search("<(a|form|button|input)[ >]", frame.content.decode())
    assert not frame.cookies


async def test_nothing_else_may_be_framed(client, stranger, host):
    cluster = await running(client)
    token = await shared(client, cluster)
    simple = [str(one.pattern) for one in urlpatterns if getattr(one, "name", None) and "<" not in str(one.pattern)]
    assert len(simple) > 15
    rest = [f"shared/{token}/", "shared/x/", f"shared/{token}/entries/", f"shared/{token}/entries/1/", "nothing/"]
    theirs = [f"clusters/{cluster}/", f"clusters/{cluster}/entries/", f"clusters/{cluster}/shares/", "shared/"]
    theirs += [f"clusters/{token}/embed/", "account/sign-in/", "rooms/", "join/"]
    for path in [*simple, *rest, *theirs]:
        for one in (client, stranger):
            assert refuses_frames(await one.get(f"/{path}")), path
    for path in (f"shared/{token}/revoke/", f"shared/{token}/embed/"):
        assert refuses_frames(await client.post(f"/{path}")), path


async def test_no_answer_is_readable_from_another_site(client, stranger, host):
    token = await shared(client, await running(client))
    for path in ("", "embed/", "entries/", "entries/1/", "state/board/"):
        answer = await stranger.get(f"/shared/{token}/{path}", headers={"Origin": "https://slides.example"})
        assert answer.status_code == 200
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
