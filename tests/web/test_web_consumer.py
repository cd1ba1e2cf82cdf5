"""The WebSocket of a page: what may be said, by whom, and what comes back."""

import asyncio
import json
from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from web_until import PATIENCE, until

from cluster_engine.cast import cast
from cluster_engine.deeds import BodyStop, Command, Heal, Incident, Inject, Step, Stops
from visualizer import access, browser_protocol, consumers, page_socket, selectors, services
from visualizer.access import Action
from visualizer.asgi import application
from visualizer.database import in_database
from visualizer.hosting import messages, terminals
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.messages import Clock, Inputs, Rights, Stop, say
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]

HERE = [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")]


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


class Page:
    """A page's socket: `say` and `hear`."""

    def __init__(
        self, cluster: str, client: AsyncClient | None = None, headers: list[tuple[bytes, bytes]] = HERE
    ) -> None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in (client.cookies if client else {}).items())
        self._socket = WebsocketCommunicator(
            application, f"/ws/clusters/{cluster}/", headers=[*headers, (b"cookie", cookies.encode())]
        )
        self.entries: list[int] = []

    async def open(self) -> tuple[bool, Any]:
        return await self._socket.connect(timeout=PATIENCE)

    async def say(self, **message: Any) -> None:
        await self._socket.send_json_to(message)

    async def type(self, identifier: str, line: str) -> None:
        """Type a line, as a page does that watches."""
        await self.say(type="watch", since=10**6)
        await self.say(type="command", id=identifier, line=line)

    async def say_raw(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def hear(self, kind: str | None = None, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next message (of a kind); entries that come by are noted."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            message = json.loads(await self._socket.receive_from(timeout=left))
            if message["type"] == "entries":
                self.entries += [entry["seq"] for entry in message["entries"]]
            if kind in {None, message["type"]}:
                return message
        raise AssertionError(f"no {kind} came")

    async def hear_entries(self, last: int) -> list[int]:
        while not self.entries or self.entries[-1] < last:
            await self.hear("entries")
        return self.entries

    async def closed(self) -> int:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            output = await self._socket.receive_output(timeout=left)
            if output["type"] == "websocket.close":
                return output["code"]
        raise AssertionError("the socket was not closed")

    async def quiet(self) -> bool:
        return await self._socket.receive_nothing(timeout=0.1)

    async def close(self) -> None:
        await self._socket.disconnect(timeout=PATIENCE)


@pytest_asyncio.fixture
async def client(host) -> AsyncClient:
    """A visitor whose cluster is up."""
    visitor = AsyncClient()
    await visitor.get("/sandbox/")
    visitor.cluster = (await in_database(Cluster.objects.get)()).pk
    await until(lambda: recorded(visitor.cluster, 3))
    await until(lambda: runs(visitor.cluster))
    return visitor


async def recorded(cluster: str, last: int) -> bool:
    return await in_database(selectors.recorded)(cluster) >= last


async def runs(cluster: str) -> bool:
    """Whether its stream has said that it is up, and what time it is there."""
    row = await in_database(Cluster.objects.get)(pk=cluster)
    return row.state == "running" and row.clock is not None


@pytest_asyncio.fixture
async def page(client):
    opened = Page(client.cluster, client)
    assert (await opened.open())[0]
    yield opened
    await opened.close()


async def test_the_first_frame_says_where_the_cluster_is(client, page):
    hello = await page.hear()
    assert hello["clock"].keys() == set(Clock.__struct_fields__)
    assert hello == {
        "type": "hello",
        "cluster": {
            "id": client.cluster,
            "state": "running",
            "life": 1,
            "reason": "",
            "message": "",
            "mishap": "",
            "successor": None,
            "nodes": 2,
            "seed": 1,
            "lesson": None,
            "branch": False,
            "may": ["see", "take", "type", "drive", "break", "learn", "gateway", "replace", "branch", "share"],
        },
        "clock": hello["clock"],
        "lesson": None,
        "head": 3,
        "cast": cast(2).describe(),
    }


async def test_a_page_lists_then_watches(page):
    await page.say(type="watch", since=0)
    assert await page.hear_entries(3) == [1, 2, 3]
    await page.say(type="command", id="k1", line="trickle 50")
    assert await page.hear_entries(53) == list(range(1, 54))


async def test_a_page_whose_socket_was_cut_resumes_without_a_gap_or_a_duplicate(client, page, host):
    await page.say(type="watch", since=0)
    seen = list(await page.hear_entries(3))
    for round_number in range(5):
        await host.clusters.ask(client.cluster, Command(f"k{round_number}", "trickle 200"))
        await page.hear("entries")
        seen = list(page.entries)
        await page.close()
        page = Page(client.cluster, client)
        page.entries = seen
        await page.open()
        await page.say(type="watch", since=seen[-1])
    assert await page.hear_entries(1003) == list(range(1, 1004))
    await page.close()


async def test_a_command_is_typed_and_its_output_comes_back(page):
    await page.type("k1", "echo Grüße")
    typed, output, done = [await page.hear(kind) for kind in ("typed", "output", "done")]
    assert typed["after"] <= output["after"] <= done["after"]
    for said in (typed, output, done):
        del said["after"]
    assert typed == {"type": "typed", "id": "k1", "line": "echo Grüße", "by": "page", "prompt": "fake:~$"}
    assert output == {"type": "output", "id": "k1", "n": 1, "stream": "stdout", "text": "Grüße\n"}
    assert done == {"type": "done", "id": "k1", "n": 2, "code": 0, "prompt": "fake:~$"}


async def test_output_said_while_the_socket_was_down_is_heard_after_it(client, page):
    await page.type("k1", "wait")
    assert (await page.hear("output"))["n"] == 1
    await page.close()
    second = Page(client.cluster, client)
    await second.open()
    await second.say(type="watch", since=3, commands={"k1": 1})
    await second.say(type="interrupt", id="k1")
    await second.hear("done")
    await second.close()
    third = Page(client.cluster, client)
    await third.open()
    await third.say(type="watch", since=3, commands={"k1": 1})
    (done,) = (await third.hear("terminals"))["frames"]
    assert (done["type"], done["id"], done["n"], done["code"]) == ("done", "k1", 2, 130)
    await third.close()


async def test_time_is_in_the_hands_of_the_page(page):
    await page.say(type="watch", since=0)
    await page.say(type="pause")
    while not (clock := await page.hear("clock"))["paused"]:
        pass
    await page.say(type="step")
    assert await page.hear_entries(4) == [1, 2, 3, 4]
    await page.say(type="pace", pace=60)
    await page.say(type="resume")
    while (clock["paused"], clock["pace"]) != (False, 60):
        clock = await page.hear("clock")


async def test_a_page_may_say_more_while_an_answer_is_on_its_way(page, worker):
    await page.hear("hello")
    blocked: Future[Any] = Future()
    thread = worker._processes.threads[0]
    put = thread.put
    thread.put = lambda deed: blocked if isinstance(deed, Step) else put(deed)
    await page.say(type="step")
    await page.type("k", "echo meanwhile")
    assert (await page.hear("output"))["text"] == "meanwhile\n"
    blocked.set_exception(ValueError("there is nothing to step to"))
    assert (await page.hear("error"))["message"] == "there is nothing to step to"


async def test_what_the_cluster_refuses_is_said_in_words(page):
    await page.say(type="step")
    assert await page.hear("error") == {"type": "error", "message": "the cluster is not paused"}
    for number in range(9):
        await page.say(type="command", id=f"k{number}", line="wait")
    assert await page.hear("error") == {
        "type": "error",
        "message": "Too many commands are running in this cluster; interrupt one first.",
        "id": "k8",
    }


async def test_a_command_that_is_sent_again_is_run_once(page, worker, monkeypatch):
    monkeypatch.setattr(terminals, "TERMINALS_MAX", 2)
    await page.type("k", "echo once")
    await page.hear("done")
    await page.say(type="command", id="k", line="echo once")
    await page.say(type="ping")
    assert await page.hear("pong") == {"type": "pong"}
    for number in range(2):  # until nothing is known of it any more
        await page.type(f"k{number}", "echo more")
        while (await page.hear("done"))["id"] != f"k{number}":
            pass
    await page.say(type="command", id="k", line="echo once")
    assert await page.hear("error") == {
        "type": "error",
        "message": "This command was run already; what it printed is not kept any more.",
        "id": "k",
    }
    assert sum(entry["label"] == "once" for entry in worker._processes.threads[0].cluster.journal.since(0, 1000)) == 1


POWER_OFF = {"name": "power-off", "target": "worker-1"}


async def test_a_fault_is_let_happen_and_healed_from_the_page(page):
    await page.say(type="inject", id="i1", fault=POWER_OFF)
    assert await page.hear("injected") == {"type": "injected", "id": "i1", "fault": "fault-1"}
    await page.say(type="inject", id="i2", fault=POWER_OFF, when={"entry": {"label": "later"}}, sealed=True)
    assert await page.hear("injected") == {"type": "injected", "id": "i2", "fault": None}
    await page.say(type="heal", id="h1", fault="fault-1")
    assert await page.hear("healed") == {"type": "healed", "id": "h1"}
    await page.say(type="heal", id="h2")
    assert await page.hear("healed") == {"type": "healed", "id": "h2"}


async def test_what_is_wrong_with_a_fault_is_said_by_the_id_of_who_asked(page):
    for message, words in (
        ({"type": "inject", "fault": {"name": "earthquake"}}, "there is no fault earthquake"),
        ({"type": "inject", "fault": POWER_OFF | {"target": "moon"}}, "there is no host moon"),
        ({"type": "inject", "fault": POWER_OFF, "when": {"entry": {"colour": "red"}}}, "colour"),
        ({"type": "inject", "fault": "all of them"}, "understood"),
        ({"type": "heal", "fault": "fault-9"}, "This fault is over already."),
    ):
        await page.say(id="x1", **message)
        error = await page.hear("error")
        assert error["id"] == "x1"
        assert words in error["message"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "incident", "incident": 1, "fault": POWER_OFF},
        {"type": "healIncident", "incident": 1},
        {"type": "Incident", "incident": 1, "fault": POWER_OFF},
        {"type": "input", "n": 1, "at": 0.0, "act": {"type": "incident", "incident": 1, "fault": POWER_OFF}},
        {"type": "Create", "nodes": 2, "seed": 1},
        {"type": "Stop", "reason": "stopped"},
        {"type": "Kubeconfig"},
        {"type": "Inputs", "since": 0},
        {"type": "Entries", "since": 0, "limit": 10**9},
    ],
)
async def test_what_an_instructors_server_or_the_hosting_may_do_is_not_understood_from_a_page(
    client, page, host, message
):
    await page.say(id="x1", **message)
    assert "understood" in (await page.hear("error"))["message"]
    assert await host.clusters.answer(client.cluster, Inputs()) == []


