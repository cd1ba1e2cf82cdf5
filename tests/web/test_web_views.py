"""The pages and the HTTP interface, as a browser and as a program see them."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import AsyncClient
from django.utils import timezone
from web_until import until

from cluster_engine.deeds import Command
from visualizer import selectors
from visualizer.database import in_database
from visualizer.hosting.bus import EmbeddedBus
from visualizer.hosting.messages import Stop
from visualizer.models import Cluster
from visualizer.selectors import Owner

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_templates")]


@pytest.fixture
def bus() -> EmbeddedBus:
    return EmbeddedBus()


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient(raise_request_exception=False)


def cluster_of(response) -> str:
    found = re.search(r'data-cluster="([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return found[1]


async def running(client, host) -> str:
    """The session's cluster, up and with its first entries recorded."""
    cluster = cluster_of(await client.get("/sandbox/"))
    await until(lambda: _recorded(cluster, 3))
    await until(lambda: _runs(cluster))
    return cluster


async def _runs(cluster: str) -> bool:
    return await in_database(lambda: Cluster.objects.get(pk=cluster).state)() == "running"


async def _recorded(cluster: str, last: int) -> bool:
    return await in_database(selectors.recorded)(cluster) >= last


async def test_a_new_visitor_lands_on_a_cluster_that_starts(client, host):
    response = await client.get("/sandbox/")
    assert response.status_code == 200
    cluster = cluster_of(response)
    assert 'data-state="starting"' in response.content.decode()
    assert len(cluster) >= 22
    await until(lambda: host.bus.holder(f"cluster:{cluster}"))


async def test_a_visitor_who_comes_back_finds_the_same_cluster(client, host):
    assert cluster_of(await client.get("/sandbox/")) == cluster_of(await client.get("/sandbox/"))
    assert await in_database(Cluster.objects.count)() == 1


async def test_two_visitors_have_a_cluster_each(client, host):
    assert cluster_of(await client.get("/sandbox/")) != cluster_of(await AsyncClient().get("/sandbox/"))


async def test_once_it_has_ended_the_visitor_lands_on_a_new_one(client, host):
    old = await running(client, host)
    await host.clusters.ask(old, Stop("full"))
    await until(lambda: _ended(old))
    assert cluster_of(await client.get("/sandbox/")) != old
    page = await client.get(f"/clusters/{old}/")
    assert page.status_code == 200
    assert "The journal of this cluster is full" in page.content.decode()


async def _ended(cluster: str) -> bool:
    return await in_database(lambda: Cluster.objects.get(pk=cluster).state)() == "ended"


async def test_asking_for_the_headers_of_the_sandbox_starts_nothing(client, host):
    assert (await client.head("/sandbox/")).status_code == 200
    assert await in_database(Cluster.objects.count)() == 0


async def test_a_form_makes_one_more_cluster_and_leads_to_its_page(client, host):
    response = await client.post("/clusters/", {"nodes": "3", "seed": "7"})
    assert response.status_code == 303
    page = await client.get(response["Location"])
    assert cluster_of(page) == response["Location"].split("/")[2]
    made = await in_database(Cluster.objects.get)()
    assert (made.nodes, made.seed, made.system_pods) == (3, 7, False)


async def test_the_sandbox_may_be_one_as_kubeadm_makes_it_beside_one_that_is_not(client, host):
    plain, made = cluster_of(await client.get("/sandbox/")), cluster_of(await client.get("/sandbox/?system_pods=on"))
    assert plain != made == cluster_of(await client.get("/sandbox/?system_pods=on"))
    assert [await _has_system_pods(one) for one in (plain, made)] == [False, True]


async def test_the_sandbox_may_be_one_whose_etcd_has_three_members(client, host):
    plain, made = cluster_of(await client.get("/sandbox/")), cluster_of(await client.get("/sandbox/?etcd_members=3"))
    assert plain != made == cluster_of(await client.get("/sandbox/?etcd_members=3"))
    assert (await in_database(Cluster.objects.get)(pk=made)).etcd_members == 3
    assert (await client.get("/sandbox/?etcd_members=4")).status_code == 400


@pytest.mark.parametrize("option", ["audit", "key_lab"])
async def test_the_sandbox_may_have_an_option_beside_one_without(client, host, option):
    plain, made = [cluster_of(await client.get(path)) for path in ("/sandbox/", f"/sandbox/?{option}=on")]
    assert plain != made == cluster_of(await client.get(f"/sandbox/?{option}=on"))
    rows = [await in_database(Cluster.objects.get)(pk=one) for one in (plain, made)]
    assert [getattr(one, option) for one in rows] == [False, True]


