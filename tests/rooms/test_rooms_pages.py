"""Opening, joining and ending rooms, as browsers and programs see it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from rooms_people import JSON, Browser, instructor
from web_until import until

from visualizer import rate_limits
from visualizer.database import in_database
from visualizer.models import Cluster
from visualizer.rooms import code_limits, ending, services
from visualizer.rooms.models import Member, Report, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def count(model) -> int:
    return await in_database(model.objects.count)()


# Opening --------------------------------------------------------------------------------------------------------------


async def test_who_has_no_account_may_join_and_is_sent_to_sign_in_to_open_a_room(host):
    answer = await Browser().get("/rooms/")
    assert answer.status_code == 200
    assert "rooms" not in answer.context
    answer = await Browser().post("/rooms/", {"title": "x"})
    assert answer.status_code == 302
    assert answer["Location"] == "/account/sign-in/?next=/rooms/"
    assert (await Browser().post("/rooms/", {"title": "x"}, headers=JSON)).status_code == 401
    assert await count(Room) == 0


async def test_an_account_opens_a_room_and_gets_to_its_console(host):
    ada = await instructor()
    answer = await ada.post("/rooms/", {"title": " Tuesday\u202e ", "mode": "shared"})
    room = await in_database(Room.objects.get)()
    assert (answer.status_code, answer["Location"]) == (303, f"/rooms/{room.pk}/console/")
    assert (room.title, room.mode, room.state) == ("Tuesday", "shared", "open")
    console = await ada.get(answer["Location"])
    assert console.context["join_url"] == f"http://testserver/join/{room.code}/"
    assert console.context["qr"].startswith("<svg")
    assert console.context["room"]["code"] == room.code
    assert "worker-1/kubelet" in console.context["cast"]["components"]
    assert [one["title"] for one in (await ada.get("/rooms/")).context["rooms"]] == ["Tuesday"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"title": " \u202e"}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "x", "mode": "both"}, "mode"),
        ({"title": "x", "lesson": "exercises/nonsense"}, "lesson"),
    ],
)
async def test_a_form_that_is_wrong_says_where(host, form, field):
    ada = await instructor()
    answer = await ada.post("/rooms/", form)
    assert answer.status_code == 400
    assert set(answer.context["errors"]) == {field}
    assert await count(Room) == 0


async def test_an_instructor_has_so_many_rooms_and_no_more(host, monkeypatch):
    monkeypatch.setattr(services, "ROOMS_MAX", 2)
    ada = await instructor()
    await ada.open_room()
    await ada.open_room()
    answer = await ada.post("/rooms/", {"title": "three"})
    assert answer.status_code == 400 and "as many rooms" in answer.context["errors"][""]
    assert await count(Room) == 2


async def test_no_two_open_rooms_have_one_code(host, monkeypatch):
    ada = await instructor()
    codes = iter(["AAAAAAA", "AAAAAAA", "CCCCCCC"])
    monkeypatch.setattr("visualizer.rooms.codes.new_code", lambda: next(codes))
    assert [(await ada.open_room()).code, (await ada.open_room()).code] == ["AAAAAAA", "CCCCCCC"]


async def test_the_code_of_a_closed_room_may_be_given_again_and_opens_the_new_one(host, monkeypatch):
    ada = await instructor()
    monkeypatch.setattr("visualizer.rooms.codes.new_code", lambda: "AAAAAAA")
    old = await ada.open_room()
    await ada.post(f"/rooms/{old.pk}/close/")
    new = await ada.open_room("new")
    assert (await Browser().join(new, "Bea")).room_id == new.pk


# Joining --------------------------------------------------------------------------------------------------------------


async def test_a_learner_joins_without_an_account_and_gets_a_cluster_of_their_own(host):
    ada, bea = await instructor(), Browser()
    room = await ada.open_room()
    assert (await bea.get(f"/join/{room.code}/")).context["room"]["title"] == "Tuesday"
    answer = await bea.post("/join/", {"code": room.code.lower(), "name": "Bea", "group": "A"})
    assert (answer.status_code, answer["Location"]) == (303, f"/rooms/{room.pk}/")
    page = await bea.get(answer["Location"])
    member = await in_database(Member.objects.get)()
    assert (member.name, member.group) == ("Bea", "A")
    assert page.context["cluster_id"] == member.cluster_id
    shown = page.context["room"]
    assert (shown["role"], shown["watching"], shown["socket"]) == ("member", False, f"/ws/rooms/{room.pk}/")
    await until(lambda: host.bus.holder(f"cluster:{member.cluster_id}"))
    assert (await bea.get(f"/rooms/{room.pk}/")).context["cluster_id"] == member.cluster_id


async def test_joining_again_in_the_same_browser_is_the_same_member(host):
    ada, bea = await instructor(), Browser()
    room = await ada.open_room()
    first = await bea.join(room, "Bea")
    again = await bea.join(room, "Beatrice", "B")
    assert first.pk == again.pk
    assert (again.name, again.group) == ("Beatrice", "B")
    page = await bea.get(f"/join/{room.code}/")
    assert page.context["member"] == {"name": "Beatrice", "url": f"/rooms/{room.pk}/"}
    assert page.context["room"]["groups"] == ["B"]


async def test_names_in_a_room_are_told_apart(host):
    room = await (await instructor()).open_room()
    names = [(await Browser().join(room, name)).name for name in ("Bea", "bea", "Bea")]
    assert names == ["Bea", "bea 2", "Bea 3"]


@pytest.mark.parametrize(("form", "field"), [({"name": "\u200b"}, "name"), ({"name": "x" * 41}, "name")])
async def test_a_name_that_is_none_is_refused_in_words(host, form, field):
    room = await (await instructor()).open_room()
    answer = await Browser().post("/join/", {"code": room.code, **form})
    assert answer.status_code == 400 and set(answer.context["errors"]) == {field}
    assert await count(Member) == 0


async def test_a_room_takes_so_many_members_and_no_more_but_who_is_in_stays_in(host, monkeypatch):
    monkeypatch.setattr(services, "MEMBERS_MAX", 2)
    room = await (await instructor()).open_room()
    bea = Browser()
    member = await bea.join(room, "Bea")
    await Browser().join(room, "Cleo")
    answer = await Browser().post("/join/", {"code": room.code, "name": "Dan"})
    assert answer.status_code == 400 and "full" in answer.context["errors"]["code"]
    await bea.join(room, "Bea again")
    assert (await in_database(Member.objects.get)(pk=member.pk)).name == "Bea again"


async def test_the_limit_on_a_visitors_clusters_does_not_keep_them_out_of_a_room(host, settings):
    settings.CLUSTERS_PER_VISITOR = 1
    room = await (await instructor()).open_room()
    bea = Browser()
    await bea.post("/clusters/")
    await bea.join(room, "Bea")
    assert (await bea.get(f"/rooms/{room.pk}/")).status_code == 200
    assert await count(Cluster) == 2


async def test_an_instructor_does_not_join_their_own_room(host):
    ada = await instructor()
    room = await ada.open_room()
    answer = await ada.post("/join/", {"code": room.code, "name": "Ada"})
    assert answer.status_code == 303 and await count(Member) == 0
    assert (await ada.get(answer["Location"]))["Location"] == f"/rooms/{room.pk}/console/"


async def guess(browser: Browser, code: str, forwarded: str = "") -> int:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    return (await browser.get(f"/join/{code}/", headers=headers)).status_code


async def test_a_class_comes_in_by_the_right_code_whatever_was_tried_at_its_address(host, stopwatch):
    room = await (await instructor()).open_room()
    began = stopwatch.seconds
    for _ in range(code_limits.BOUNDS["address"].failures_max):
        assert await guess(Browser(), "AAAAAAA") == 404
    assert stopwatch.seconds == began, "below the bound nobody waits"
    for number in range(30):
        assert await Browser().join(room, f"learner {number}")


async def test_codes_are_not_tried_faster_than_the_pace_once_too_many_were_wrong(host, stopwatch):
    for _ in range(code_limits.BOUNDS["address"].failures_max):
        await guess(Browser(), "AAAAAAA")
    began = stopwatch.seconds
    for _ in range(50):
        assert await guess(Browser(), "AAAAAAA") == 404
    assert stopwatch.seconds - began == pytest.approx(49 * 0.4)


async def test_a_visitor_who_has_guessed_waits_and_is_heard(host, stopwatch):
    room = await (await instructor()).open_room()
    guesser = Browser()
    await guesser.get("/sandbox/")  # makes a visitor of them
    for _ in range(code_limits.BOUNDS["visitor"].failures_max + 1):
        await guess(guesser, "AAAAAAA")
    began = stopwatch.seconds
    assert await guess(guesser, room.code) == 200
    assert stopwatch.seconds - began == 3
    assert await guess(Browser(), room.code) == 200
    assert stopwatch.seconds - began == 3, "others at the same address do not wait"


async def test_guessing_side_by_side_is_no_way_around_the_pace(host, stopwatch, monkeypatch):
    async def at_once(_: float) -> None:
        """The time stands still while they all ask."""

    monkeypatch.setattr(rate_limits, "sleep", at_once)
    for _ in range(code_limits.BOUNDS["address"].failures_max):
        await guess(Browser(), "AAAAAAA")
    browser = Browser()
    answers = [await browser.get("/join/AAAAAAA/") for _ in range(60)]
    heard = [answer.status_code for answer in answers].count(404)
    assert heard == int(15 / 0.4) + 1
    assert {answer.status_code for answer in answers[heard:]} == {429}
    assert int(answers[-1]["Retry-After"]) > 0
    assert "try again in 1 seconds" in answers[-1].context["errors"]["code"]


@pytest.mark.parametrize("proxies", [0, 1])
async def test_a_forged_address_gives_no_more_guesses(host, stopwatch, settings, proxies):
    settings.PROXIES = proxies
    tries = code_limits.BOUNDS["address"].failures_max + 1
    behind = [f", 2001:db8::{number + 1:x}" if proxies else "" for number in range(tries)]
    for number in range(tries):
        await guess(Browser(), "AAAAAAA", f"10.0.0.{number}{behind[number]}")
    began = stopwatch.seconds
    await guess(Browser(), "AAAAAAA", f"10.0.1.1{behind[0]}")
    assert stopwatch.seconds > began
    if proxies:
        began = stopwatch.seconds
        await guess(Browser(), "AAAAAAA", "2001:db8::1, 192.0.2.9")
        assert stopwatch.seconds == began, "elsewhere nobody waits"


async def test_many_visitors_at_many_addresses_have_a_bound_together(host, stopwatch, monkeypatch, settings):
    bounds = code_limits.BOUNDS
    monkeypatch.setitem(bounds, "all", replace(bounds["all"], failures_max=12))
    settings.PROXIES = 1
    for number in range(14):
        assert await guess(Browser(), "AAAAAAA", f"192.0.2.{number}") == 404
    assert stopwatch.seconds == pytest.approx(1000.02)


async def test_looking_at_a_code_makes_nobody_a_visitor(host):
    room = await (await instructor()).open_room()
    bea = Browser()
    for path in (f"/join/{room.code}/", "/join/AAAAAAA/", "/rooms/"):
        await bea.get(path)
    assert "glassplane_session" not in bea.cookies


async def test_a_right_code_costs_nothing(host):
    room = await (await instructor()).open_room()
    bea = Browser()
    for _ in range(code_limits.BOUNDS["address"].failures_max + 5):
        assert (await bea.get(f"/join/{room.code}/")).status_code == 200


# Whose page it is -----------------------------------------------------------------------------------------------------


async def test_where_all_watch_the_instructor_nobody_has_a_cluster_of_their_own(host):
    ada, bea = await instructor(), Browser()
    room = await ada.open_room(mode="shared")
    await bea.join(room, "Bea")
    hers, mine = await bea.get(f"/rooms/{room.pk}/"), await ada.get(f"/rooms/{room.pk}/watch/")
    assert hers.context["cluster_id"] == mine.context["cluster_id"]
    assert (hers.context["room"]["watching"], mine.context["room"]["watching"]) == (True, False)
    assert await count(Cluster) == 1


async def test_a_page_follows_its_cluster_to_the_successor(host):
    ada, bea = await instructor(), Browser()
    room = await ada.open_room()
    member = await bea.join(room, "Bea")
    old = (await bea.get(f"/rooms/{room.pk}/")).context["cluster_id"]

    def replace():
        row = Cluster.objects.get(pk=old)
        return Cluster.objects.create(visitor=row.visitor), row

    new, row = await in_database(replace)()
    row.successor = new
    await in_database(row.save)()
    assert (await bea.get(f"/rooms/{room.pk}/")).context["cluster_id"] == new.pk
    assert (await in_database(Member.objects.get)(pk=member.pk)).cluster_id == new.pk


@pytest.mark.parametrize("path", ["", "watch/", "console/", "results.csv"])
async def test_a_stranger_finds_no_room(host, path):
    room = await (await instructor()).open_room()
    for stranger in (Browser(), await instructor("eve")):
        assert (await stranger.get(f"/rooms/{room.pk}/{path}")).status_code == 404


@pytest.mark.parametrize("path", ["console/", "results.csv"])
async def test_a_member_does_not_see_the_instructors_pages(host, path):
    room = await (await instructor()).open_room()
    bea = Browser()
    await bea.join(room, "Bea")
    assert (await bea.get(f"/rooms/{room.pk}/{path}")).status_code == 403


@pytest.mark.parametrize("path", ["close/", "delete/", "members/1/forget/"])
async def test_only_the_instructor_ends_what_is_in_a_room(host, path):
    room = await (await instructor()).open_room()
    bea = Browser()
    await bea.join(room, "Bea")
    assert (await bea.post(f"/rooms/{room.pk}/{path}")).status_code == 403
    assert (await Browser().post(f"/rooms/{room.pk}/{path}")).status_code == 404
    assert await count(Member) == 1 and (await in_database(Room.objects.get)()).state == "open"


# Ends -----------------------------------------------------------------------------------------------------------------


async def test_a_closed_room_lets_nobody_in_and_keeps_what_was_done(host):
    ada, bea = await instructor(), Browser()
    room = await ada.open_room()
    await bea.join(room, "Bea")
    assert (await ada.post(f"/rooms/{room.pk}/close/")).status_code == 303
    assert (await Browser().get(f"/join/{room.code}/")).status_code == 404
    assert b"Bea" in (await ada.get(f"/rooms/{room.pk}/results.csv")).content


async def learners(room: Room, count: int) -> list[Browser]:
    browsers = [Browser() for _ in range(count)]
    for number, browser in enumerate(browsers):
        await browser.join(room, f"learner {number}")
        await browser.get(f"/rooms/{room.pk}/")
    return browsers


async def test_who_leaves_is_forgotten_and_so_is_their_cluster(host):
    room = await (await instructor()).open_room()
    bea, cleo = await learners(room, 2)
    cluster = (await in_database(Member.objects.earliest)("pk")).cluster_id
    await until(lambda: host.bus.holder(f"cluster:{cluster}"))
    assert (await bea.post(f"/rooms/{room.pk}/leave/"))["Location"] == "/join/"
    assert not await in_database(Cluster.objects.filter(pk=cluster).exists)()
    await until(lambda: _is_free(host, cluster))
    assert (await bea.get(f"/rooms/{room.pk}/")).status_code == 404
    assert (await cleo.get(f"/rooms/{room.pk}/")).status_code == 200


async def _is_free(host, cluster: str) -> bool:
    return await host.bus.holder(f"cluster:{cluster}") is None


async def test_the_instructor_forgets_one(host):
    ada = await instructor()
    room = await ada.open_room()
    await learners(room, 2)
    member = await in_database(Member.objects.earliest)("pk")
    answer = await ada.post(f"/rooms/{room.pk}/members/{member.pk}/forget/", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await ada.post(f"/rooms/{room.pk}/members/{member.pk}/forget/")).status_code == 404
    assert await count(Member) == 1 and await count(Cluster) == 1


async def test_a_deleted_room_leaves_nothing_of_its_learners(host):
    ada = await instructor()
    room = await ada.open_room()
    await learners(room, 2)
    await ada.get(f"/rooms/{room.pk}/watch/")
    assert (await ada.post(f"/rooms/{room.pk}/delete/"))["Location"] == "/rooms/"
    assert (await count(Room), await count(Member), await count(Report)) == (0, 0, 0)
    left = await in_database(Cluster.objects.get)()
    assert left.user_id is not None, "the instructor's own stays theirs"


async def test_rooms_are_deleted_once_they_have_been_closed_for_long(host, settings):
    ada = await instructor()
    old, new, still_open = [await ada.open_room() for _ in range(3)]
    await learners(old, 1)
    for room in (old, new):
        await ada.post(f"/rooms/{room.pk}/close/")
    long_ago = timezone.now() - timedelta(days=settings.RECORDINGS_KEPT_DAYS, seconds=1)
    await in_database(Room.objects.filter(pk=old.pk).update)(closed_at=long_ago)
    await ending.delete_old_rooms(host)
    kept = await in_database(lambda: set(Room.objects.values_list("pk", flat=True)))()
    assert kept == {new.pk, still_open.pk}
    assert await count(Cluster) == 0


async def test_an_account_that_is_deleted_takes_its_rooms_along(host):
    ada = await instructor()
    await ada.open_room()
    await in_database(lambda: get_user_model().objects.get().delete())()
    assert await count(Room) == 0


async def test_two_who_come_at_once_under_one_name_are_two(host):
    room = await (await instructor()).open_room()
    members = await asyncio.gather(*(Browser().join(room, "Bea") for _ in range(4)))
    assert len(members) == 4
    names = await in_database(lambda: sorted(Member.objects.values_list("name", flat=True)))()
    assert names == ["Bea", "Bea 2", "Bea 3", "Bea 4"]
