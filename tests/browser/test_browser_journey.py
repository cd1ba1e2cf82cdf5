"""From the first visit to the end of the first course, by keyboard alone."""

import re
from typing import Any

import pytest
import yaml
from browser_lesson import Learner
from conftest import ROOT
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

LESSONS = ROOT / "visualizer" / "lessons"
COURSES = yaml.safe_load((LESSONS / "courses.yaml").read_text("utf-8"))
TABS_MAX = 250
STEPS_MAX = 60
ONWARD = ".finished-links a.primary"
SKIP, NEXT, END = ".question-send .ghost:enabled", ".moves .primary:enabled", f".finished {ONWARD}"


def test_a_first_visit_leads_through_the_first_course_by_keyboard(learner: Learner) -> None:
    page = learner.page
    learner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    course, following = COURSES[0]["lessons"], COURSES[1]["lessons"][0]
    page.goto("/")
    press(page, "#go-on")
    for lesson in course:
        expect(page).to_have_url(re.compile(f"/{lesson}/$"))
        press(page, "main .start button.primary")
        learner.arrive()
        (solve if lesson.startswith("exercises/") else walk)(page, lesson)
        press(page, ONWARD)
    expect(page).to_have_url(re.compile(f"/{following}/$"))
    page.goto("/")
    expect(page.locator("#go-on")).to_have_attribute("href", f"/{following}/")
    expect(page.locator("[data-course=first-look] .course-done")).to_contain_text(f"{len(course)} of {len(course)}")


def reach(page: Page, selector: str) -> None:
    """Press Tab until this has the focus."""
    page.locator(selector).first.wait_for()
    for _ in range(TABS_MAX):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not reach {selector}")


def press(page: Page, selector: str) -> None:
    """Go there by the tab key, and press Enter."""
    reach(page, selector)
    page.keyboard.press("Enter")


def walk(page: Page, _lesson: str) -> None:
    """Go through a walkthrough: the first question is answered, the others are skipped."""
    answered = False
    for _ in range(STEPS_MAX):
        page.locator(f"{SKIP}, {NEXT}, {END}").first.wait_for()
        if page.locator(END).count():
            return
        before = page.locator(".lesson-body").inner_text()
        if page.locator(SKIP).count() == 0:
            page.keyboard.press("n")
        elif not answered and page.locator(".predict input[type=radio]").count():
            reach(page, ".predict input[type=radio]")
            page.keyboard.press("Space")
            press(page, ".question-send [type=submit]")
            answered = True
        else:
            press(page, SKIP)
        page.wait_for_function("(text) => document.querySelector('.lesson-body').innerText !== text", arg=before)
        page.locator(".lesson-waiting").wait_for(state="detached")
    raise AssertionError("the walkthrough does not end")


def solve(page: Page, lesson: str) -> None:
    """Type an exercise's solution; its questions stay open."""
    steps: list[dict[str, Any]] = yaml.safe_load((LESSONS / lesson / "lesson.yaml").read_text("utf-8"))["solution"]
    for _ in range(4):
        page.keyboard.press("+")  # faster
    for step in steps:
        if "run" in step:
            ran = page.locator(".ran:not(.by-lesson)")
            before = ran.count()
            reach(page, "#command")
            page.evaluate("(text) => navigator.clipboard.writeText(text)", step["run"])
            page.keyboard.press("Control+v")  # several lines are one command, and begin at once
            if "\n" not in step["run"]:
                page.keyboard.press("Enter")
            page.wait_for_function("(n) => document.querySelectorAll('.ran:not(.by-lesson)').length > n", arg=before)
            page.locator(".line .stop").wait_for(state="detached")
        elif "reached" in step.get("until", {}):
            page.locator(".checks .passed").first.wait_for()
    page.locator(".solved").wait_for()
