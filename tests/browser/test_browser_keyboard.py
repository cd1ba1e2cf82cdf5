"""The whole sandbox by the keyboard alone: every control is reached, and what is opened is left to where one was."""

from collections.abc import Iterator

import pytest
from browser_page import DRAWN, Glassplane
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

TABS_MAX = 200
# What the tab key has to come to: of radio buttons of one name one, of what is closed, hidden or inert nothing.
MARK_CONTROLS = """() => {
  const kinds = "a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]";
  const groups = new Set();
  let number = 0;
  for (const one of document.querySelectorAll(kinds)) {
    delete one.dataset.control;
    if (one.tabIndex < 0 || one.matches(":disabled") || one.closest("[inert]") || !one.checkVisibility()) continue;
    if (one.type === "radio" && groups.has(one.name)) continue;
    if (one.type === "radio") groups.add(one.name);
    one.dataset.control = String(number++);
  }
}"""
CONTROLS = """() => Object.fromEntries([...document.querySelectorAll("[data-control]")].map((one) =>
  [one.dataset.control, one.outerHTML.slice(0, 120)]))"""
HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const group = one.type === "radio" ? document.querySelector(`[name="${one.name}"][data-control]`) : one;
  return {
    control: group?.dataset.control ?? "",
    html: one.outerHTML.slice(0, 120),
  };
}"""
OPEN = "[popover]:popover-open, dialog[open]"
INSIDE = f"document.activeElement.closest('{OPEN}') !== null"
HAS_CONTROLS = """(opened) => [...opened.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")]
  .some((one) => one.tabIndex >= 0 && !one.matches(":disabled") && one.checkVisibility())"""
OPENERS = """() => [...document.querySelectorAll("[data-control]")]
  .filter((one) => one.matches("[popovertarget], [aria-haspopup]"))
  .map((one) => one.dataset.control)"""


def leave(page: Page) -> None:
    """Press Tab until the focus is behind the page's last control."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate(HERE) is None:
            return
    raise AssertionError(f"the tab key does not leave the page: {page.evaluate(HERE)}")


def walk(page: Page) -> dict[str, str]:
    """Press Tab until the focus leaves the page; return the controls that it has been on."""
    leave(page)
    been: dict[str, str] = {}
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:
            return been
        assert here["control"] not in been, f"the tab key comes back before it has left: {here['html']}"
        been[here["control"]] = here["html"]
    raise AssertionError(f"the tab key does not leave the page: {page.evaluate(HERE)}")


def tab_to(page: Page, control: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(TABS_MAX):
        here = page.evaluate(HERE)
        if here and here["control"] == control:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not come to {control}")


@pytest.fixture
def standing(glassplane: Glassplane) -> Iterator[Page]:
    """A sandbox whose cluster stands still, so that nothing on the page changes by itself."""
    page = glassplane.open().page
    page.keyboard.press("Space")
    glassplane.wait_until_paused()
    page.evaluate(MARK_CONTROLS)
    yield page


def test_every_control_is_reached_by_the_tab_key_which_is_never_caught(standing: Page) -> None:
    been = walk(standing)
    controls = standing.evaluate(CONTROLS)
    assert {number: html for number, html in controls.items() if number not in been} == {}
    assert len(been) > 20


def test_whatever_opens_is_entered_left_and_gives_the_focus_back(standing: Page) -> None:
    openers = standing.evaluate(OPENERS)
    assert len(openers) > 4
    wrong = []
    for control in openers:
        html = standing.evaluate(CONTROLS)[control]
        tab_to(standing, control)
        standing.keyboard.press("Enter")
        opened = standing.locator(OPEN)
        opened.first.wait_for()
        opened.locator("h2").first.wait_for()  # what is in there is fetched
        has_controls = opened.first.evaluate(HAS_CONTROLS)
        for _ in range(2):
            if has_controls and not standing.evaluate(INSIDE):
                standing.keyboard.press("Tab")
        if has_controls and not standing.evaluate(INSIDE):
            wrong.append(f"is not entered by the tab key: {html}")
        standing.keyboard.press("Escape")
        expect(opened).to_have_count(0)
        standing.evaluate(DRAWN)
        here = standing.evaluate(HERE)
        if not here or here["control"] != control:
            wrong.append(f"does not give the focus back: {html}, but to {here}")
    assert wrong == []


def test_keys_open_what_they_name_and_the_focus_comes_back(standing: Page) -> None:
    diagram = standing.locator("#diagram")
    for control, html in standing.evaluate(CONTROLS).items():
        if 'id="diagram"' in html:
            tab_to(standing, control)
    expect(diagram).to_be_focused()
    standing.keyboard.press("?")
    expect(standing.locator("dialog[open]")).to_be_visible()
    standing.wait_for_function(f"() => {INSIDE}")
    standing.keyboard.press("Escape")
    expect(standing.locator("dialog[open]")).to_have_count(0)
    expect(diagram).to_be_focused()
    standing.keyboard.press("k")
    standing.keyboard.press("Enter")
    expect(standing.locator("#drawer-panel .facts")).to_be_visible()
    standing.evaluate(DRAWN)
    standing.evaluate(MARK_CONTROLS)
    tabs = [number for number, html in standing.evaluate(CONTROLS).items() if 'role="tab"' in html]
    assert tabs
    tab_to(standing, tabs[0])
    been = walk(standing)
    left = {number: html for number, html in standing.evaluate(CONTROLS).items() if number not in been}
    assert left == {}
    tab_to(standing, tabs[0])
    standing.keyboard.press("Escape")
    expect(standing.locator(".drawer")).to_have_count(0)
    expect(diagram).to_be_focused()
    standing.keyboard.press("/")
    expect(standing.locator("#search")).to_be_focused()
    standing.keyboard.press("Escape")
    expect(diagram).to_be_focused()
    standing.keyboard.press("t")
    expect(standing.locator("#command")).to_be_focused()
