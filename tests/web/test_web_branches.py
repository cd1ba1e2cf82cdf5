"""Branches: runs that go another's way up to an instant, kept beside it as a tree; whose they are, and how many."""

from typing import Any

import pytest
from django.test import AsyncClient
from test_web_revival import head, in_state, journal, row, visit
from web_until import until

from cluster_engine.deeds import Command, Input, Pause
from visualizer import branches, selectors, services
from visualizer.database import in_database
from visualizer.hosting import messages, recorder
from visualizer.hosting.web_process import WebProcess
from visualizer.models import Cluster

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(recorder, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(messages, "RENEW_SECONDS", 0.1)


@pytest.fixture
def ann(host: WebProcess) -> AsyncClient:
    return AsyncClient(raise_request_exception=True)


async def post(client: AsyncClient, cluster: str, what: str, **form: Any) -> Any:
    return await client.post(f"/clusters/{cluster}/{what}/", form, headers=JSON)


async def branched(client: AsyncClient, cluster: str, at: int) -> str:
    answer = await post(client, cluster, "branches", at=at)
    assert answer.status_code == 201, answer.content
    made: str = answer.json()["id"]
    await in_state(made, "running")
    return made


async def tree(client: AsyncClient, cluster: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = (await client.get(f"/clusters/{cluster}/branches/")).json()["runs"]
    return runs


async def left(cluster: str) -> Cluster | None:
    found = await row(cluster)
    return found if found.left_seq else None


async def test_a_branch_goes_the_same_way_up_to_an_instant_and_then_its_own_while_the_original_goes_on(ann, host):
    original = await visit(ann, host)  # #4 is of "k1"; #5 to #9 of "k2", all at one instant
    branch = await branched(ann, original, 4)
    await until(lambda: _stands(branch, {"now": 0.04, "pace": 1.0, "paused": True}))
    assert await in_database(selectors.inputs)(branch) == [Input(1, 0.03, Command("k1", "echo hello"), 3)]
    await head(branch, 4)
    assert await journal(branch) == (await journal(original))[:4]
    await host.clusters.ask(branch, Command("k3", "echo another way"))
    await host.clusters.ask(original, Command("k4", "echo on"))
    await head(branch, 5)
    await head(original, 10)
    assert [(await journal(one))[4]["label"] for one in (branch, original)] == ["another way", "entry 5"]


async def _stands(cluster: str, clock: dict[str, Any]) -> bool:
    return (await row(cluster)).clock == clock


async def test_runs_of_one_origin_are_a_tree(ann, host, settings):
    settings.CLUSTERS_PER_VISITOR = 9
    original = await visit(ann, host)
    one = await branched(ann, original, 9)
    two = await branched(ann, one, 4)
    for cluster in (one, two):
        await until(lambda cluster=cluster: left(cluster))
        await head(cluster, 4)
    runs = await tree(ann, two)
    assert [(run["id"], run["parent"], run["at"], run["seq"], run["me"]) for run in runs] == [
        (original, None, None, None, False),
        (one, original, 0.09, 9, False),
        (two, one, 0.04, 4, True),
    ]
    await until(lambda: _same(ann, two))
    assert {run["state"] for run in runs} == {"running"}
    assert runs[2]["url"] == f"/clusters/{two}/"


async def _same(client: AsyncClient, cluster: str) -> bool:
    return [run["same"] for run in await tree(client, cluster)] == [None, True, True]


async def test_a_branch_that_did_not_come_the_same_way_is_said_to_differ(ann, host):
    original = await visit(ann, host)
    await in_database(Cluster.objects.filter(pk=original).update)(seed=700)  # of which a replay makes other entries
    branch = await branched(ann, original, 9)
    await head(branch, 9)

    async def said() -> bool:
        return (await tree(ann, branch))[1]["same"] is False

    await until(said)


async def test_undo_and_reset_are_branches_that_take_a_place(ann, host):
    original = await visit(ann, host)
    undone = (await post(ann, original, "undo")).json()["id"]
    await in_state(undone, "running")
    fresh = (await post(ann, undone, "reset")).json()["id"]
    await in_state(fresh, "running")
    await until(lambda: left(fresh))
    for replaced in (original, undone):  # each cluster's row follows its own stream
        await in_state(replaced, "ended", "replaced")
    assert [(run["id"], run["parent"], run["state"]) for run in await tree(ann, fresh)] == [
        (original, None, "ended"),
        (undone, original, "ended"),
        (fresh, undone, "running"),
    ]
    again = await branched(ann, original, 9)  # what was undone is not lost
    await head(again, 9)
    assert await journal(again) == await journal(original)


async def test_runs_have_names_which_are_text(ann, host):
    cluster = await visit(ann, host)
    assert (await post(ann, cluster, "name", name="  <b>what\u0000if</b>\n ")).status_code == 201
    assert (await tree(ann, cluster))[0]["name"] == "<b>what if</b>"
    refused = await post(ann, cluster, "name", name="x" * 61)
    assert (refused.status_code, refused.json()["message"]) == (400, "A name has at most 60 characters.")


async def test_side_by_side_runs_are_called_as_in_their_tree(ann, host):
    original = await visit(ann, host)
    branch = await branched(ann, original, 4)
    page = await ann.get(f"/clusters/{original}/beside/{branch}/")
    assert page.content.decode() == "The original beside Branch 1\n"
    await post(ann, branch, "name", name="what if")
    page = await ann.get(f"/clusters/{branch}/beside/{original}/", headers={"accept-language": "de"})
    assert page.content.decode() == "what if beside Das Original\n"


async def test_what_left_a_deleted_branch_left_its_parent_no_later(ann, host, settings):
    settings.CLUSTERS_PER_VISITOR = 9
    original = await visit(ann, host)
    middle = await branched(ann, original, 4)
    await host.clusters.ask(middle, Command("k3", "emit 2"))
    await head(middle, 6)
    last = await branched(ann, middle, 6)
    for cluster in (middle, last):
        await until(lambda cluster=cluster: left(cluster))
    answer = await post(ann, middle, "delete")
    assert answer.json() == {"id": original, "url": f"/clusters/{original}/"}
    assert [(run["id"], run["parent"], run["seq"]) for run in await tree(ann, last)] == [
        (original, None, None),
        (last, original, 4),
    ]
    assert (await ann.get(f"/clusters/{middle}/")).status_code == 404


async def test_the_original_and_what_a_room_uses_are_not_deleted(ann, host):
    original = await visit(ann, host)
    refused = await post(ann, original, "delete")
    assert (refused.status_code, refused.json()["message"][:32]) == (409, "Only a branch can be deleted, an")
    assert (await row(original)).state == "running"


@pytest.mark.parametrize(
    ("at", "status", "message"),
    [
        ("", 400, "A branch needs the number of an entry after which it leaves."),
        ("soon", 400, "at must be a whole number from 0 to 9007199254740992."),
        ("-1", 400, "at must be a whole number from 0 to 9007199254740992."),
        ("99", 409, "There is no entry #99; the journal ends at #9."),
    ],
)
async def test_a_position_that_is_none_is_refused_in_words(ann, host, at, status, message):
    refused = await post(ann, await visit(ann, host), "branches", at=at)
    assert (refused.status_code, refused.json()["message"]) == (status, message)
    assert await in_database(Cluster.objects.count)() == 1


async def test_a_run_that_cannot_be_played_again_has_no_branches(ann, host, monkeypatch):
    cluster = await visit(ann, host)
    monkeypatch.setattr(branches, "REPLAY_SECONDS_MAX", 0.05)
    assert "too late in the run" in (await post(ann, cluster, "branches", at=9)).json()["message"]
    await branched(ann, cluster, 4)  # an earlier one is near enough


async def test_branches_leave_where_what_clients_from_outside_said_is_kept(ann, host):
    cluster = await visit(ann, host)
    await host.clusters.ask(cluster, Command("k3", "outside"))
    await head(cluster, 10)
    branch = await branched(ann, cluster, 10)
    await in_database(services.mark_not_kept)(cluster, 9)
    await in_database(services.mark_not_kept)(cluster, 12)
    refused = await post(ann, cluster, "branches", at=10)
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("After #9 a client from outside has said more than is kept")
    await branched(ann, cluster, 9)

    async def said() -> bool:
        return [run["outside"] for run in await tree(ann, branch)] == [True, True, False]

    await until(said)


async def test_branches_count_among_a_visitors_clusters_and_a_tree_has_a_bound(ann, host, settings, monkeypatch):
    settings.CLUSTERS_PER_VISITOR = 1
    cluster = await visit(ann, host)
    refused = await post(ann, cluster, "branches", at=4)
    assert (refused.status_code, refused.json()["message"][:32]) == (429, "You have as many clusters runnin")
    settings.CLUSTERS_PER_VISITOR = 9
    monkeypatch.setattr(services, "BRANCHES_MAX", 1)
    await branched(ann, cluster, 4)
    refused = await post(ann, cluster, "branches", at=4)
    assert (refused.status_code, refused.json()["message"]) == (
        409,
        "This run has 1 branches already; delete one first.",
    )


async def test_a_tree_is_for_those_whose_it_is(ann, host):
    cluster = await visit(ann, host)
    stranger = AsyncClient()
    assert (await stranger.get(f"/clusters/{cluster}/branches/")).status_code == 404
    for what, form in (("branches", {"at": 1}), ("name", {"name": "x"}), ("delete", {})):
        assert (await post(stranger, cluster, what, **form)).status_code == 404
    branch = await branched(ann, cluster, 4)
    assert (await stranger.get(f"/clusters/{branch}/")).status_code == 404


async def test_a_form_without_script_leads_to_the_branchs_page(ann, host):
    cluster = await visit(ann, host)
    await host.clusters.ask(cluster, Pause())
    answer = await ann.post(f"/clusters/{cluster}/branches/", {"at": "4"})
    assert answer.status_code == 303
    assert answer["Location"].split("/")[2] != cluster
