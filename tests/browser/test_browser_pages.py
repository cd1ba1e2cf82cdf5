"""The pages around the playground, for everybody: in both themes, by keyboard, with and without an account."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
OPEN = [
    "/",
    "/walkthroughs/",
    "/walkthroughs/mutual-tls/",
    "/exercises/",
    "/exercises/node-down/",
    "/rooms/",
    "/join/",
    "/progress/",
    "/privacy/",
    "/account/sign-in/",
    "/account/sign-up/",
]
MINE = ["/account/", "/account/password/", "/account/delete/", "/progress/", "/rooms/"]
PASSWORD = "a lamp beside the sea"
SOLVED = {
    "exercises/node-down": {
        "beat": None,
        "beats": None,
        "solvedAt": "2026-01-02T03:04:05.000Z",
        "hints": 1,
        "answers": {"right": 1, "total": 2},
        "at": "2026-01-02T03:04:05.000Z",
    }
}
KEEP = "(all) => localStorage.setItem('glassplane:progress', JSON.stringify(all))"
KEPT = "() => JSON.parse(localStorage.getItem('glassplane:progress') ?? '{}')"


@pytest.fixture
def visit(chromium: Browser, server: str) -> Iterator[Any]:
    """Open a browser of somebody new; what it complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error" and "status of 400" not in said.text:  # a form that was refused
            complaints.append(said.text)

    def open_(**options: Any) -> Page:
        defaults = {"viewport": SIZES["desktop"], "locale": "en-US", "reduced_motion": "reduce"}
        context = chromium.new_context(base_url=server, **(defaults | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", hear)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def sign_up(page: Page) -> str:
    """Open an account and be signed in."""
    name = f"ann-{secrets.token_hex(4)}"
    page.goto("/account/sign-up/")
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again:").fill(PASSWORD)
    page.get_by_role("button", name="Open the account").click()
    page.get_by_role("button", name=f"Account: {name}").wait_for()
    return name


def violations(page: Page) -> list[str]:
    """What axe-core finds, and whether the page is wider than its window."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document)).violations")
    said = [f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:200]}" for one in found]
    if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
        said.append("the page is wider than its window")
    return said


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(visit: Any, scheme: str, size: str) -> None:
    page = visit(color_scheme=scheme, viewport=SIZES[size], locale="de-DE" if size == "phone" else "en-US")
    found = {}
    for path in OPEN:
        page.goto(path)
        found[path] = violations(page)
    page.goto("/account/sign-in/")
    page.locator("main button").click()
    found["refused"] = violations(page)
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_an_account(visit: Any, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    sign_up(page)
    found = {}
    for path in MINE:
        page.goto(path)
        page.locator(".account-name").click()
        expect(page.get_by_role("button", name="Sign out").first).to_be_visible()
        found[path] = violations(page)
    assert {path: said for path, said in found.items() if said} == {}


def test_the_landing_page_leads_everywhere_by_keyboard(visit: Any) -> None:
    page = visit()
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.getAttribute('href')"))
        assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["/sandbox/", "/walkthroughs/", "/exercises/", "/rooms/"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/rooms/$"))


def test_the_doors_are_in_sight_without_scrolling(visit: Any) -> None:
    page = visit()
    page.goto("/")
    for name in ("Walkthroughs", "Exercises", "Rooms"):
        expect(page.get_by_role("heading", name=name)).to_be_in_viewport()


def test_language_and_theme_are_chosen_once_for_all_pages_and_the_playground(visit: Any) -> None:
    page = visit(color_scheme="light")
    page.goto("/walkthroughs/")
    page.get_by_role("button", name="Deutsch").click()
    expect(page).to_have_url(re.compile("/walkthroughs/$"))
    expect(page.locator("h1")).to_have_text("Rundgänge")
    switch = page.locator("#theme-switch")
    for words, theme in (("hell", "light"), ("dunkel", "dark")):
        switch.click()
        expect(switch).to_have_attribute("aria-label", f"Farbschema: {words}")
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.goto("/sandbox/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_what_was_done_without_an_account_is_marked_saved_and_deleted(visit: Any) -> None:
    page = visit()
    page.goto("/exercises/")
    page.evaluate(KEEP, SOLVED)
    page.reload()
    expect(page.locator("[data-lesson='exercises/node-down'] .done")).to_have_text("done")
    expect(page.locator(".done:visible")).to_have_count(1)
    page.goto("/progress/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert json.loads(Path(download.value.path()).read_text()) == SOLVED
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the progress").click()
    expect(page.locator(".done:visible")).to_have_count(0)
    assert page.evaluate(KEPT) == {}


def test_progress_goes_with_the_account_and_not_with_the_computer(visit: Any) -> None:
    page = visit()
    page.goto("/")
    page.evaluate(KEEP, SOLVED)
    name = sign_up(page)
    done = page.locator("[data-lesson='exercises/node-down'] .done")
    expect(done).to_have_text("done")
    page.locator(".account-name").click()
    page.locator("#account-menu").get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()
    assert page.evaluate(KEPT) == {}

    elsewhere = visit()
    elsewhere.goto("/account/sign-in/?next=/exercises/")
    elsewhere.get_by_label("Name:").fill(name)
    elsewhere.get_by_label("Password:").fill(PASSWORD)
    elsewhere.get_by_role("button", name="Sign in").click()
    expect(elsewhere).to_have_url(re.compile("/exercises/$"))
    expect(elsewhere.locator("[data-lesson='exercises/node-down'] .done")).to_have_text("done")

    sign_up(page)
    page.goto("/exercises/")
    expect(page.locator(".done:visible")).to_have_count(0)


def test_a_lesson_is_begun_gone_on_with_and_started_afresh(visit: Any) -> None:
    page = visit()
    page.goto("/exercises/node-down/")
    page.get_by_role("button", name="Start").click()
    page.locator("#playground").wait_for()
    begun = page.url
    page.goto("/exercises/node-down/")
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(begun)
    page.goto("/exercises/node-down/")
    page.get_by_role("button", name="Start afresh").click()
    page.locator("#playground").wait_for()
    afresh = page.url
    assert afresh != begun
    page.goto("/exercises/node-down/")
    expect(page.get_by_role("link", name="Go on")).to_have_attribute("href", urlsplit(afresh).path)