async def test_a_page_cannot_make_an_incident_of_its_fault_nor_heal_one(client, page, host):
    await page.say(type="inject", id="i1", fault=POWER_OFF, incident=7, healIncident=7)
    assert (await page.hear("injected"))["fault"] == "fault-1"
    answer = await host.clusters.answer(client.cluster, Incident(7, POWER_OFF | {"target": "worker-2"}, sealed=True))
    assert answer == {"fault": "fault-2"}  # 7 was free
    await page.say(type="heal", id="h1", fault="fault-2")
    assert "find out first" in (await page.hear("error"))["message"]
    await page.say(type="heal", id="h2", incident=7)  # all but incidents'
    assert (await page.hear("healed"))["id"] == "h2"
    kept = [one.act for one in messages.inputs(await host.clusters.ask(client.cluster, Inputs()))]
    assert kept[0] == Inject(POWER_OFF, id="i1")
    assert kept[2:] == [Heal(id="h2")]


async def test_without_a_lesson_nothing_is_learned(page):
    for message in (
        {"type": "advance", "beat": "b"},
        {"type": "answer", "question": "q", "answer": 1},
        {"type": "hint"},
    ):
        await page.say(**message)
        assert (await page.hear("error"))["message"] == "There is no lesson in this cluster."


@pytest.mark.parametrize(
    ("action", "message", "words"),
    [
        (Action.TYPE, {"type": "command", "id": "k", "line": "echo"}, "You may watch this cluster, not type into it."),
        (Action.TYPE, {"type": "interrupt", "id": "k"}, "You may watch this cluster, not type into it."),
        (Action.DRIVE, {"type": "pause"}, "Time in this cluster is not yours to drive."),
        (Action.DRIVE, {"type": "step"}, "Time in this cluster is not yours to drive."),
        (Action.BREAK, {"type": "inject", "id": "k", "fault": POWER_OFF}, "not break or heal it."),
        (Action.BREAK, {"type": "heal", "id": "k"}, "not break or heal it."),
        (Action.LEARN, {"type": "hint"}, "You may watch this lesson, not go on in it."),
    ],
)
async def test_who_may_not_do_something_is_told_so_from_then_on(page, monkeypatch, action, message, words):
    monkeypatch.setitem(access.MAY, access.Role.OWNER, frozenset(Action) - {action})
    await page.say(**message)
    error = await page.hear("error")
    assert words in error["message"]
    started = message["type"] != "interrupt"  # that names a command, which goes on
    assert error.get("id") == (message.get("id") if started else None)


