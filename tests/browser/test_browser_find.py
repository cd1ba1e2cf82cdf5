"""One box finds anything: terms that are completed and said in words, what belongs together, where to stop."""

import re

import pytest
from browser_page import Glassplane
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture
def created(glassplane: Glassplane) -> Glassplane:
    """The page after a Deployment of three pods was made."""
    glassplane.open()
    glassplane.page.click("#first-command")
    expect(glassplane.page.locator(".screen-log")).to_contain_text("deployment.apps/web created")
    return glassplane


def test_the_binding_of_one_pod_is_found_by_keyboard_alone_and_followed(created: Glassplane) -> None:
    page = created.page
    page.keyboard.press("Control+k")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("resource:pods/bi")
    expect(page.get_by_role("option", name="resource:pods/binding")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("kind:http.request")
    expect(page.locator(".filter-said")).to_contain_text(
        "Only messages about the resource “pods/binding”, of kind “http.request”."
    )
    expect(page.locator(".search-count")).to_have_text("3 matches")
    page.keyboard.press("Enter")
    expect(page.locator("#diagram")).to_be_focused()
    created.press("k", "Enter")
    expect(page.locator(".drawer h2")).to_contain_text("kube-scheduler")
    created.press("5")
    expect(page.locator(".filter-said")).to_contain_text("the rest is folded")
    expect(page.locator("#diagram .row.fold").first).to_contain_text(re.compile(r"\d+ others?"))
    expect(page.locator("#diagram .row.selected")).to_be_visible()
    created.press("5")
    expect(page.locator(".filter-said")).to_have_count(0)
    assert created.complaints == []


def test_what_may_stand_there_grows_with_the_journal(glassplane: Glassplane) -> None:
    glassplane.open()
    page = glassplane.page
    page.keyboard.press("Control+k")
    page.keyboard.type("resource:pods/bi")
    expect(page.get_by_role("option")).to_have_count(1)
    page.evaluate("document.querySelector('#first-command').click()")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="resource:pods/binding")).to_be_visible()
    expect(page.get_by_role("option", name="Stop at this")).to_have_attribute("aria-selected", "true")
    assert glassplane.complaints == []


def test_words_in_any_order_exclusions_and_what_is_not_understood(created: Glassplane) -> None:
    page = created.page
    for line in ("worker-1 kubelet", "pods web", "status:201", "binding -etcd"):
        created.find(line)
        expect(created.rows, line).not_to_have_count(0)
    page.fill("#search", "connection:x lan:etcd")
    expect(page.locator(".filter-said")).to_contain_text("connection: takes a number")
    expect(page.locator(".filter-said")).to_contain_text("There is no lan: here.")
    page.fill("#search", "#12")
    page.press("#search", "Enter")
    expect(page.locator(".drawer .seq")).to_have_text("#12")
    expect(page.locator("#search")).to_have_value("")
    assert created.complaints == []


