"""Who may do what, cell by cell: roles times actions, through the pages, the socket and the gateway's papers."""

from dataclasses import dataclass

import pytest
import pytest_asyncio
from rooms_people import JSON, Browser, Socket, instructor
from web_until import until

from visualizer import access, handshakes
from visualizer.access import MAY, Action, Role
from visualizer.consumers import NO_SUCH_CLUSTER
from visualizer.database import in_database
from visualizer.models import Cluster
from visualizer.reasons import NOT_YOURS
from visualizer.rooms import clusters, services
from visualizer.rooms.models import Member, Room

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

FELLOW = "fellow member"  # another learner of the same room
STRANGER = "stranger"  # an instructor and a learner of other rooms, in one browser
ANONYMOUS = "anonymous"  # no cookie at all
TABLE = {  # see take type drive break learn gateway replace branch share
    Role.OWNER: "1111111111",
    Role.HELD: "1110101001",
    Role.INSTRUCTOR: "1111110100",
    Role.MEMBER: "1100000000",
    Role.READER: "1000000000",  # who comes by a link has addresses of their own: tests/web/test_web_sharing.py
    Role.TAKER: "1100000000",
    FELLOW: "0000000000",
    STRANGER: "0000000000",
    ANONYMOUS: "0000000000",
}
CELLS = [
    pytest.param(role, action, row[number] == "1", id=f"{role}-{action}")
    for role, row in TABLE.items()
    if role not in access.READERS
    for number, action in enumerate(Action)
]


@dataclass
class Class:
    """A room with an instructor, a learner and another learner, and two clusters that run."""

    room: Room
    ada: Browser
    bea: Browser
    cleo: Browser
    eve: Browser
    learners: str
    instructors: str

    def who(self, role: str) -> tuple[Browser, str]:
        """Somebody of a role, and the cluster to which they have it."""
        match role:
            case Role.OWNER | Role.HELD:
                return self.bea, self.learners
            case Role.INSTRUCTOR:
                return self.ada, self.learners
            case Role.MEMBER:
                return self.bea, self.instructors
            case "fellow member":
                return self.cleo, self.learners
            case "stranger":
                return self.eve, self.learners
            case _:
                return Browser(), self.learners


@pytest_asyncio.fixture
async def school(host) -> Class:
    ada, bea, cleo = await instructor(), Browser(), Browser()
    room = await ada.open_room()
    await bea.join(room, "Bea")
    learners = (await bea.get(f"/rooms/{room.pk}/")).context["cluster_id"]
    await cleo.join(room, "Cleo")
    instructors = (await ada.get(f"/rooms/{room.pk}/watch/")).context["cluster_id"]
    for cluster in (learners, instructors):
        await until(lambda cluster=cluster: _runs(cluster))
    eve = await instructor("eve")
    await eve.open_room()
    await eve.join(await (await instructor("finn")).open_room(), "Eve")
    return Class(await in_database(Room.objects.get)(pk=room.pk), ada, bea, cleo, eve, learners, instructors)


async def _runs(cluster: str) -> bool:
    row = await in_database(Cluster.objects.get)(pk=cluster)
    return row.state == Cluster.State.RUNNING and row.recorded >= 3


async def test_the_table_is_the_one_the_code_obeys():
    assert {role: "".join(str(int(action in MAY[role])) for action in Action) for role in Role} == {
        role: row for role, row in TABLE.items() if isinstance(role, Role)
    }


@pytest.mark.parametrize(("role", "action", "may"), CELLS)
async def test_each_cell_of_the_table(school, role, action, may):
    if role == Role.HELD:
        await in_database(services.set_paused)(school.room.pk, True)
    browser, cluster = school.who(role)
    assert await TRY[action](browser, cluster, action) is may


async def _see(browser: Browser, cluster: str, action: Action) -> bool:
    paths = ["", "entries/", "entries/1/"]
    answers = [(await browser.get(f"/clusters/{cluster}/{path}")).status_code for path in paths]
    socket = await Socket.at(f"/ws/clusters/{cluster}/", browser)
    if answers == [404, 404, 404]:
        assert await socket.closed() == NO_SUCH_CLUSTER
        return False
    assert answers == [200, 200, 200] and await socket.hear("hello")
    return True