@pytest.fixture
def looks(monkeypatch) -> list[str]:
    """The clusters for which `access` was asked."""
    asked: list[str] = []

    def find(owner, cluster):
        asked.append(cluster)
        return access.find(owner, cluster)

    monkeypatch.setattr(consumers, "access", SimpleNamespace(find=find))
    return asked


async def test_what_a_page_says_costs_no_look_into_the_database(looks, client, page):
    for number in range(20):
        await page.type(f"k{number}", "echo hello")
        await page.hear("output")
    assert looks == [client.cluster]  # when it connected


async def test_rights_that_have_changed_are_asked_for_before_the_next_message_is_taken(looks, client, page, host):
    await page.hear("hello")
    await in_database(Cluster.objects.update)(visitor="somebody else")
    await host.bus.append(f"cluster:{client.cluster}", say(Rights(), 0))
    assert await page.closed() == consumers.NO_SUCH_CLUSTER
    assert looks == [client.cluster] * 2


async def test_who_signs_out_is_out_of_the_pages_that_are_open_at_once(looks, client, page):
    await page.hear("hello")
    await client.post("/account/sign-out/")
    assert await page.closed() == consumers.NO_SUCH_CLUSTER
    assert looks == [client.cluster] * 2


async def test_a_session_that_is_over_is_noticed_after_a_while_though_nobody_says_so(client, page, monkeypatch):
    await page.hear("hello")
    await in_database(Session.objects.all().delete)()
    await page.type("k", "echo still here")
    assert (await page.hear("output"))["text"] == "still here\n"
    monkeypatch.setattr(consumers, "ACCESS_SECONDS", 0.0)
    await page.say(type="command", id="k2", line="echo gone")
    error = await page.hear("error")
    assert (error["message"], error["id"]) == ("There is no such cluster, or it is not yours.", "k2")