def test_a_command_of_the_page_runs_from_the_box(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.keyboard.press("/")
    page.keyboard.type(">this help")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keys and signs")).to_be_visible()


def test_time_stands_still_at_a_breakpoint_and_a_line_leads_to_its_arrow(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.get_by_role("button", name="Breakpoints").click()
    page.get_by_role("button", name="resource:pods/binding verb:create").click()
    expect(page.locator("#breakpoints .breaks-list")).to_contain_text(
        "about the resource “pods/binding”, with verb “create”"
    )
    page.keyboard.press("Escape")
    page.click("#first-command")
    expect(page.locator(".filter-said")).to_contain_text("Stopped at #")
    expect(page.locator("#diagram .row.selected")).to_contain_text("binding")
    page.locator(".ran-start").first.click()
    expect(page.locator(".drawer h2")).to_contain_text("kubectl create deployment")
    page.get_by_role("button", name="its line in the terminal").click()
    expect(page.locator(".ran").first).to_be_focused()
    assert glassplane.complaints == []


def test_time_stands_still_at_the_very_message_whose_body_has_a_text(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.get_by_role("button", name="Breakpoints").click()
    page.locator("#breakpoints input[type=text]").fill("body:kind*Binding kind:http.request")
    page.keyboard.press("Enter")
    expect(page.locator("#breakpoints .breaks-list")).to_contain_text("Binding")
    page.keyboard.press("Escape")
    page.click("#first-command")
    expect(page.locator(".filter-said")).to_contain_text("Stopped at #")
    expect(page.locator("#diagram .row.selected")).to_contain_text("binding")
    later = page.evaluate(
        """async (said) => {
          const since = Number(/#(\\d+)/.exec(said)[1]) - 1;
          const url = document.getElementById("playground").dataset.entries;
          const answer = await fetch(`${url}?since=${since}&limit=500`);
          const [stopped, ...after] = (await answer.json()).entries.map(({ at, arrived }) => arrived ?? at);
          return after.filter((time) => time > stopped).length;
        }""",
        page.locator(".filter-said").inner_text(),
    )
    assert later == 0, "what came after it is of the same instant"
    assert glassplane.complaints == []


def test_a_command_is_stood_still_at_by_its_first_message(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.get_by_label("stop at its first message").check()
    page.click("#first-command")
    expect(page.locator(".filter-said")).to_contain_text("Standing still at the command's first message")
    expect(page.locator(".sentence")).to_contain_text("kubectl asks kube-apiserver")
    assert glassplane.complaints == []


def test_bookmarks_keep_their_notes_and_the_start_is_folded_on_the_timeline(created: Glassplane) -> None:
    page = created.page
    strip = page.locator(".strip input")
    created.type_command("kubectl rollout status deployment web")
    page.click("#run")
    created.wait_until_paused()
    rows = created.size
    start = page.get_by_role("button", name="start", exact=True)
    boot = int(re.sub(r"\D", "", start.get_attribute("title") or ""))
    folded = int(strip.get_attribute("max") or 0)
    assert 0 < folded - (rows - boot) <= 0.05 * folded
    start.click()
    expect(strip).to_have_attribute("max", str(rows))
    created.find("kind:http.request resource:pods/binding")
    created.press("k", "m", "Enter")
    page.get_by_label("A note to this message").fill("the first decision")
    page.get_by_label("A note to this message").press("Tab")
    page.reload()
    page.get_by_role("button", name="Bookmarks: 1").click()
    page.get_by_role("button", name="the first decision").click()
    expect(page.locator(".drawer h2")).to_contain_text("to bind Pod")
    expect(page.get_by_label("A note to this message")).to_have_value("the first decision")
    assert created.complaints == []


def test_steps_go_over_into_and_out_of_a_conversation_and_say_where_nothing_is_known(created: Glassplane) -> None:
    page = created.page
    created.find("from:workstation/kubectl verb:create resource:deployments")
    created.press("k", "d")
    expect(page.locator("#diagram .row.selected")).to_contain_text("Txn create deployments/default/web")
    created.press("u")
    expect(page.locator("#diagram .row.selected")).to_contain_text("201 Created")
    page.get_by_role("button", name="Steps", exact=True).click()
    page.get_by_role("button", name="Previous command").click()
    page.get_by_role("button", name="Over").click()
    page.keyboard.press("Escape")
    expect(page.locator("#diagram .row.selected")).to_contain_text("exit code 0")
    created.press("d")
    expect(page.locator(".toasts")).to_contain_text("Nothing is known to have been done because of this.")
    assert created.complaints == []


def test_bodies_are_searched_with_other_terms_and_at_the_live_end(created: Glassplane) -> None:
    page = created.page
    page.fill("#search", "body:nodeName from:control-plane/kube-scheduler")
    expect(page.locator(".filter-said")).to_contain_text("Bodies were searched too.")
    expect(page.locator(".search-count")).to_have_text("0 matches")
    page.fill("#search", "body:kind*Binding kind:http.request")
    expect(page.locator(".search-count")).to_have_text("3 matches")
    page.fill("#search", "body:nginx:1.99")
    expect(page.locator(".filter-said")).to_contain_text("Bodies were searched too.")
    expect(page.locator(".search-count")).to_have_text("0 matches")
    page.fill("#command", "kubectl set image deployment web nginx=nginx:1.99")
    page.press("#command", "Enter")
    expect(page.locator(".search-count")).not_to_have_text("0 matches")
    assert created.complaints == []


def test_time_stops_when_a_pod_is_ready_and_the_board_goes_back_through_the_rollout(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.get_by_role("button", name="Breakpoints").click()
    page.get_by_role("button", name="state:pod/*=Ready").click()
    expect(page.locator("#breakpoints .breaks-list")).to_contain_text("with which pod * came into the state Ready")
    page.keyboard.press("Escape")
    page.click("#first-command")
    expect(page.locator(".filter-said")).to_contain_text("Stopped at #")
    expect(page.locator("#run")).to_have_attribute("aria-label", "Run")
    expect(page.locator("#diagram .row.selected")).to_contain_text("revision")
    page.locator(".transport").get_by_role("button", name="State").click()
    page.click("#state-tab-board")
    expect(page.locator(".state")).to_contain_text("1/1")
    page.focus("#diagram")
    glassplane.press("ArrowLeft")
    expect(page.locator(".state")).to_contain_text("Ready 1/1 → 0/1")
    for _ in range(10):
        glassplane.press("ArrowLeft")
    expect(page.locator(".state")).to_contain_text("0/1")
    assert glassplane.complaints == []


def test_lanes_are_arranged_by_keys_and_dragging_and_stay_so(created: Glassplane) -> None:
    page = created.page
    created.press(" ")
    created.wait_until_paused()
    names = page.locator(".lane-name")
    before = names.all_inner_texts()
    page.get_by_role("button", name="Arrange lanes").press("Enter")
    page.get_by_role("button", name="Pin worker-1/kubelet: it stands first").press("Enter")
    expect(names.first).to_have_text("kubelet")
    page.get_by_role("button", name="Draw worker-2 as one lane").click()
    expect(names).to_have_count(len(before) - 2)
    expect(names.last).to_have_text("worker-2")
    page.keyboard.press("Escape")
    page.locator(".lane-name", has_text="kube-scheduler").drag_to(page.locator(".lane-name", has_text="etcd"))
    page.wait_for_function(ONE_BEFORE_THE_OTHER, arg=["kube-scheduler", "etcd"])
    arranged = names.all_inner_texts()
    page.reload()
    expect(names.first).to_have_text("kubelet")
    expect(names).to_have_text(arranged, use_inner_text=True)
    page.get_by_role("button", name="Arrange lanes").click()
    page.get_by_role("button", name="As they come").click()
    expect(names).to_have_text(before, use_inner_text=True)
    assert created.complaints == []


def test_a_pinned_lane_stays_at_the_edge_while_the_others_pass_behind_it(created: Glassplane) -> None:
    page = created.page
    created.press(" ")
    created.wait_until_paused()
    page.get_by_role("button", name="Arrange lanes").press("Enter")
    page.get_by_role("button", name="Pin control-plane/etcd: it stands first").press("Enter")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 640, "height": 800})
    created.find("etcd resource:pods")
    stood = page.evaluate(HELD)
    page.locator(".scroller").evaluate("(scroller) => { scroller.scrollLeft = 10000 }")
    page.locator(".label:text('‹ ')").first.wait_for()
    created.drawn()
    now = page.evaluate(HELD)
    assert now["name"] == stood["name"]
    assert now["tails"], "arrows of the lane are in view"
    lane = now["name"]["left"] + now["name"]["width"] / 2
    assert all(abs(tail - lane) < 8 for tail in now["tails"])
    assert all(name == "etcd" for name in now["over"]), "no other name lies upon it"
    assert "‹" not in (
        created.rows.filter(has=page.locator(".label:text('‹ ')")).first.get_attribute("aria-label") or ""
    )
    assert created.complaints == []


ONE_BEFORE_THE_OTHER = """([one, other]) => {
  const names = [...document.querySelectorAll(".lane-name")].map((name) => name.innerText);
  return names.includes(one) && names.indexOf(one) + 1 === names.indexOf(other);
}"""
HELD = """() => {
  const box = (one) => one.getBoundingClientRect();
  const { left, width, top } = box(document.querySelector(".held-heads .lane-name"));
  const tails = [...document.querySelectorAll("#diagram .row.result .tail")].map(box);
  const over = [0.2, 0.5, 0.8].map((part) => document.elementFromPoint(left + width * part, top + 12));
  return {
    name: { left, width },
    tails: tails.map(({ left, width }) => left + width / 2),
    over: over.map((one) => one?.closest(".lane-name")?.innerText),
  };
}"""
