"""The playground by keyboard, in German, on a phone."""

import re

import pytest
from browser_lesson import Learner
from browser_page import Glassplane
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

WIDTHS = range(320, 1921, 40)
CROWDED = """() => {
  const all = [...document.querySelectorAll(
    ".bar :is(a, button, input, .health), .transport :is(button, input, time), .terminal-head > :is(button, label)"
  )];
  const marks = all.filter((one) => one.checkVisibility());
  const boxes = marks.map((one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const called = (one) => one.textContent || one.title || one.id;
  return marks.flatMap((one, i) => [
    ...(boxes[i].left < 0 || boxes[i].right > innerWidth + 1 ? [`${called(one)} sticks out`] : []),
    ...marks.slice(0, i).filter((_, j) => meet(boxes[i], boxes[j])).map((other) => `${called(other)} | ${called(one)}`),
  ]);
}"""
"""What of the three bars lies over something else of them, or outside the window."""


def test_everything_can_be_done_by_keyboard_alone(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    size = glassplane.size
    glassplane.press("Home")
    expect(glassplane.rows.last).to_have_attribute("aria-setsize", "1")
    glassplane.press("ArrowRight", "j", "k", "Enter")
    expect(page.locator(".drawer")).to_be_visible()
    glassplane.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    glassplane.press("End")
    expect(glassplane.rows.last).to_have_attribute("aria-setsize", str(size))
    for key, layer in (("2", "HTTP"), ("3", "TLS"), ("4", "TCP"), ("1", "Story")):
        glassplane.press(key)
        expect(page.get_by_role("radio", name=layer)).to_be_checked()
    glassplane.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("lease")
    expect(page.locator(".search-count")).to_be_visible()
    glassplane.press("Escape")
    expect(page.locator("#diagram")).to_be_focused()
    glassplane.press("t")
    expect(page.locator("#command")).to_be_focused()
    page.keyboard.type("space and w and ? are letters here")
    expect(page.locator("#command")).to_have_value("space and w and ? are letters here")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".live-badge")).to_have_text("Paused")


def test_the_page_speaks_german_to_a_german_browser_and_can_be_switched(chromium: Browser, server: str) -> None:
    glassplane = Glassplane(chromium, server, locale="de-DE")
    try:
        page = glassplane.open().page
        expect(page.locator(".coach h2")).to_have_text("Diese Control Plane ist aus Glas.")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        glassplane.find("leases")
        glassplane.open_last()
        expect(page.locator(".drawer h2")).to_contain_text("kube-apiserver")
        page.click(".language")
        expect(page.locator(".coach h2, #tab-what").first).to_be_visible()
        expect(page.locator("#tab-what")).to_have_text("What")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "en")
    finally:
        glassplane.close()


def test_a_phone_shows_the_diagram_and_nothing_hangs_over_the_edge(chromium: Browser, server: str) -> None:
    glassplane = Glassplane(chromium, server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        page = glassplane.open().page
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        for locator in ("#run", "#search", "#command", ".coach .primary", ".strip"):
            box = page.locator(locator).bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 391, locator
        page.locator(".coach .close").tap()
        glassplane.rows.last.tap()
        expect(page.locator(".drawer h2")).to_be_visible()
        assert glassplane.complaints == []
    finally:
        glassplane.close()


def test_an_answer_and_its_line_in_the_audit_log_lead_to_each_other(glassplane: Glassplane) -> None:
    page = glassplane.open("?audit=on").page
    page.click("#first-command:enabled")
    page.fill("#search", "ResponseComplete create deployments/web")
    glassplane.row("ResponseComplete create deployments/web").click()
    line = page.locator(".audit pre")
    expect(line).to_contain_text('"username": "kubernetes-admin"')
    assert line.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.locator(".audit .links").get_by_text("201 Created").click()
    expect(page.locator(".drawer h2")).to_contain_text("answers kubectl")
    page.locator(".audit .links").get_by_text("ResponseComplete").click()
    expect(line).to_be_visible()


def test_only_the_rows_in_view_are_in_the_document(glassplane: Glassplane) -> None:
    glassplane.open()
    glassplane.press("4", "h")
    expect(glassplane.rows.last).to_have_attribute("aria-setsize", re.compile(r"^[3-9]\d\d$|^\d{4,}$"))
    assert glassplane.size > 300
    assert glassplane.rows.count() < 80


def test_heartbeats_that_are_unfolded_leave_the_one_that_was_opened_in_view(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.locator("#diagram .row.fold", has_text=re.compile(r"[3-9]\d heartbeats")).wait_for()
    page.locator(".coach .close").click()
    page.locator("#run").click()
    glassplane.wait_until_paused()
    page.locator("#diagram .row.fold", has_text="heartbeats").last.click()
    expect(page.locator(".drawer .seq").first).to_be_visible()
    expect(page.locator("#diagram .row.selected:not(.fold)")).to_be_in_viewport()


def test_a_cluster_that_is_not_there_is_said_plainly(glassplane: Glassplane) -> None:
    glassplane.open()
    answer = glassplane.page.goto("/clusters/nowhere/")
    assert answer is not None and answer.status == 404
    expect(glassplane.page.locator("h1")).to_contain_text("There is nothing here")
    glassplane.complaints.clear()  # the browser itself reports the 404


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
def test_nothing_in_a_bar_lies_over_anything_else_however_wide_the_window(
    chromium: Browser, server: str, locale: str
) -> None:
    learner = Learner(chromium, server, locale=locale)
    try:
        page = learner.begin("walkthroughs/looking-from-outside").page
        expect(page.locator(".search-count")).to_be_visible()  # its first beat shows some lanes only
        for found in ("", "e"):
            if found:
                learner.find(found)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                learner.drawn()
                assert page.evaluate(CROWDED) == [], width
            page.set_viewport_size({"width": 1280, "height": 800})
    finally:
        learner.close()


def test_a_link_to_a_message_keeps_its_place_while_the_cluster_runs_on(chromium: Browser, server: str) -> None:
    glassplane = Glassplane(chromium, server, viewport={"width": 1920, "height": 1080})
    page = glassplane.open().page
    cluster = page.locator("#playground").get_attribute("data-cluster")
    page.goto(f"/clusters/{cluster}/#e700")
    expect(page.locator(".drawer .seq").first).to_have_text("#700")
    glassplane.type_command("kubectl create deployment web --image=nginx --replicas=3")
    page.goto(f"/clusters/{cluster}/?again#e700")
    expect(page.locator(".drawer .seq").first).to_have_text("#700")
    expect(page.locator("#row-700")).to_be_visible()
    expect(page.locator(".live-badge")).to_have_text("In the past")
    head = glassplane.head
    page.evaluate(
        """async (head) => {
          const url = document.getElementById("playground").dataset.entries + "?limit=1";
          while ((await (await fetch(url)).json()).head < head + 30) await new Promise(requestAnimationFrame);
        }""",
        head,
    )
    expect(page.locator("#row-700")).to_be_visible()
    expect(page.locator(".live-badge")).to_have_text("In the past")
    glassplane.close()
    assert glassplane.complaints == []
