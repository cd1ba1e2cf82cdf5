"""Who may do what in a room, cell by cell: its pages, its forms and its socket. Of clusters: test_rooms_access.py."""

from dataclasses import dataclass

import pytest
import pytest_asyncio
from rooms_people import Browser, Socket, instructor

from visualizer.database import in_database
from visualizer.rooms import protocol
from visualizer.rooms.live_room import NO_SUCH_ROOM
from visualizer.rooms.models import Member, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

ROLES = ["instructor", "member", "stranger", "anonymous"]  # a stranger has an account, a room and is in another
PAGES = {  # what each role is answered, in this order
    "": [302, 200, 404, 404],
    "watch/": [200, 200, 404, 404],
    "console/": [200, 403, 404, 404],
    "results.csv": [200, 403, 404, 404],
}
FORMS = {
    "close/": [303, 403, 404, 404],
    "delete/": [303, 403, 404, 404],
    "leave/": [403, 303, 404, 404],
    "members/{member}/forget/": [303, 403, 404, 404],
}
OFF = {"name": "power-off", "target": "worker-1"}
MAY_SAY = {  # instructor, member
    "follow": ({"on": False}, "01"),
    "help": ({"on": True}, "01"),
    "notice": ({}, "01"),
    "diagnose": ({"fault": "power-off", "target": "worker-1"}, "01"),
    "help down": ({"on": False, "member": 1}, "11"),  # a member's number is passed over: it is their own hand
    "lead": ({"on": True}, "10"),
    "position": ({"cluster": "x"}, "10"),
    "break": ({"id": "b1", "fault": OFF, "targets": {"all": True}}, "10"),
    "heal": ({}, "10"),
    "heal one": ({"targets": {"member": 1}}, "10"),
    "pause": ({"on": True}, "10"),
}


@dataclass
class School:
    room: Room
    member: Member
    people: dict[str, Browser]


@pytest_asyncio.fixture
async def school(host) -> School:
    ada, bea, eve = await instructor(), Browser(), await instructor("eve")
    room = await ada.open_room()
    member = await bea.join(room, "Bea")
    await eve.open_room()
    await eve.join(await (await instructor("finn")).open_room(), "Eve")
    people = {"instructor": ada, "member": bea, "stranger": eve, "anonymous": Browser()}
    return School(room, member, people)


@pytest.mark.parametrize("role", ROLES)
async def test_each_page_is_for_whom_it_is(school, role):
    address = f"/rooms/{school.room.pk}/"
    answered = {path: (await school.people[role].get(address + path)).status_code for path in PAGES}
    assert answered == {path: row[ROLES.index(role)] for path, row in PAGES.items()}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", FORMS)
async def test_each_form_is_for_whom_it_is(school, form, role):
    path, status = form.format(member=school.member.pk), FORMS[form][ROLES.index(role)]
    assert (await school.people[role].post(f"/rooms/{school.room.pk}/{path}")).status_code == status
    there = await in_database(lambda: (Room.objects.filter(state="open", pk=school.room.pk).count(), _learners()))()
    assert (there == (1, {"Bea", "Eve"})) is (status != 303), "what was refused was not done"


def _learners() -> set[str]:
    return set(Member.objects.values_list("name", flat=True))


@pytest.mark.parametrize("role", ROLES)
async def test_the_socket_is_for_who_is_in_the_room(school, role):
    socket = await Socket.of(school.room, school.people[role])
    if role in {"instructor", "member"}:
        assert (await socket.hear("room"))["me"]["role"] == role
    else:
        assert await socket.closed() == NO_SUCH_ROOM


@pytest.mark.parametrize("role", ["instructor", "member"])
async def test_each_word_is_for_whom_it_is(school, role):
    may = {}
    for kind, (fields, _) in MAY_SAY.items():
        socket = await Socket.of(school.room, school.people[role])  # afresh: a member may not say so much at once
        await socket.say(type=kind.split()[0], **fields)
        await socket.say_raw("nonsense")  # is answered in any case, after what was said before
        may[kind] = True
        while "not understood" not in (frame := await socket.hear("error"))["message"]:
            may[kind] &= frame["message"] != "You may not do this."
        await socket.close()
    assert may == {kind: row[ROLES.index(role)] == "1" for kind, (_, row) in MAY_SAY.items()}


async def test_no_word_is_left_out():
    assert {kind.split()[0] for kind in MAY_SAY} == {one.__struct_config__.tag for one in protocol.Said.__args__}


async def test_a_member_cannot_put_down_anothers_hand(school):
    cleo = Browser()
    other = await cleo.join(school.room, "Cleo")
    hand = await Socket.of(school.room, cleo)
    await hand.say(type="help", on=True)
    await hand.hear_room(lambda frame: frame["me"]["help"])
    bea = await Socket.of(school.room, school.people["member"])
    await bea.say(type="help", on=False, member=other.pk)
    await bea.say_raw("nonsense")
    await bea.hear("error")
    assert (await in_database(Member.objects.get)(pk=other.pk)).help_at is not None
