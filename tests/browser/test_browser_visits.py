"""What a visit fetches at once, and what it fetches when somebody opens it."""

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, expect
from visits import visits

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

REQUESTS_MAX = 72  # 69 now: the page, its icon, the words, five style sheets, four files of Preact, 57 modules
UNPACKED_KIB_MAX = 500  # files come from the source tree here, as they are; `visiting` in the bench has them compressed
KEYS = """window.keysSeen = [];
new MutationObserver(() => {
  const key = /(?<![\\w.-])(explain|state|fault|room|lesson)\\.[a-zA-Z]+(?=$|\\s)/;
  const found = key.exec(document.body?.innerText ?? "");
  if (found) window.keysSeen.push(found[0]);
}).observe(document, { subtree: true, childList: true, characterData: true });"""
LATER = (
    "panels/drawer.js",
    "panels/help.js",
    "panels/faultsdialog.js",
    "panels/sharedialog.js",
    "panels/takingpanel.js",
    "panels/bookmarks.js",
    "panels/breakpoints.js",
    "panels/steps.js",
    "css/lesson.css",
    "css/faults.css",
)


def test_a_first_visit_fetches_few_files_and_nothing_that_nobody_has_opened(chromium: Browser, server: str) -> None:
    first, _ = visits(chromium, server)
    names = sorted(first.encoded)
    assert len(names) <= REQUESTS_MAX, names
    assert sum(first.decoded.get(name, 0) for name in names) <= UNPACKED_KIB_MAX * 1024
    assert [name for name in names if name.endswith(LATER) or "/js/lesson/" in name] == []


def test_words_come_with_what_says_them_and_change_language_with_the_rest(glassplane: Glassplane) -> None:
    glassplane.page.add_init_script(KEYS)
    page = glassplane.open().page
    glassplane.open_last()
    explanation = page.locator(".drawer .explanation")
    expect(explanation).not_to_be_empty()
    english = explanation.inner_text()
    page.locator(".language").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(explanation).not_to_have_text(english)
    expect(explanation).not_to_be_empty()
    glassplane.press("Escape", "s")
    expect(page.get_by_role("tab", name="Objekte")).to_be_visible()
    glassplane.press("x")
    expect(page.locator(".faults .fault-short").first).to_be_visible()
    assert page.evaluate("window.keysSeen") == []


def test_what_cannot_be_fetched_says_so_and_opens_once_it_can_be(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.route("**/panels/help.js", lambda route: route.abort())
    glassplane.press("?")
    expect(page.locator(".toast")).to_have_text(["The connection is down. Please try again once it is back."])
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.unroute("**/panels/help.js")
    glassplane.press("?")
    expect(page.locator("dialog.help")).to_be_visible()
    glassplane.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".toast")).to_have_count(0)  # the next one is another
    page.route("**/css/faults.css", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/css/faults.css")):
        glassplane.press("x")
    expect(page.locator(".toast")).to_have_count(1)  # the page has heard of it, and takes the key again
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.unroute("**/css/faults.css")
    glassplane.press("x")
    expect(page.locator("dialog.faults .fault-choice")).to_have_css("display", "grid")
    glassplane.press("Escape")
    page.route("**/panels/steps.js", lambda route: route.abort())
    page.locator("button[popovertarget=steps]").click()
    expect(page.locator("[popover]:popover-open")).to_have_count(0)
    page.unroute("**/panels/steps.js")
    page.locator("button[popovertarget=steps]").click()
    expect(page.locator("#steps h2")).to_be_visible()
    assert {*glassplane.complaints} == {"Failed to load resource: net::ERR_FAILED"}
    glassplane.complaints.clear()