async def _has_system_pods(cluster):
    return (await in_database(Cluster.objects.get)(pk=cluster)).system_pods


async def test_a_form_may_ask_for_a_cluster_as_kubeadm_makes_it(client, host):
    await client.post("/clusters/", {"system_pods": "on"})
    made = await in_database(Cluster.objects.get)()
    assert made.system_pods


async def test_a_program_is_told_the_new_cluster_as_json(client, host):
    response = await client.post("/clusters/", headers={"accept": "application/json"})
    assert response.status_code == 201
    assert response.json()["url"] == f"/clusters/{response.json()['id']}/"


@pytest.mark.parametrize("form", [{"nodes": "0"}, {"nodes": "99"}, {"nodes": "many"}, {"seed": "-1"}, {"seed": "1e9"}])
async def test_a_form_with_nonsense_is_refused_in_words(client, host, form):
    response = await client.post("/clusters/", form)
    assert response.status_code == 400
    assert f"{next(iter(form))} must be a whole number from" in response.content.decode()
    assert await in_database(Cluster.objects.count)() == 0


@pytest.mark.parametrize("pace", ["0", "61", "fast", "nan", "-1", "inf"])
async def test_a_sandbox_with_a_bad_value_is_refused_in_words_and_none_begins(client, host, pace):
    refused = await client.get("/sandbox/", {"nodes": "3", "pace": pace})
    assert refused.status_code == 400
    assert "pace must be a number from 0.1 to 60." in refused.content.decode()
    assert "nodes must be a whole number" in (await client.get("/sandbox/", {"nodes": "9"})).content.decode()
    assert await in_database(Cluster.objects.count)() == 0


async def test_a_sandbox_begins_with_the_nodes_seed_and_pace_that_are_asked_for(client, host):
    first = cluster_of(await client.get("/sandbox/"))
    asked = {"nodes": "3", "seed": "7", "pace": "2,5"}
    made = cluster_of(await client.get("/sandbox/", asked))
    assert made != first
    row = await in_database(Cluster.objects.get)(pk=made)
    assert (row.nodes, row.seed, row.clock["pace"]) == (3, 7, 2.5)
    assert cluster_of(await client.get("/sandbox/", asked)) == made  # a reload begins no other
    assert cluster_of(await client.get("/sandbox/", {"seed": "1"})) == first


async def test_a_visitor_who_has_too_many_clusters_is_told(client, host, settings):
    settings.CLUSTERS_PER_VISITOR = 1
    await client.get("/sandbox/")
    response = await client.post("/clusters/")
    assert response.status_code == 429
    assert "as many clusters" in response.content.decode()


async def test_whoever_begins_one_too_many_has_the_one_suspended_that_nobody_watches(client, host, settings):
    settings.CLUSTERS_PER_VISITOR = 1
    first = await running(client, host)
    await in_database(Cluster.objects.update)(seen_at=timezone.now() - timedelta(minutes=5))
    response = await client.post("/clusters/")
    assert response.status_code == 303
    row = await in_database(Cluster.objects.get)(pk=first)
    assert (row.state, row.reason) == ("suspended", "room")


async def test_a_form_from_elsewhere_is_refused_with_a_page(host):
    response = await AsyncClient(enforce_csrf_checks=True).post("/clusters/")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


async def test_entries_are_listed_after_a_number_and_up_to_a_limit(client, host):
    cluster = await running(client, host)
    await host.clusters.ask(cluster, Command("k", "emit 20"))
    await until(lambda: _recorded(cluster, 23))
    listed = (await client.get(f"/clusters/{cluster}/entries/?since=5&limit=3")).json()
    assert [entry["seq"] for entry in listed["entries"]] == [6, 7, 8]
    assert listed["head"] == 23
    assert (await client.get(f"/clusters/{cluster}/entries/?since=23")).json() == {"entries": [], "head": 23}
    assert len((await client.get(f"/clusters/{cluster}/entries/")).json()["entries"]) == 23