async def _ask(browser: Browser, path: str, cluster: str, form: dict[str, str] | None = None) -> bool:
    where = f"/clusters/{cluster}/{path}"
    answer = await (browser.get(where, headers=JSON) if form is None else browser.post(where, form, headers=JSON))
    if answer.status_code in {403, 404}:
        seen = (await browser.get(f"/clusters/{cluster}/")).status_code == 200
        assert answer.status_code == (403 if seen else 404), "an id tells a stranger nothing"
        return False
    assert answer.status_code < 300, answer.content
    return True


async def _gateway(browser: Browser, cluster: str, action: Action) -> bool:
    return await _ask(browser, "kubeconfig", cluster)


async def _replace(browser: Browser, cluster: str, action: Action) -> bool:
    undone = await browser.post(f"/clusters/{cluster}/undo/", headers=JSON)
    may = await _ask(browser, "reset/", cluster, {})
    assert (undone.status_code in {403, 404}) is not may  # there is nothing to undo, which is another answer
    return may


async def _take(browser: Browser, cluster: str, action: Action) -> bool:
    return await _ask(browser, "export/jsonl", cluster)


async def _share(browser: Browser, cluster: str, action: Action) -> bool:
    return await _ask(browser, "shares/", cluster, {})


async def _branch(browser: Browser, cluster: str, action: Action) -> bool:
    may = {
        await _ask(browser, "branches/", cluster, {"at": "2"}),
        await _ask(browser, "name/", cluster, {"name": "mine"}),
    }
    assert len(may) == 1
    return may.pop()


SAYINGS = {
    Action.TYPE: [{"type": "command", "id": "k1", "line": "echo hello"}, {"type": "interrupt", "id": "k1"}],
    Action.DRIVE: [{"type": "pace", "pace": 2}, {"type": "pause"}, {"type": "step"}, {"type": "resume"}],
    Action.BREAK: [
        {"type": "inject", "id": "i1", "fault": {"name": "power-off", "target": "worker-1"}},
        {"type": "heal", "id": "h1"},
    ],
    Action.LEARN: [
        {"type": "advance", "beat": "x"},
        {"type": "answer", "question": "q", "answer": 1},
        {"type": "hint"},
    ],
}


async def _say(browser: Browser, cluster: str, action: Action) -> bool:
    socket = await Socket.at(f"/ws/clusters/{cluster}/", browser)
    first = await socket.hear()
    if first["type"] == "websocket.close" or first["type"] != "hello":
        return False
    may = set()
    for message in SAYINGS[action]:
        await socket.say(**message)
        await socket.say(type="inject", id="last", fault={"name": "nonsense", "target": ""})
        may.add(await _was_let_through(socket, action))
    assert len(may) == 1
    assert (action.value in first["cluster"]["may"]) in may
    return may.pop()


async def _was_let_through(socket: Socket, action: Action) -> bool:
    """Whether nobody said that it is not theirs, before the answer to a question that is answered in any case."""
    refused = False
    while True:
        frame = await socket.hear("error")
        if frame.get("id") == "last":
            return not refused
        refused |= frame["message"] == NOT_YOURS[action]


async def _stranger_or(browser: Browser, cluster: str, action: Action) -> bool:
    socket = await Socket.at(f"/ws/clusters/{cluster}/", browser)
    if (await browser.get(f"/clusters/{cluster}/")).status_code == 404:
        assert await socket.closed() == NO_SUCH_CLUSTER
        return False
    await socket.close()
    return await _say(browser, cluster, action)


TRY = {
    Action.SEE: _see,
    Action.TYPE: _stranger_or,
    Action.DRIVE: _stranger_or,
    Action.BREAK: _stranger_or,
    Action.LEARN: _stranger_or,
    Action.GATEWAY: _gateway,
    Action.REPLACE: _replace,
    Action.BRANCH: _branch,
    Action.TAKE: _take,
    Action.SHARE: _share,
}


# What changes a role --------------------------------------------------------------------------------------------------


async def test_an_instructor_of_another_room_is_a_stranger(school):
    for cluster in (school.learners, school.instructors):
        assert (await school.eve.get(f"/clusters/{cluster}/")).status_code == 404


async def test_who_has_left_sees_the_instructors_cluster_no_more(school):
    assert (await school.bea.get(f"/clusters/{school.instructors}/")).status_code == 200
    await school.bea.post(f"/rooms/{school.room.pk}/leave/")
    assert (await school.bea.get(f"/clusters/{school.instructors}/")).status_code == 404


