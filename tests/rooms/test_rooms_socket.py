"""The socket of a room: first frames, following, help, bounds."""

import asyncio
import itertools

import pytest
import pytest_asyncio
from rooms_people import Browser, Socket, instructor
from web_until import PATIENCE, until

from visualizer.database import in_database
from visualizer.hosting.web_process import WebProcess
from visualizer.page_socket import REFUSALS_MAX
from visualizer.rooms import changes, hub, live_room, selectors, services
from visualizer.rooms.models import Member, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture
async def ada(host) -> Browser:
    return await instructor()


@pytest_asyncio.fixture
async def room(ada) -> Room:
    """A room with the instructor's cluster in it."""
    made = await ada.open_room()
    await ada.get(f"/rooms/{made.pk}/watch/")
    return await in_database(Room.objects.get)(pk=made.pk)


async def learner(room: Room, name: str = "Bea", group: str = "") -> tuple[Browser, Member, Socket]:
    browser = Browser()
    member = await browser.join(room, name, group)
    socket = await Socket.of(room, browser)
    await socket.hear("room")
    return browser, member, socket


async def console(room: Room, ada: Browser) -> Socket:
    socket = await Socket.of(room, ada)
    await socket.hear("board")
    return socket


def at(room: Room, cursor: int, **fields):
    return {"type": "position", "cluster": room.cluster_id, "cursor": cursor, "selected": cursor, **fields}


# First frames ---------------------------------------------------------------------------------------------------------


async def test_an_instructor_hears_the_room_then_the_whole_board(room, ada):
    _, bea, _ = await learner(room)
    socket = await Socket.of(room, ada)
    first = await socket.hear()
    assert first["type"] == "room"
    assert first["room"]["code"] == room.code
    assert first["me"]["role"] == "instructor"
    board = await socket.hear()
    assert board["type"] == "board" and board["incidents"] == []
    assert [(row["member"], row["name"], row["online"]) for row in board["rows"]] == [(bea.pk, "Bea", True)]


async def test_a_member_hears_the_room_without_its_code_and_no_board(room, ada):
    bea = Browser()
    member = await bea.join(room, "Bea", "A")
    socket = await Socket.of(room, bea)
    frame = await socket.hear()
    assert (frame["room"]["code"], frame["room"]["cluster"]) == (None, room.cluster_id)
    names = {"role": "member", "member": member.pk, "name": "Bea", "group": "A"}
    assert frame["me"] == {**names, "help": None, "follows": True, "cluster": None}
    assert await socket.quiet()


async def test_strangers_and_those_who_were_forgotten_are_turned_away(room, ada):
    for stranger in (None, Browser(), await instructor("eve")):
        assert await (await Socket.of(room, stranger)).closed() == live_room.NO_SUCH_ROOM
    bea, member, socket = await learner(room)
    board = await console(room, ada)
    await ada.post(f"/rooms/{room.pk}/members/{member.pk}/forget/")
    assert await socket.closed() == live_room.NO_SUCH_ROOM
    assert (await board.hear("gone"))["member"] == member.pk
    assert await (await Socket.of(room, bea)).closed() == live_room.NO_SUCH_ROOM


async def test_all_pages_of_a_deleted_room_are_closed(room, ada):
    _, _, socket = await learner(room)
    board = await console(room, ada)
    await ada.post(f"/rooms/{room.pk}/delete/")
    assert await socket.closed() == await board.closed() == live_room.NO_SUCH_ROOM


async def test_pages_are_told_that_their_room_is_closed(room, ada):
    _, _, socket = await learner(room)
    await ada.post(f"/rooms/{room.pk}/close/")
    await socket.hear_room(lambda frame: frame["room"]["state"] == "closed")


# Following ------------------------------------------------------------------------------------------------------------


async def test_who_follows_is_taken_along_and_who_comes_late_too(room, ada):
    _, _, bea = await learner(room)
    board = await console(room, ada)
    await board.say(type="lead", on=True)
    await bea.hear_room(lambda frame: frame["room"]["leading"])
    await board.say(**at(room, 7, altitude="tls", drawer=True, tab="records", focus=["worker-1/kubelet"]))
    position = await bea.hear("position")
    said = at(room, 7, altitude="tls", drawer=True, tab="records", beat=None, focus=["worker-1/kubelet"])
    assert said.items() <= position.items()
    cleo = Browser()
    await cleo.join(room, "Cleo")
    late = await Socket.of(room, cleo)
    assert [(await late.hear())["type"], await late.hear()] == ["room", position]


async def test_the_first_one_back_in_a_room_is_told_only_where_the_instructor_is_now(room, ada, bus, monkeypatch):
    monkeypatch.setattr(live_room, "CATCH_UP_SECONDS", PATIENCE)  # something is kept, and each reading asks a database
    bea, member, page = await learner(room)
    await page.close()
    places = [{name: value for name, value in at(room, cursor).items() if name != "type"} for cursor in (1, 2, 3)]
    for place in places:
        for change in (changes.Placed(place), changes.Left(member.pk)):
            await bus.append(changes.room_name(room.pk), changes.pack(change))
    await in_database(Room.objects.filter(pk=room.pk).update)(leading=True, position=places[-1])
    again = await Socket.of(room, bea)
    assert (await again.hear("position"))["cursor"] == 3
    assert await again.quiet(0.3)