async def test_a_session_that_is_over_by_its_age_closes_its_pages_and_lets_them_in_no_more(client, page, monkeypatch):
    over, began = timezone.now() + timedelta(hours=1), asyncio.get_running_loop().time()
    await in_database(Session.objects.all().update)(expire_date=over)
    nearly = SimpleNamespace(now=lambda: over - timedelta(seconds=0.3))
    monkeypatch.setattr(page_socket, "timezone", nearly)  # for the page it is so late; for its session there is time
    second = Page(client.cluster, client)
    await second.open()
    await second.hear("hello")
    assert await second.closed() == page_socket.TRY_AGAIN
    assert asyncio.get_running_loop().time() - began >= 0.3
    await in_database(Session.objects.all().update)(expire_date=timezone.now())
    again = Page(client.cluster, client)
    await again.open()
    assert await again.closed() == consumers.NO_SUCH_CLUSTER


async def test_of_a_class_that_joins_one_cluster_only_the_first_writes_that_it_is_watched():
    await in_database(_joined_by_three)()


def _joined_by_three() -> None:
    cluster = Cluster.objects.create(visitor="v")
    with CaptureQueriesContext(connection) as made:
        for _ in range(3):
            services.mark_watched(Cluster.objects.get(pk=cluster.pk))
    assert sum("UPDATE" in query["sql"] for query in made) == 1
    Cluster.objects.update(seen_at=timezone.now() - timedelta(seconds=services.SEEN_AGAIN_SECONDS + 1))
    services.mark_watched(Cluster.objects.get(pk=cluster.pk))
    assert timezone.now() - Cluster.objects.get(pk=cluster.pk).seen_at < timedelta(seconds=services.SEEN_AGAIN_SECONDS)


