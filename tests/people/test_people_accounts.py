"""Accounts: in, out, the password, the end; and what is told to nobody."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from people_password import PASSWORD
from web_until import until

from visualizer import rate_limits
from visualizer.database import in_database
from visualizer.hosting.clusters import NotRunning
from visualizer.hosting.messages import Stop
from visualizer.models import Cluster
from visualizer.people import sign_in_limits
from visualizer.people.models import Progress
from visualizer.rooms.models import Member, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SIGN_IN, SIGN_UP = "/account/sign-in/", "/account/sign-up/"


def new(name: str = "ann", password: str = PASSWORD, again: str | None = None, **more: str) -> dict[str, str]:
    return {"username": name, "password1": password, "password2": password if again is None else again, **more}


async def sign_in(client, name="ann", password=PASSWORD, **more):
    return await client.post(SIGN_IN, {"name": name, "password": password, **more})


async def who(client) -> str:
    page = (await client.get("/account/", follow=True)).content.decode()
    return "ann" if "<h1>ann</h1>" in page else "nobody"


async def test_who_opens_an_account_is_signed_in(client):
    response = await client.post(SIGN_UP, new())
    assert (response.status_code, response["Location"]) == (303, "/progress/")
    assert await who(client) == "ann"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (new(again="something else"), "The two passwords are not the same."),
        (new(password="12345678901"), "entirely numeric"),
        (new(password="password"), "too common"),
        (new(password="short"), "too short"),
        (new(name="two words"), "Letters, digits"),
        (new(name="x" * 41), "at most 40"),
        (new(name="", password=""), "This field is required."),
        (new(password="x" * 257), "at most 256"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused_in_words(client, form, words):
    response = await client.post(SIGN_UP, form)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert not await in_database(User.objects.exists)()


async def test_a_name_that_is_taken_is_refused_as_one_that_nobody_may_have(client, ann):
    pages = [(await client.post(SIGN_UP, new(name))).content.decode() for name in ("ann", "ANN", "Admin")]
    for page in pages:
        assert "This name cannot be had." in page


async def test_whoever_signs_in_comes_out_where_they_wanted_to(client, ann):
    response = await sign_in(client, next="/rooms/?a=b")
    assert (response.status_code, response["Location"]) == (303, "/rooms/?a=b")
    assert await who(client) == "ann"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "x"])
async def test_nobody_is_sent_elsewhere(client, ann, wanted):
    assert (await sign_in(client, next=wanted))["Location"] == "/progress/"
    assert (await client.post("/account/sign-out/", {"next": wanted}))["Location"] == "/"


async def test_a_wrong_password_and_a_name_that_nobody_has_are_answered_alike(client, ann):
    wrong = await sign_in(client, password="wrong")
    unknown = await sign_in(client, name="bob", password="wrong")
    assert wrong.status_code == unknown.status_code == 400
    tokens = [page.content.decode().replace("bob", "ann") for page in (wrong, unknown)]
    said = [page.split("errorlist")[1].split("</ul>")[0] for page in tokens]
    assert said[0] == said[1]
    assert "Name and password do not fit together." in said[0]


async def test_the_right_password_signs_in_whatever_a_neighbour_has_tried(client, ann, stopwatch):
    for _ in range(sign_in_limits.BOUNDS["name at address"].failures_max + 3):
        await sign_in(AsyncClient(), name="Ann", password="wrong")
    assert (await sign_in(client)).status_code == 303
    assert await who(client) == "ann"


async def test_passwords_are_not_tried_faster_than_the_pace_once_too_many_were_wrong(client, ann, stopwatch):
    began = stopwatch.seconds
    for _ in range(sign_in_limits.BOUNDS["name at address"].failures_max):
        await sign_in(client, password="wrong")
    assert stopwatch.seconds == began
    for _ in range(10):
        assert "do not fit together" in (await sign_in(client, password="wrong")).content.decode()
    assert stopwatch.seconds - began == 9 * 5


async def test_guessing_side_by_side_is_sent_away_in_words(client, ann, stopwatch, monkeypatch):
    async def at_once(_: float) -> None:
        """The time stands still while they all ask."""

    monkeypatch.setattr(rate_limits, "sleep", at_once)
    for _ in range(sign_in_limits.BOUNDS["name at address"].failures_max + 4):
        await sign_in(client, password="wrong")
    assert "Please try again in 5 seconds." in (await sign_in(client)).content.decode()


@pytest.mark.parametrize("form", ["/account/password/", "/account/delete/"])
async def test_who_is_signed_in_waits_too_where_the_password_is_asked_again(client, ann, stopwatch, form):
    await sign_in(client)
    wrong = {"password": "wrong", "old_password": "wrong", "new_password1": "x" * 20, "new_password2": "x" * 20}
    for _ in range(sign_in_limits.BOUNDS["name at address"].failures_max + 2):
        await client.post(form, wrong)
    assert stopwatch.seconds == 1005


async def test_a_right_password_forgives_what_failed_before(client, ann):
    for _ in range(3):
        for _ in range(sign_in_limits.BOUNDS["name at address"].failures_max - 1):
            await sign_in(client, password="wrong")
        assert (await sign_in(client)).status_code == 303
        await client.post("/account/sign-out/")


async def test_guessing_at_many_names_from_one_address_has_a_pace_too(client, ann, stopwatch, monkeypatch, settings):
    settings.PROXIES = 1  # then the proxy says who asks
    bounds = sign_in_limits.BOUNDS
    monkeypatch.setitem(bounds, "address", replace(bounds["address"], failures_max=5))
    for number in range(7):
        await sign_in(client, name=f"name{number}", password="wrong")
    assert stopwatch.seconds == 1001
    proxied = {"x-forwarded-for": "6.6.6.6, 192.0.2.7"}
    elsewhere = await client.post(SIGN_IN, {"name": "ann", "password": PASSWORD}, headers=proxied)
    assert (elsewhere.status_code, stopwatch.seconds) == (303, 1001)


async def test_one_address_opens_so_many_accounts_and_no_more(client, monkeypatch):
    monkeypatch.setattr(sign_in_limits, "OPENED_MAX", 2)
    for number in range(3):
        response = await AsyncClient().post(SIGN_UP, new(f"name{number}"))
    assert response.status_code == 400
    assert "Many accounts were opened" in response.content.decode()
    assert await in_database(User.objects.count)() == 2


async def test_signing_out_takes_a_form_not_a_link(client, ann):
    await sign_in(client)
    assert (await client.get("/account/sign-out/")).status_code == 405
    assert await who(client) == "ann"
    assert (await client.post("/account/sign-out/")).status_code == 303
    assert await who(client) == "nobody"


@pytest.mark.parametrize("path", ["/account/", "/account/password/", "/account/delete/", "/progress/export/"])
async def test_a_stranger_is_asked_to_sign_in_first(client, path):
    response = await client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"{SIGN_IN}?next={path}")


@pytest.mark.parametrize("path", [SIGN_IN, SIGN_UP, "/account/sign-out/", "/progress/delete/"])
async def test_a_form_from_elsewhere_is_refused(path):
    assert (await AsyncClient(enforce_csrf_checks=True).post(path, {})).status_code == 403


async def with_visitor(client, visitor: str) -> None:
    session = await client.asession()
    await session.aset("visitor", visitor)
    await session.asave()
    client.cookies["glassplane_session"] = session.session_key


async def test_a_visitor_keeps_clusters_and_session_when_signing_in_and_the_account_has_them_elsewhere(client, ann):
    await with_visitor(client, "v" * 43)
    cluster = await in_database(Cluster.objects.create)(visitor="v" * 43)
    other = await in_database(Cluster.objects.create)(visitor="w" * 43)
    await sign_in(client)
    session = await client.asession()
    assert await session.aget("visitor") == "v" * 43
    await in_database(cluster.refresh_from_db)()
    await in_database(other.refresh_from_db)()
    assert (cluster.user_id, other.user_id) == (ann.pk, None)


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client, ann):
    other = AsyncClient()
    await sign_in(client)
    await sign_in(other)
    form = {"old_password": PASSWORD, "new_password1": "another lamp by it", "new_password2": "another lamp by it"}
    refused = await client.post("/account/password/", {**form, "old_password": "wrong"})
    assert "This is not the present password." in refused.content.decode()
    response = await client.post("/account/password/", form, follow=True)
    assert "The password is changed." in response.content.decode()
    assert (await who(client), await who(other)) == ("ann", "nobody")
    assert (await sign_in(AsyncClient())).status_code == 400


async def test_who_deletes_the_account_deletes_everything_that_is_theirs(client, host, ann, django_user_model):
    await with_visitor(client, "v" * 43)
    await sign_in(client)
    bob = await in_database(django_user_model.objects.create_user)("bob")
    await in_database(Cluster.objects.create)(visitor="elsewhere", user=ann, state="ended")
    await in_database(Cluster.objects.create)(visitor="v" * 43, state="ended")
    kept = await in_database(Cluster.objects.create)(visitor="w" * 43, user=bob, state="ended")
    await in_database(Progress.objects.create)(user=ann, lesson="walkthroughs/mutual-tls")
    await in_database(Room.objects.create)(owner=ann, title="hers", code="AAA-AAA")
    his = await in_database(Room.objects.create)(owner=bob, title="his", code="BBB-BBB")
    await in_database(Member.objects.create)(room=his, visitor="v" * 43, name="Ann")

    refused = await client.post("/account/delete/", {"password": "wrong"})
    assert "This is not the password." in refused.content.decode()
    assert await in_database(Cluster.objects.count)() == 3

    response = await client.post("/account/delete/", {"password": PASSWORD}, follow=True)
    assert "The account is deleted" in response.content.decode()
    assert await in_database(lambda: [one.pk for one in Cluster.objects.all()])() == [kept.pk]
    assert await in_database(lambda: [one.title for one in Room.objects.all()])() == ["his"]
    for model in (Progress, Member, Session):
        assert not await in_database(model.objects.exists)(), model
    assert await in_database(lambda: [one.username for one in User.objects.all()])() == ["bob"]


async def test_the_cluster_of_a_deleted_account_stops(client, host, ann):
    await sign_in(client)
    assert (await client.get("/sandbox/")).status_code == 200
    cluster = await in_database(Cluster.objects.get)()
    await until(lambda: host.bus.holder(f"cluster:{cluster.pk}"))
    assert (await client.post("/account/delete/", {"password": PASSWORD})).status_code == 303
    assert not await in_database(Cluster.objects.exists)()
    with pytest.raises(NotRunning):
        await host.clusters.put(cluster.pk, Stop("stopped"))


async def test_a_page_names_who_is_signed_in_and_nobody_else(client, ann):
    await sign_in(client)
    for path in ("/", "/walkthroughs/", "/progress/"):
        assert 'data-account="ann"' in (await client.get(path)).content.decode()
        assert "data-account" not in (await AsyncClient().get(path)).content.decode()


async def test_forms_speak_german(client):
    page = (await client.post(SIGN_UP, new(password="short"), headers={"accept-language": "de"})).content.decode()
    assert "Konto eröffnen" in page
    assert "zu kurz" in page