async def test_of_many_positions_only_the_last_one_counts(room, ada, monkeypatch):
    monkeypatch.setattr(live_room, "PLACE_SECONDS", 0.5)  # forty are said meanwhile, or at most in a few of these
    _, _, bea = await learner(room)
    board = await console(room, ada)
    await board.say(type="lead", on=True)
    await bea.hear_room(lambda frame: frame["room"]["leading"])
    for cursor in range(1, 41):
        await board.say(**at(room, cursor))
    heard = []
    while not heard or heard[-1] != 40:
        heard.append((await bea.hear("position"))["cursor"])
    assert heard == sorted(heard) and len(heard) < 20
    await until(lambda: _is_at(room, 40))


async def _is_at(room: Room, cursor: int) -> bool:
    position = (await in_database(Room.objects.get)(pk=room.pk)).position
    return position is not None and position["cursor"] == cursor


async def test_one_who_opts_out_is_left_alone_and_taken_along_again_on_coming_back(room, ada):
    _, _, bea = await learner(room)
    board = await console(room, ada)
    await bea.say(type="follow", on=False)
    await bea.hear_room(lambda frame: not frame["me"]["follows"])
    await board.say(type="lead", on=True)
    await bea.hear_room(lambda frame: frame["room"]["leading"])
    await board.say(**at(room, 3))
    await until(lambda: _is_at(room, 3))
    assert await bea.quiet()
    await bea.say(type="follow", on=True)
    assert (await bea.hear("position"))["cursor"] == 3


async def test_nobody_is_taken_along_when_nobody_leads_or_to_somewhere_else(room, ada):
    _, _, bea = await learner(room)
    board = await console(room, ada)
    await board.say(**at(room, 3))
    await board.say(type="lead", on=True)
    await bea.hear_room(lambda frame: frame["room"]["leading"])
    await board.say(**at(room, 4) | {"cluster": "elsewhere"})
    assert await bea.quiet()
    await board.say(**at(room, 5))
    assert (await bea.hear("position"))["cursor"] == 5
    await board.say(type="lead", on=False)
    await bea.hear_room(lambda frame: not frame["room"]["leading"])
    assert (await in_database(Room.objects.get)(pk=room.pk)).position is None
    await board.say(type="lead", on=True)
    await bea.hear_room(lambda frame: frame["room"]["leading"])
    assert await bea.quiet(), "where the instructor was the last time is no position"


async def test_another_web_process_hears_the_same(room, ada, host, bus):
    _, _, bea = await learner(room)
    board = await console(room, ada)
    other = WebProcess(bus)
    live, page = await hub.RoomHub(other.bus).join(room.pk, None)
    try:
        heard = [await page.next_frame(), await page.next_frame()]
        assert [one[:16] for one in heard] == ['{"type":"room","', '{"type":"board",']
        await bea.say(type="help", on=True)
        assert (await board.hear_row(lambda row: row["help"]))["name"] == "Bea"
        assert '"help":"2' in await page.next_frame()
    finally:
        await live.aclose()


async def test_after_a_restart_of_the_server_everything_is_as_it_was(room, ada, host, bus):
    bea, _, socket = await learner(room)
    board = await console(room, ada)
    await board.say(type="lead", on=True)
    await socket.hear_room(lambda frame: frame["room"]["leading"])
    await board.say(**at(room, 9))
    await socket.hear("position")
    await until(lambda: _is_at(room, 9))
    await socket.say(type="help", on=True)
    await board.hear_row(lambda row: row["help"])
    await socket.close()
    await board.close()
    await bus.drop(f"room:{room.pk}")  # what the process remembered is gone; the database is there
    again = await Socket.of(room, bea)
    assert (await again.hear("room"))["room"]["leading"]
    assert (await again.hear("position"))["cursor"] == 9
    rows = (await (await Socket.of(room, ada)).hear("board"))["rows"]
    assert rows[0]["help"] is not None and rows[0]["online"]


# Help, and who is there -----------------------------------------------------------------------------------------------


async def test_a_hand_goes_up_and_the_instructor_puts_it_down(room, ada):
    _, member, bea = await learner(room)
    board = await console(room, ada)
    await bea.say(type="help", on=True)
    await board.hear_row(lambda row: row["help"])
    await bea.hear_room(lambda frame: frame["me"]["help"])
    await board.say(type="help", member=member.pk, on=False)
    await board.hear_row(lambda row: row["help"] is None)
    await bea.hear_room(lambda frame: frame["me"]["help"] is None)


async def test_one_is_online_until_the_last_page_is_closed(room, ada):
    browser, _, bea = await learner(room)
    second = await Socket.of(room, browser)
    await second.hear("room")
    board = await console(room, ada)
    await bea.close()
    assert await board.quiet(0.6)
    await second.close()
    assert not (await board.hear_row(lambda row: True))["online"]