async def test_entries_that_are_not_recorded_yet_are_listed_too(client, host):
    cluster = await running(client, host)
    host.recorder._journals[cluster].following.cancel()
    await host.clusters.ask(cluster, Command("k", "emit 5"))
    seqs = []
    while not seqs or seqs[-1] < 8:
        since = seqs[-1] if seqs else 0
        listed = (await client.get(f"/clusters/{cluster}/entries/?since={since}")).json()
        seqs += [entry["seq"] for entry in listed["entries"]]
    assert seqs == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_entries_of_an_ended_cluster_are_listed_still(client, host):
    cluster = await running(client, host)
    await host.clusters.ask(cluster, Stop("stopped"))
    await until(lambda: _ended(cluster))
    assert len((await client.get(f"/clusters/{cluster}/entries/")).json()["entries"]) == 3
    gone = await client.get(f"/clusters/{cluster}/entries/2/")
    assert gone.status_code == 410
    assert gone.json()["message"] == "This cluster does not run just now."


@pytest.mark.parametrize("query", ["since=x", "since=-1", "limit=0", "limit=99999999", "since=1.5"])
async def test_a_list_with_nonsense_is_refused_in_words(client, host, query):
    cluster = cluster_of(await client.get("/sandbox/"))
    response = await client.get(f"/clusters/{cluster}/entries/?{query}")
    assert response.status_code == 400
    assert "must be a whole number" in response.json()["message"]


async def test_long_lists_travel_compressed(client, host):
    cluster = await running(client, host)
    await host.clusters.ask(cluster, Command("k", "emit 100"))
    await until(lambda: _recorded(cluster, 103))
    response = await client.get(f"/clusters/{cluster}/entries/", headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"


async def test_one_entry_is_opened(client, host):
    cluster = await running(client, host)
    assert (await client.get(f"/clusters/{cluster}/entries/2/")).json()["seq"] == 2
    missing = await client.get(f"/clusters/{cluster}/entries/99/")
    assert missing.status_code == 404
    assert missing.json() == {"message": "There is no such entry any more."}


async def test_a_kubeconfig_is_downloaded(client, host):
    cluster = await running(client, host)
    response = await client.get(f"/clusters/{cluster}/kubeconfig")
    assert response["Content-Disposition"] == 'attachment; filename="glassplane.kubeconfig"'
    assert response.content.decode().startswith("apiVersion: v1\nkind: Config\n")


async def test_a_kubeconfig_leads_to_the_name_by_which_the_learner_called_the_server(client, host, settings):
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "class.example"]
    settings.GATEWAY_NAMES, settings.USE_X_FORWARDED_HOST = ["class.example"], True
    cluster = await running(client, host)
    for name, told in [("class.example:8000", "class.example"), ("testserver", "127.0.0.1")]:
        response = await client.get(f"/clusters/{cluster}/kubeconfig", headers={"x-forwarded-host": name})
        assert f"at {told} of class.example" in response.content.decode()


async def test_health_depends_on_a_worker(client, host, worker):
    assert (await client.get("/healthz")).json()["ready"]
    host.health.forget()
    await worker.stop("stopped")
    response = await client.get("/healthz")
    assert (response.status_code, response.json()["problems"].keys()) == (503, {"workers"})


# Whose cluster it is ------------------------------------------------------------------------------------------

PATHS = ["", "entries/", "entries/1/", "kubeconfig"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["owner", "other visitor", "nobody", "user", "other user"])
async def test_a_cluster_is_reached_by_its_owner_and_nobody_else(client, host, path, who, django_user_model):
    cluster = await running(client, host)
    ann = await in_database(django_user_model.objects.create_user)("ann")
    bob = await in_database(django_user_model.objects.create_user)("bob")
    await in_database(Cluster.objects.update)(user=ann)
    asking = {"owner": client}.get(who) or AsyncClient()
    if who == "other visitor":
        await asking.get("/sandbox/")
    if "user" in who:
        await in_database(asking.force_login)(bob if who == "other user" else ann)
    response = await asking.get(f"/clusters/{cluster}/{path}")
    if who in {"owner", "user"}:
        assert response.status_code == 200
        return
    assert response.status_code == 404
    assert cluster not in response.content.decode()
    unknown = await asking.get(f"/clusters/{'x' * len(cluster)}/{path}")
    assert unknown.status_code == 404
    assert unknown.content == response.content  # whether it exists is not told


async def test_a_visitor_keeps_the_cluster_when_logging_in(client, host, django_user_model):
    cluster = await running(client, host)
    await in_database(client.force_login)(await in_database(django_user_model.objects.create_user)("ann"))
    assert cluster_of(await client.get("/sandbox/")) == cluster