async def test_the_end_of_the_cluster_is_told_with_its_reason(client, page, host):
    await page.hear("hello")
    await host.clusters.ask(client.cluster, Stop("full"))
    cluster = (await page.hear("cluster"))["cluster"]
    assert (cluster["state"], cluster["message"]) == (
        "ended",
        "The journal of this cluster is full, so it was stopped.",
    )
    await page.say(type="command", id="late", line="echo late")
    said = {"message": "This cluster does not run just now.", "passing": True}
    assert await page.hear("error") == {"type": "error", "id": "late", **said}


async def test_an_ended_cluster_is_listed_from_the_database(client, host):
    await host.clusters.ask(client.cluster, Stop("stopped"))
    await until(lambda: _ended(client.cluster))
    await host.bus.drop(f"cluster:{client.cluster}")
    late = Page(client.cluster, client)
    await late.open()
    assert (await late.hear("hello"))["cluster"]["state"] == "ended"
    await late.say(type="watch", since=1)
    assert await late.hear_entries(3) == [2, 3]
    await late.close()


async def _ended(cluster: str) -> bool:
    return (await in_database(selectors.cluster)(cluster)).state == "ended"


async def test_a_page_speaks_the_language_of_its_reader(client, host):
    german = Page(client.cluster, client, [*HERE, (b"accept-language", b"de")])
    await german.open()
    await german.hear("hello")
    await german.say(type="watch", since="x")
    assert (await german.hear("error"))["message"].startswith("Diese Nachricht wurde nicht verstanden")
    await host.clusters.ask(client.cluster, Stop("full"))
    assert (await german.hear("cluster"))["cluster"]["message"].startswith("Das Journal dieses Clusters ist voll")
    await german.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"type":"shutdown"}',
        '{"type":"watch","since":-1}',
        '{"type":"watch","since":1e400}',
        '{"type":"watch","since":99999999999999999999999}',
        '{"type":"watch","commands":{"k":"x"}}',
        '{"type":"command","id":"k"}',
        '{"type":"command","id":"","line":"x"}',
        '{"type":"command","id":5,"line":"x"}',
        '{"type":"command","id":"k","line":"' + "x" * 40_000 + '"}',
        '{"type":"pace","pace":0}',
        '{"type":"pace","pace":NaN}',
        '{"type":"pace","pace":null}',
        '{"type":"pause"' + "[" * 5000,
        '{"type":"answer","question":"q","answer":99999999999999999999999999}',
        '{"type":"answer","question":"q","answer":' + "[" * 33 + "]" * 33 + "}",
        '{"type":"answer","question":"q","answer":' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"type":"answer","question":"q","answer":"\\ud800 alone"}',
        '{"type":"inject","id":"i","fault":{"name":18446744073709551616}}',
        '{"type":"inject","id":"i","fault":' + '{"a":' * 10_000 + "1" + "}" * 10_001,
        '{"type":"inject","id":"i","fault":{},"when":{"any":[-9007199254740993]}}',
        '{"type":"watch","since":0}' + " " * 70_000,
        "\ud800",
    ],
)
async def test_nonsense_is_answered_in_words_and_the_page_goes_on(page, text):
    if text:
        await page.say_raw(text)
    else:
        await page._socket.send_input({"type": "websocket.receive", "text": ""})
    message = (await page.hear("error"))["message"]
    assert "understood" in message or "too long" in message
    assert "Traceback" not in message
    await page.say(type="watch", since=0)
    assert await page.hear_entries(3) == [1, 2, 3]