@pytest.mark.parametrize("way", ["forgotten", "left"])
async def test_whoever_is_no_member_any_more_is_told_no_more_of_the_instructors_cluster(school, way):
    member = await in_database(Member.objects.get)(name="Bea")
    theirs, cleos = [await Socket.at(f"/ws/clusters/{school.instructors}/", one) for one in (school.bea, school.cleo)]
    for page in (theirs, cleos):
        await page.say(type="watch", since=0)
        await page.hear("entries")
    if way == "forgotten":
        await school.ada.post(f"/rooms/{school.room.pk}/members/{member.pk}/forget/")
    else:
        await school.bea.post(f"/rooms/{school.room.pk}/leave/")
    assert await theirs.closed() == NO_SUCH_CLUSTER
    console = await Socket.at(f"/ws/clusters/{school.instructors}/", school.ada)
    await console.say(type="command", id="k1", line="echo hello")
    assert (await cleos.hear("entries"))["entries"][-1]["label"] == "hello"


async def test_a_learners_page_knows_that_time_is_not_theirs_as_long_as_the_room_is_paused(school):
    page = await Socket.at(f"/ws/clusters/{school.learners}/", school.bea)
    assert "drive" in (await page.hear("hello"))["cluster"]["may"]
    board = await Socket.of(school.room, school.ada)
    await board.say(type="pause", on=True)
    assert "drive" not in (await page.hear("cluster"))["cluster"]["may"]
    await board.say(type="pause", on=False)
    assert "drive" in (await page.hear("cluster"))["cluster"]["may"]


async def test_who_goes_along_to_a_successor_has_the_same_role_there(school):
    url = (await school.bea.post(f"/clusters/{school.learners}/reset/", headers=JSON)).json()["url"]
    assert (await school.ada.get(url)).status_code == 200
    assert (await school.cleo.get(url)).status_code == 404
    url = (await school.ada.post(f"/clusters/{school.instructors}/reset/", headers=JSON)).json()["url"]
    assert (await school.bea.get(url)).status_code == 200


async def test_what_an_instructor_resets_stays_the_learners(school):
    url = (await school.ada.post(f"/clusters/{school.learners}/reset/", headers=JSON)).json()["url"]
    assert (await school.bea.get(f"{url}kubeconfig", headers=JSON)).status_code in {200, 410, 503}  # it may still start
    await until(lambda: _belongs(school, url))


async def _belongs(school: Class, url: str) -> bool:
    member = await in_database(Member.objects.get)(name="Bea")
    return url == f"/clusters/{member.cluster_id}/"


async def test_a_room_that_goes_on_lets_its_learners_drive_again(school, host):
    page = await Socket.at(f"/ws/clusters/{school.learners}/", school.bea)
    await page.hear("hello")
    for on in (True, False):
        await in_database(services.set_paused)(school.room.pk, on)
        await clusters.reconsider(host, [school.learners])
        await page.hear("cluster")
        if on:
            await page.say(type="pace", pace=5)
            assert (await page.hear("error"))["message"] == NOT_YOURS[Action.DRIVE]
    await page.say(type="pace", pace=5)
    assert (await page.hear("clock", pace=5.0))["pace"] == 5


async def test_an_instructor_who_signs_out_is_out_of_the_learners_clusters_at_once(school):
    theirs, beas = [await Socket.at(f"/ws/clusters/{school.learners}/", one) for one in (school.ada, school.bea)]
    for page in (theirs, beas):
        await page.hear("hello")
    await school.ada.post("/account/sign-out/")
    assert await theirs.closed() == NO_SUCH_CLUSTER
    await beas.say(type="pace", pace=5)
    assert (await beas.hear("clock", pace=5.0))["pace"] == 5


async def test_whose_pages_hear_of_somebodys_signing_out_are_those_they_may_see(school):
    for browser in (school.ada, school.bea, school.cleo, school.eve, Browser()):
        seen, found = await in_database(_seen_and_found)(browser)
        assert sorted(seen) == sorted(found)


def _seen_and_found(browser: Browser) -> tuple[list[str], list[str]]:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    owner = handshakes.read({"headers": [(b"cookie", cookies.encode())]}).owner
    running = Cluster.objects.filter(state=Cluster.State.RUNNING).values_list("pk", flat=True)
    return access.seen_by(owner), [one for one in running if access.find(owner, one) is not None]