async def test_one_whose_server_died_is_offline_after_a_while(room, ada, monkeypatch):
    monkeypatch.setattr(live_room, "LOOK_SECONDS", 0.05)
    _, member, _ = await learner(room)
    board = await console(room, ada)
    page = next(one for one in next(iter(hub.current()._rooms.values())).open if one.member == member.pk)
    next(iter(hub.current()._rooms.values())).open.discard(page)  # as if no process had it any more
    monkeypatch.setattr(selectors, "ONLINE_SECONDS", 0.2)
    assert not (await board.hear_row(lambda row: not row["online"]))["online"]


async def test_rows_are_told_at_most_four_times_a_second(room, ada, monkeypatch):
    times, refresh = [], live_room.LiveRoom._refresh

    async def noted(live):
        times.append(asyncio.get_running_loop().time())
        await refresh(live)

    monkeypatch.setattr(live_room.LiveRoom, "_refresh", noted)
    _, member, _ = await learner(room)
    board = await console(room, ada)
    told = 0
    while len(times) < 6:  # each of these would tell the row, were there no pause
        told += 1
        await in_database(services.set_help)(room.pk, member.pk, told % 2 == 0)
        await hub.tell(hub.current()._bus, room.pk, live_room.Changed(members=[member.pk]))
    await in_database(services.set_help)(room.pk, member.pk, True)  # each look may have met the same as before
    await hub.tell(hub.current()._bus, room.pk, live_room.Changed(members=[member.pk]))
    await board.hear("row")
    assert live_room.TELL_SECONDS == 0.25
    assert all(later - earlier > 0.99 * live_room.TELL_SECONDS for earlier, later in itertools.pairwise(times))


# Bounds ---------------------------------------------------------------------------------------------------------------


async def test_a_member_may_not_do_what_an_instructor_may(room, ada):
    _, _, bea = await learner(room)
    for message in (
        {"type": "lead", "on": True},
        at(room, 1),
        {"type": "pause", "on": True},
        {"type": "heal"},
        {"type": "break", "id": "b1", "fault": {"name": "power-off", "target": "worker-1"}, "targets": {"all": True}},
    ):
        await bea.say(**message)
        assert await bea.hear("error") == {"type": "error", "message": "You may not do this.", "id": message.get("id")}
    assert not (await in_database(Room.objects.get)(pk=room.pk)).leading


async def test_an_instructor_does_not_notice_or_diagnose(room, ada):
    board = await console(room, ada)
    await board.say(type="notice")
    await board.hear("error")
    await board.say(type="diagnose", fault="power-off", target="worker-1")
    await board.hear("error")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "nonsense",
        '{"type":"follow"}',
        '{"type":"position","cluster":""}',
        '{"type":"break","id":"b","targets":{"all":true},"fault":' + '{"a":' * 5000 + "1" + "}" * 5001,
        '{"type":"break","id":"b","targets":{"all":true},"fault":{"name":99999999999999999999999999}}',
        '{"type":"heal","incident":99999999999999999999999999}',
    ],
)
async def test_what_is_not_understood_is_said_in_words(room, ada, text):
    board = await console(room, ada)
    await board.say_raw(text)
    assert "was not understood" in (await board.hear("error"))["message"]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ('note: {kind: "\\uD800"}', "YAML: found invalid Unicode character escape code"),
        (
            "entry: {nth: -99999999999999999999}",
            "entry.nth: -1e+20 is no count; give a whole number from 1 to 100000",
        ),
        ("[" * 40 + "]" * 40, "YAML: it is nested too deeply"),
    ],
)
async def test_a_condition_in_yaml_has_bounds_too(room, ada, when, words):
    await learner(room)
    board = await console(room, ada)
    fault = {"name": "power-off", "target": "worker-1"}
    await board.say(type="break", id="b1", fault=fault, when=when, targets={"all": True})
    assert (await board.hear("error"))["message"] == words


async def test_a_message_that_is_too_long_is_refused(room, ada):
    board = await console(room, ada)
    await board.say_raw('{"type":"break","id":"b7","fault":{"name":"' + "x" * 40_000 + '"},"targets":{"all":true}}')
    assert await board.hear("error") == {"type": "error", "message": "This message is too long.", "id": "b7"}


async def test_one_who_talks_too_fast_is_told_and_then_closed(room, ada, no_time_passes):
    _, _, bea = await learner(room)
    for _ in range(REFUSALS_MAX + 30):
        await bea.say(type="follow", on=True)
    assert "too fast" in (await bea.hear("error"))["message"]
    assert await bea.closed() == 4429


async def test_one_member_has_so_many_pages_and_no_more(room, ada, monkeypatch):
    monkeypatch.setattr(hub, "PAGES_OF_ONE_MAX", 1)
    bea, _, _ = await learner(room)
    assert await (await Socket.of(room, bea)).closed() == 4429


async def test_a_room_nobody_has_open_is_forgotten_by_the_process(room, ada):
    _, _, bea = await learner(room)
    assert hub.current()._rooms
    await bea.close()
    await until(lambda: not hub.current()._rooms)