async def test_a_fault_nested_too_deeply_is_refused_in_words_by_its_id(page):
    nested = '{"a":' * 40 + "1" + "}" * 40
    await page.say_raw('{"type":"inject","id":"i7","fault":' + nested + "}")
    error = await page.hear("error")
    assert error == {"type": "error", "message": TOO_DEEP, "id": "i7"}


TOO_DEEP = "This message was not understood: it is nested too deeply"


async def test_what_a_page_wants_time_to_stop_at_is_its_own_and_over_when_it_leaves(client, page, worker):
    await page.hear("hello")
    thread, taken = worker._processes.threads[0], []
    put = thread.put
    thread.put = lambda deed: taken.append(deed) or put(deed)
    second = Page(client.cluster, client)
    await second.open()
    for number, one in enumerate((page, second), start=1):
        await one.say(type="stops", entries=[{"kind": "x"}], bodies=[{"texts": ["nginx"]}], page="the other's")
        await until(lambda number=number: len(taken) == number)
    assert taken[0].bodies == [BodyStop(["nginx"])]
    assert len({deed.page for deed in taken} | {"the other's"}) == 3
    await second.close()
    await until(lambda: len(taken) == 3)
    assert taken[2] == Stops(page=taken[1].page)


async def test_what_breaks_while_a_page_asks_is_told_and_the_next_message_is_heard(page, monkeypatch, caplog):
    def broken(_):
        raise OverflowError("a secret detail")

    monkeypatch.setattr(consumers, "action_of", broken)
    await page.say(type="command", id="k", line="echo hello")
    error = await page.hear("error")
    assert error == {"type": "error", "message": "This broke inside Glassplane; that is our mistake.", "id": "k"}
    assert "a secret detail" in caplog.text
    monkeypatch.undo()
    await page.type("k2", "echo hello")
    assert (await page.hear("output"))["text"] == "hello\n"


async def test_a_line_too_long_is_refused_by_the_name_of_its_command(page):
    for length in (40_000, 70_000):
        await page.say(type="command", id="k", line="x" * length)
        assert (await page.hear("error"))["id"] == "k"


async def test_binary_messages_are_refused_in_words(page):
    await page._socket.send_to(bytes_data=b'{"type":"pause"}')
    assert (await page.hear("error"))["message"] == "Only text messages are understood."


async def test_a_page_that_talks_too_fast_is_told_and_in_the_end_cut_off(page, monkeypatch, no_time_passes):
    monkeypatch.setattr(page_socket, "REFUSALS_MAX", 5)
    for _ in range(int(page_socket.BURST) + 30):
        await page.say(type="watch", since=3)
    assert "too fast" in (await page.hear("error"))["message"]
    assert await page.closed() == page_socket.TOO_MANY


async def test_an_allowance_fills_up_again():
    allowance = page_socket.Allowance(0.0, burst=3, per_second=2)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(1.0) for _ in range(3)] == [True, True, False]
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]


