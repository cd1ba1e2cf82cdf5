"""The pages around the playground: the ways in, language and theme, progress with and without an account."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_page import PATIENCE_MS
from browser_scenes import NOTES, PASSWORD, sign_up
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

DESK = {"width": 1280, "height": 800}
NOTEBOOK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
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
WATCH_BUTTON = """(() => {
  window.seen = [];
  const look = () => {
    const button = document.getElementById("go-on");
    if (button && getComputedStyle(button).visibility === "visible") window.seen.push(button.textContent);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""
KEPT = "() => JSON.parse(localStorage.getItem('glassplane:progress') ?? '{}')"
NOTHING_KEPT = f"() => Object.keys(({KEPT})()).length === 0"


@pytest.fixture
def visit(chromium: Browser, server: str) -> Iterator[Any]:
    """Open a browser of somebody new; what it complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error" and "status of 400" not in said.text:  # a form that was refused
            complaints.append(said.text)

    def open_(**options: Any) -> Page:
        defaults = {"viewport": DESK, "locale": "en-US", "reduced_motion": "reduce"}
        context = chromium.new_context(base_url=server, **(defaults | options))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", hear)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def test_the_landing_page_leads_everywhere_by_keyboard(visit: Any) -> None:
    page = visit()
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.getAttribute('href')"))
        one = "document.activeElement.closest('.door') ?? document.activeElement"
        assert page.evaluate(f"() => getComputedStyle({one}).outlineStyle") == "solid"
    options = ["system_pods=on", "etcd_members=3", "audit=on", "key_lab=on"]
    variants = ["/sandbox/", *(f"/sandbox/?{option}" for option in options)]
    assert reached[:7] == ["/walkthroughs/kubectl-to-running/", *variants, None], "the last opens nodes, seed and pace"
    assert [path.split("/")[1] for path in reached[7:]] == ["courses"] * 6 + ["map", "incident", "rooms"]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/rooms/$"))


@pytest.mark.parametrize("size", [NOTEBOOK, PHONE], ids=["notebook", "phone"])
@pytest.mark.parametrize("language", ["en-US", "de-DE"])
def test_start_and_every_course_are_in_sight_without_scrolling(visit: Any, size: Any, language: str) -> None:
    page = visit(viewport=size, locale=language)
    page.goto("/")
    for button in page.locator(".hero-go .button").all():
        expect(button).to_be_in_viewport(ratio=1)
    expect(page.locator(".course-doors .door")).to_have_count(6)
    for door in page.locator(".course-doors .door").all():
        expect(door).to_be_in_viewport(ratio=1)


def test_somebody_who_comes_back_is_led_on_and_never_sees_what_newcomers_are_told(visit: Any) -> None:
    page = visit()
    page.goto("/")
    expect(page.locator("#go-on")).to_have_text("Start")
    expect(page.locator(".for-newcomers")).to_be_visible()
    page.evaluate(KEEP, NOTES)
    page.add_init_script(WATCH_BUTTON)
    page.goto("/")
    go_on = page.locator("#go-on")
    expect(go_on).to_have_attribute("href", "/walkthroughs/who-talks-to-whom/")
    expect(go_on).to_have_text(re.compile("^Go on: .+"))
    expect(page.locator(".for-newcomers")).to_be_hidden()
    page.wait_for_function("() => window.seen.length > 0")
    seen = page.evaluate("() => [...new Set(window.seen)]")
    assert all(words.startswith("Go on: ") for words in seen), seen
    expect(page.locator("[data-course=first-look] .course-done")).to_contain_text("1 of ")


def test_the_map_is_filled_in_by_this_browsers_notes_and_leads_on(visit: Any) -> None:
    page = visit()
    page.goto("/map/")
    next_one, done = page.locator("#try-next"), page.locator("[data-count=done]")
    expect(next_one).to_have_text("Start: From kubectl to Running")
    expect(done).to_have_text("0")
    page.evaluate(KEEP, NOTES)
    page.reload()
    expect(next_one).to_have_attribute("href", "/walkthroughs/who-talks-to-whom/")
    expect(page.locator("#try-next-why")).to_contain_text("You were at “Who talks to whom” last")
    expect(done).to_have_text("1")
    expect(page.get_by_role("link", name="The full path done")).to_be_visible()
    chip = page.get_by_role("link", name="Who talks to whom begun")
    chip.press("Enter")
    expect(page.locator("#subject-1")).to_be_in_viewport()
    way = page.evaluate("() => JSON.parse(document.getElementById('way-data').textContent)")
    page.evaluate(KEEP, {stop["lesson"]: SOLVED["exercises/node-down"] for stop in way})
    page.reload()
    expect(next_one).to_be_hidden()
    expect(page.locator("#try-next-why")).to_contain_text("You have done everything there is.")
    expect(done).to_have_text("29")


def test_the_map_is_whole_without_scripts(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/map/")
    expect(page.locator("#try-next")).to_have_text("Start: From kubectl to Running")
    expect(page.locator("tbody tr")).to_have_count(29)
    page.locator("[data-chip='23']").click()
    expect(page.locator("#subject-23")).to_be_in_viewport()


def test_a_wrong_prediction_comes_up_again_after_some_days(visit: Any) -> None:
    page = visit()
    page.goto("/progress/")
    expect(page.locator("#repeat-nothing")).to_be_visible()
    page.evaluate(KEEP, NOTES)
    page.reload()
    expect(page.locator("#repeat li")).to_have_count(1)
    for path in ("/courses/", "/courses/first-look/"):
        page.goto(path)
        expect(page.locator(".again:visible")).to_have_count(1)
        expect(page.locator("[data-lesson='walkthroughs/kubectl-to-running'] .again")).to_be_visible()
    page.goto("/progress/")
    page.locator("#repeat a").click()
    expect(page).to_have_url(re.compile("/walkthroughs/kubectl-to-running/$"))


def test_a_file_of_before_is_joined_and_a_bad_one_is_refused_in_words(visit: Any) -> None:
    page = visit()
    page.goto("/progress/")
    page.evaluate(KEEP, NOTES)
    page.reload()
    said = page.locator("#progress-said")
    bad = {
        "no file of progress": b"<html>",
        "no lesson in this file": b'{"kind": "Pod"}',
        "too large": b"[" + b" " * 300_000 + b"]",
    }
    for words, content in bad.items():
        choose(page, content)
        expect(said).to_contain_text(words)
    assert set(page.evaluate(KEPT)) == set(NOTES)
    choose(page, json.dumps(SOLVED).encode())
    expect(said).to_contain_text("is joined")
    expect(page.locator("[data-course=when-things-break] .course-done")).to_contain_text("1 of ")
    assert set(page.evaluate(KEPT)) == {*NOTES, *SOLVED}

    sign_up(page)
    page.goto("/progress/")
    page.evaluate("() => localStorage.removeItem('glassplane:progress')")
    choose(page, json.dumps(SOLVED).encode())
    expect(said).to_contain_text("is joined")
    kept = page.request.get("/progress/export/").json()
    assert set(kept) == {*NOTES, *SOLVED}


def choose(page: Page, content: bytes) -> None:
    """Choose a file with this in it."""
    file = {"name": "progress.json", "mimeType": "application/json", "buffer": content}
    page.set_input_files("#progress-import", files=[file])  # type: ignore[list-item]


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
    page.goto("/courses/")
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
    expect(page.locator(".course-done:visible")).to_have_count(0)
    page.wait_for_function(NOTHING_KEPT)


def test_progress_goes_with_the_account_and_not_with_the_computer(visit: Any) -> None:
    page = visit()
    page.goto("/")
    page.evaluate(KEEP, SOLVED)
    name = sign_up(page)
    expect(page.locator("[data-course=when-things-break] .course-done")).to_contain_text("1 of ")
    page.locator(".account-name").click()
    page.locator("#account-menu").get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()
    page.wait_for_function(NOTHING_KEPT)

    elsewhere = visit()
    sign_in(elsewhere, name)
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


def test_what_was_made_before_signing_in_is_the_accounts_and_goes_with_it(visit: Any) -> None:
    page = visit()
    page.goto("/sandbox/")
    page.locator(".health.running").wait_for()
    cluster = page.locator("#playground").get_attribute("data-cluster")
    name = sign_up(page)

    elsewhere = visit()
    sign_in(elsewhere, name)
    elsewhere.goto("/sandbox/")
    expect(elsewhere.locator("#playground")).to_have_attribute("data-cluster", str(cluster))
    expect(elsewhere.locator(".health.running")).to_be_visible()

    page.goto("/account/delete/")
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("status")).to_contain_text("The account is deleted")
    answer = page.request.get(f"/clusters/{cluster}/")
    assert answer.status == 404
    page.goto("/account/sign-in/")
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")


def sign_in(page: Page, name: str, then: str = "/exercises/") -> None:
    """Sign in, and go on."""
    page.goto(f"/account/sign-in/?next={then}")
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(f"{then}$"))
