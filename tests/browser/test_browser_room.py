"""A class in real browsers: an instructor, learners with a code, and a server that dies in the middle of it."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_page import DRAWN, head_passes
from browser_room import Instructor, Learner, Person
from browser_server import Server
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

OFF = ("power-off", "worker-2")

# The id of a row that can be seen whole, and its middle in pixels of the window.
ROW_IN_SIGHT = """() => {
  const { top, bottom, left, right } = document.getElementById("diagram").parentElement.getBoundingClientRect();
  const rows = [...document.querySelectorAll("#diagram .row")];
  const boxes = rows.map((row) => [row.id, row.querySelector(".row-back").getBoundingClientRect()]);
  const middle = ([, row]) => row.top > top + (bottom - top) / 4 && row.bottom < bottom - (bottom - top) / 4;
  const seen = boxes.filter(middle);
  const [id, row] = seen[Math.floor(seen.length / 2)];
  return [id, left + (right - left) / 4, row.top + row.height / 2];
}"""


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server of this test's own."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def people(chromium: Browser) -> Iterator[Callable[..., Any]]:
    """Somebody more; whatever a browser complains about fails the test."""
    made: list[Person] = []

    def somebody(kind: type[Person], server: str, **options: Any) -> Person:
        made.append(kind(chromium, server, **options))
        return made[-1]

    yield somebody
    for one in made:
        one.close()
    assert [one.complaints for one in made if one.complaints] == []


def test_a_class_is_led_broken_and_lives_on_when_its_server_dies(mortal: Server, people: Callable[..., Any]) -> None:
    ada = people(Instructor, mortal.address)
    ada.sign_up()
    code = ada.open_room("Tuesday")
    bea, cleo, dan = (people(Learner, mortal.address) for _ in range(3))
    for learner, name, group in ((bea, "Bea", "A"), (cleo, "Cleo", "A"), (dan, "Dan", "B")):
        learner.join(code, name, group)
    for learner in (bea, cleo, dan):
        learner.runs()
    assert len({bea.cluster, cleo.cluster, dan.cluster}) == 3
    expect(ada.console.locator(".room-board tbody tr")).to_have_count(3)

    # All follow; one goes their own way and comes back with one key, another stays away.
    own = {learner: learner.cluster for learner in (bea, cleo, dan)}
    ada.lead()
    ada.page.keyboard.press("3")
    for learner in (bea, cleo, dan):
        expect(learner.follows).to_be_visible()
        expect(learner.page.get_by_role("radio", name="TLS")).to_be_checked()
        learner.is_at(ada.cluster)
    assert "worker-1" in ada.type("kubectl get nodes")
    ada.page.locator("#diagram").focus()
    for learner in (bea, cleo, dan):
        expect(learner.page.locator(".ran").last).to_contain_text("worker-1")
    for learner in (dan, cleo):
        learner.page.keyboard.press("f")
        expect(learner.page.get_by_text("The instructor shows something")).to_be_visible()
        learner.runs()
        learner.is_at(own[learner])
    dan.page.keyboard.press("f")
    expect(dan.follows).to_be_visible()

    # Something breaks everywhere; one finds out what.
    ada.break_for_all(*OFF)
    for name in ("Bea", "Cleo", "Dan"):
        expect(ada.row(name).locator(".room-step")).to_contain_text("applied")
    expect(cleo.notice()).to_contain_text("Well noticed")
    read_beside_the_question(cleo)
    expect(ada.row("Cleo").locator(".room-step")).to_contain_text("noticed after")
    expect(cleo.diagnose("kill", "worker-2/kubelet")).to_contain_text("No, it is something else. 1 try so far.")
    expect(cleo.diagnose(*OFF)).to_contain_text("Right, after 2 tries.")
    cleo.page.keyboard.press("Escape")
    expect(cleo.page.locator(".docked")).to_have_count(0)
    expect(cleo.page.locator(".room-notice")).to_be_focused()
    found = ada.row("Cleo").locator(".room-report")
    expect(found).to_contain_text(re.compile(r"diagnosed after \d.*noticed after \d.*2 tries"))
    before = found.inner_text()
    cleo.type("kubectl create deployment web --image=nginx")

    # The server is killed; nobody does anything, and everybody is where they were.
    heads = {one: one.head for one in (ada, bea, cleo)}
    clusters = {one: one.cluster for one in (ada, bea, cleo, dan)}
    mortal.kill()
    for one in (ada, bea, cleo, dan):
        expect(one.page.locator(".banner.lost")).to_be_visible()
    mortal.start()
    for one in (ada, bea, cleo, dan):
        expect(one.page.locator(".banner.lost")).to_be_hidden()
        expect(one.page.locator(".health.running")).to_be_visible()
        one.is_at(clusters[one])
    for one, head in heads.items():
        head_passes(one.page, head)
    assert "web" in cleo.type("kubectl get deployments")
    expect(ada.console.get_by_text("3 of 3 here")).to_be_visible()
    expect(found).to_have_text(before, use_inner_text=True)
    expect(bea.follows).to_be_visible()
    ada.page.keyboard.press("2")
    for learner in (bea, dan):
        expect(learner.page.get_by_role("radio", name="HTTP")).to_be_checked()

    # Who comes late is taken along at once.
    eva = people(Learner, mortal.address).join(code, "Eva", "B")
    expect(eva.follows).to_be_visible()
    expect(eva.page.get_by_role("radio", name="HTTP")).to_be_checked()
    eva.is_at(ada.cluster)
    expect(ada.row("Eva")).to_be_visible()

    # Time stands still for all and goes on; one is healed, then everybody.
    ada.console.get_by_role("switch", name="Pause all").click()
    expect(cleo.page.get_by_text("Paused by the instructor")).to_be_visible()
    expect(cleo.page.locator(".live-badge")).to_have_text("Paused")
    expect(cleo.page.locator("#run")).to_be_disabled()
    ada.console.get_by_role("switch", name="Pause all").click()
    expect(cleo.page.locator(".live-badge")).not_to_have_text("Paused")
    ada.row("Cleo").get_by_role("button", name="Heal everything that is broken for Cleo").click()
    expect(ada.row("Cleo")).to_contain_text("healed")
    expect(ada.row("Bea")).not_to_contain_text("healed")
    ada.console.get_by_role("button", name="Heal all").click()
    expect(ada.row("Bea")).to_contain_text("healed")
    results = ada.context.request.get(ada.console.url.replace("console/", "results.csv"))
    rows = list(csv.DictReader(io.StringIO(results.body().decode("utf-8-sig"), newline="")))
    assert [row["Name"] for row in rows] == ["Bea", "Cleo", "Dan", "Eva"]
    assert rows[1]["1. Host without power (worker-2): tries"] == "2"


def test_a_storyline_runs_its_course_in_a_room_and_is_found_by_its_name_and_by_what_is_broken_in_the_end(
    server: str, people: Callable[..., Any]
) -> None:
    ada = people(Instructor, server)
    ada.sign_up()
    code = ada.open_room("A bad day")
    bea, cleo = (people(Learner, server).join(code, name) for name in ("Bea", "Cleo"))
    for learner in (bea, cleo):
        learner.runs()

    # What a learner has switched on can be aimed at, too.
    assert "worker-3 is powered on" in bea.type("machines add")
    dialog = ada.break_dialog("power-off")
    expect(dialog.get_by_label("Where")).to_contain_text("worker-3")
    ada.console.keyboard.press("Escape")

    # A disk is slow, and half a minute later the store is full; learners are told neither.
    ada.break_for_all("storyline", "etcd-fills-up")
    for name in ("Bea", "Cleo"):
        expect(ada.row(name).locator(".room-step")).to_contain_text("applied")
    line = "while kubectl create configmap n$(date +%s); do sleep 3; done"
    assert "etcdserver: mvcc: database space exceeded" in bea.type(line)
    for learner in (bea, cleo):
        expect(learner.notice()).to_contain_text("Well noticed")
    expect(bea.diagnose("etcd-slow-disk", "control-plane/etcd")).to_contain_text("No, it is something else.")
    assert "etcd fills up" in bea.places("storyline")
    expect(bea.diagnose("storyline", "etcd-fills-up")).to_contain_text("Right, after 2 tries.")
    expect(cleo.diagnose("etcd-no-space", "control-plane/etcd")).to_contain_text("Right")
    expect(ada.row("Bea").locator(".room-report")).to_contain_text(re.compile(r"diagnosed after \d.*2 tries"))

    # It is healed as one: what lasted, and what began later.
    ada.console.get_by_role("button", name="Heal all").click()
    for name in ("Bea", "Cleo"):
        expect(ada.row(name)).to_contain_text("healed")
    for learner in (bea, cleo):
        learner.page.keyboard.press("Escape")
        assert "configmap/again created" in learner.type("kubectl create configmap again")
    results = ada.context.request.get(ada.console.url.replace("console/", "results.csv"))
    rows = list(csv.DictReader(io.StringIO(results.body().decode("utf-8-sig"), newline="")))
    assert [row["1. A bad day (etcd-fills-up): tries"] for row in rows] == ["2", "1"]


def test_undo_and_reset_lead_back_into_the_room(server: str, people: Callable[..., Any]) -> None:
    ada = people(Instructor, server)
    ada.sign_up()
    code = ada.open_room("Exercise", "exercises/node-down")
    bea = people(Learner, server).join(code, "Bea")
    bea.runs()
    address = bea.page.url
    for way, name in (("undo", "Undo"), ("reset", "Start afresh")):
        cluster = bea.cluster
        bea.type("kubectl get nodes")
        bea.page.get_by_role("button", name=name).click()
        bea.page.wait_for_selector(f"#playground:not([data-cluster='{cluster}'])", state="attached")
        bea.runs()
        assert bea.page.url == address, way
        expect(bea.page.locator(".room-title")).to_contain_text("Exercise")
        assert bea.page.locator("h1").count() == 1


def read_beside_the_question(learner: Learner) -> None:
    """The evidence can be clicked, and read, while it is asked what is broken."""
    page = learner.page
    expect(page.locator(".docked")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("k")
    expect(page.locator(".to-live")).to_be_visible()  # it does not follow the live end any more, but stands still
    page.evaluate(DRAWN)
    row, *middle = page.evaluate(ROW_IN_SIGHT)
    page.mouse.move(*middle)
    page.mouse.down()
    page.keyboard.press("End")  # rows go by: opened is the one that was pressed
    expect(page.locator(".to-live")).to_have_count(0)
    page.evaluate(DRAWN)
    page.mouse.up()
    expect(page.locator(".drawer .seq").first).to_have_text(row.replace("row-", "#"))
    expect(page.locator(".diagnosis-form")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    expect(page.locator(".diagnosis-form")).to_be_visible()