# Whose cluster it is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "other visitor", "nobody", "user", "other user", "forged session"])
async def test_a_socket_is_opened_by_the_owner_and_nobody_else(client, host, who):
    users = get_user_model().objects
    ann, bob = await in_database(users.create_user)("ann"), await in_database(users.create_user)("bob")
    await in_database(Cluster.objects.update)(user=ann)
    asking = client if who == "owner" else AsyncClient()
    if who == "other visitor":
        await asking.get("/sandbox/")
    if "user" in who:
        await in_database(asking.force_login)(bob if who == "other user" else ann)
    if who == "forged session":
        asking.cookies["glassplane_session"] = "a" * 32
    page = Page(client.cluster, asking)
    assert (await page.open())[0]
    if who in {"owner", "user"}:
        assert (await page.hear())["type"] == "hello"
    else:
        assert await page.closed() == consumers.NO_SUCH_CLUSTER
        await page.say(type="command", id="k", line="echo mine now")
        assert await page.quiet()
        assert host.hub.watched() == []
    await page.close()


async def test_a_cluster_that_does_not_exist_closes_with_the_same_code(client):
    page = Page("x" * 22, client)
    await page.open()
    assert await page.closed() == consumers.NO_SUCH_CLUSTER
    await page.close()


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"localhost:8000")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://evil.example")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8001")],
        [(b"host", b"localhost:8000"), (b"origin", b"null")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000.evil.example")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://[nonsense")],
        [(b"host", b"evil.example"), (b"origin", b"http://evil.example")],  # DNS rebinding
        [(b"origin", b"http://localhost:8000")],
    ],
)
async def test_a_socket_is_opened_only_from_a_page_of_this_server(client, headers):
    accepted, _ = await Page(client.cluster, client, headers).open()
    assert not accepted


@pytest.mark.parametrize("path", ["/ws/", "/ws/clusters/", "/ws/clusters/a/b/", "/"])
async def test_a_socket_that_leads_nowhere_is_refused(client, path):
    socket = WebsocketCommunicator(application, path, headers=HERE)
    assert not (await socket.connect(timeout=PATIENCE))[0]


async def test_too_many_pages_are_told_so(client, page, monkeypatch):
    monkeypatch.setattr("visualizer.hosting.hub.VIEWERS_MAX", 1)
    second = Page(client.cluster, client)
    await second.open()
    assert (await second.hear())["message"] == "Too many pages watch this cluster."
    assert await second.closed() == page_socket.TOO_MANY
    await second.close()


async def test_a_page_that_leaves_is_forgotten(client, host, page):
    await page.hear("hello")
    assert host.hub.watched() == [client.cluster]
    await page.close()
    await until(lambda: not host.hub.watched())


async def test_watching_keeps_a_cluster_from_being_idle(client, host, page):
    await page.hear("hello")
    assert (await in_database(selectors.cluster)(client.cluster)).seen_at is not None


async def test_what_a_page_may_say_is_what_the_plan_says():
    said = {"watch", "command", "keys", "edited", "complete", "interrupt", "pace", "pause", "resume", "step"}
    said |= {"inject", "heal", "advance", "answer", "hint", "ping", "resize", "stops"}
    assert {kind.__struct_config__.tag for kind in browser_protocol.Said.__args__} == said


async def test_pages_of_many_visitors_see_their_own_journal_only(host):
    visitors = [AsyncClient() for _ in range(3)]
    for visitor in visitors:
        await visitor.get("/sandbox/")
    newest = Cluster.objects.order_by("created_at").values_list("pk", flat=True)
    clusters = list(zip(await in_database(lambda: list(newest))(), visitors, strict=True))
    pages = []
    for cluster, visitor in clusters:
        page = Page(cluster, visitor)
        await page.open()
        await page.say(type="watch", since=0)
        pages.append(page)
    for number, page in enumerate(pages):
        await until(lambda number=number: host.bus.holder(f"cluster:{clusters[number][0]}"))
        await page.say(type="command", id="same id", line=f"echo for {number}")
    for number, page in enumerate(pages):
        assert (await page.hear("output"))["text"] == f"for {number}\n"
        assert await page.hear_entries(4) == [1, 2, 3, 4]
    await asyncio.gather(*(page.close() for page in pages))