async def test_the_empty_visitor_owns_nothing(db):
    await in_database(Cluster.objects.create)(visitor="")
    assert await in_database(selectors.current_cluster)(Owner("")) is None


# Errors and headers ------------------------------------------------------------------------------------------


async def test_an_unknown_page_is_a_page(client, host):
    response = await client.get("/no/such/page")
    assert response.status_code == 404
    assert "There is no such page." in response.content.decode()


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, 10**25])
async def test_a_number_that_no_entry_and_no_member_can_have_leads_nowhere(client, host, number):
    cluster = await running(client, host)
    answers = [await client.get(f"/clusters/{cluster}/entries/{number}/")]
    answers.append(await client.post(f"/rooms/a-room/members/{number}/forget/"))
    answers += [await client.get(path) for path in ("/clusters/%00/", f"/clusters/{'x' * 500}/", "/rooms/%ED%A0%80/")]
    assert [answer.status_code for answer in answers] == [404] * 5


async def test_the_largest_number_an_entry_can_have_is_asked_for_and_missing(client, host):
    cluster = await running(client, host)
    answer = await client.get(f"/clusters/{cluster}/entries/{2**53}/")
    assert (answer.status_code, answer.json()) == (404, {"message": "There is no such entry any more."})


async def test_an_error_of_ours_shows_no_trace(client, host, monkeypatch):
    def broken(*args):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(selectors, "current_cluster", broken)
    for accept, words in [("text/html", '<p id="message">'), ("application/json", '{"message":')]:
        response = await client.get("/sandbox/", headers={"accept": accept})
        assert response.status_code == 500
        assert words in response.content.decode()
        assert "our mistake" in response.content.decode()
        for detail in ("secret", "Traceback", "RuntimeError"):
            assert detail not in response.content.decode()


@pytest.mark.parametrize("method", ["put", "delete", "patch", "post"])
async def test_other_methods_are_not_allowed(client, host, method):
    response = await getattr(client, method)("/sandbox/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert "only shows something" in response.content.decode()


async def test_the_address_of_a_form_typed_as_a_page_says_so(client, host):
    response = await client.get("/clusters/", headers={"accept": "text/html"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "belongs to a button" in response.content.decode()
    assert (await client.get("/clusters/", headers={"accept": "application/json"})).json().keys() == {"message"}


async def test_a_host_name_that_is_not_ours_is_refused(client, host):
    assert (await client.get("/sandbox/", headers={"host": "evil.example"})).status_code == 400


async def test_the_policy_names_the_nonce_of_the_page_and_each_page_has_its_own(client, host):
    first, second = await client.get("/sandbox/"), await client.get("/sandbox/")
    nonces = [re.search(r"'nonce-([^']+)'", page["Content-Security-Policy"])[1] for page in (first, second)]
    assert f'nonce="{nonces[0]}"' in first.content.decode()
    assert nonces[0] != nonces[1]
    policy = dict(part.strip().split(" ", 1) for part in first["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in first["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/sandbox/", "/healthz", "/no/such/page"])
async def test_every_answer_carries_the_security_headers(client, host, path):
    headers = (await client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in headers


async def test_session_cookies_are_kept_from_scripts(client, host):
    cookie = (await client.get("/sandbox/")).cookies["glassplane_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


async def test_the_language_follows_the_browser_and_then_the_choice(client, host):
    german = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
    assert 'data-language="de"' in (await client.get("/sandbox/", headers=german)).content.decode()
    assert 'data-language="en"' in (await client.get("/sandbox/")).content.decode()
    assert 'data-language="en"' in (await client.get("/sandbox/", headers={"accept-language": "fr"})).content.decode()
    response = await client.post("/language/", {"language": "de", "next": "/healthz"})
    assert urlsplit(response["Location"]).path == "/healthz"
    assert 'data-language="de"' in (await client.get("/sandbox/")).content.decode()
    missing = await client.get("/no/such/page")
    assert "Diese Seite gibt es nicht." in missing.content.decode()


async def test_messages_are_json_that_can_be_read(client, host):
    response = await client.get("/clusters/nope/entries/", headers={"accept-language": "de"})
    assert json.loads(response.content) == {"message": "Diesen Cluster gibt es nicht, oder er gehört dir nicht."}
