"""An exercise as a learner lives it: predict, do the wrong thing, ask for a hint, undo, begin afresh, solve it."""

import json
from pathlib import Path

import pytest
from browser_lesson import Learner
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CACHE, WEB = "How many seconds after the power cut", "And the first pod of web?"
AGENT, CLEAN_UP = "And agent?", "The machine is scrapped"


def test_an_exercise_from_its_start_to_solved(learner: Learner) -> None:
    page = learner.begin("exercises/node-down").page
    predict_wrongly(learner)
    ask_for_a_hint(learner)
    drain_instead(learner)
    learner.replace("Undo")
    expect(page.locator(".debrief")).to_have_count(0)
    expect(page.locator(".hint-text")).to_have_count(1)
    expect(learner.asked(AGENT).locator(".feedback.pending")).to_have_count(1)
    learner.replace("Start afresh")
    expect(page.locator(".asked.open")).to_have_count(4)
    expect(page.locator(".hint-text")).to_have_count(0)
    solve(learner)
    expect(page.locator(".solved")).to_contain_text("Without a hint.")
    expect(page.locator(".solved .score h3")).to_have_text("4 of 4 predictions were right.")
    kept_and_exported(learner)


def predict_wrongly(learner: Learner) -> None:
    """What cannot be known yet is said to be so."""
    learner.answer_number(CACHE, "50")
    expect(learner.asked(CACHE).locator(".feedback.pending")).to_contain_text("Not decided yet")
    learner.answer_choice(AGENT, "first")
    expect(learner.asked(AGENT).locator(".feedback.pending")).to_contain_text("Not decided yet")


def ask_for_a_hint(learner: Learner) -> None:
    """A hint comes after a minute, or for who asks twice."""
    ask = learner.page.locator(".hint-ask button")
    ask.click()
    expect(learner.page.locator(".hint-ask")).to_contain_text("Press again to see it now")
    expect(learner.page.locator(".hint-text")).to_have_count(0)
    ask.click()
    expect(learner.page.locator(".hint-text")).to_contain_text("When does the control plane believe")


def drain_instead(learner: Learner) -> None:
    """The wrong thing is noticed, and the debrief leads to where it happened."""
    page = learner.page
    learner.hurry()  # a drain waits until the pods have ended in good order
    learner.type_command("kubectl drain worker-2 --ignore-daemonsets --force")
    debrief = page.locator(".debrief")
    expect(debrief).to_contain_text("A drain is not a failure")
    where = debrief.get_by_role("button", name="To where it happened")
    seq = where.locator(".seq").inner_text().split()[0].removeprefix("#")
    where.click()
    selected = page.locator("#diagram [aria-selected=true]")
    expect(selected).to_have_id(f"row-{seq}")
    expect(selected).to_contain_text("eviction")
    expect(selected).to_be_in_viewport()


def solve(learner: Learner) -> None:
    """Predict rightly, cut the power, wait for the replacements, remove the Node."""
    page = learner.page
    learner.answer_number(CACHE, "88")
    learner.answer_number(WEB, "358")
    learner.answer_choice(AGENT, "never")
    learner.answer_choice(CLEAN_UP, "delete-node")
    learner.cut_power("worker-2")
    learner.hurry()
    for check in (
        "Four predictions",
        "deletes a pod of cache",
        "deletes a pod of web",
        "Two pods of web and two of cache",
    ):
        expect(learner.check(check)).to_have_class("passed")
    expect(learner.asked(CACHE).locator(".feedback.right")).to_contain_text("You know the chain")
    expect(page.locator(".solved")).to_have_count(0)
    learner.type_command("kubectl delete node worker-2")
    expect(page.locator(".solved")).to_be_visible()


def kept_and_exported(learner: Learner) -> None:
    """The list says done, and the file that can be saved says more."""
    page = learner.page
    page.goto("/exercises/")
    expect(page.locator("[data-lesson='exercises/node-down'] .done")).to_have_text("done")
    page.goto("/progress/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    saved = json.loads(Path(download.value.path()).read_text())["exercises/node-down"]
    assert saved["solvedAt"] is not None
    assert (saved["hints"], saved["answers"]) == (0, {"right": 4, "total": 4})


def test_a_solution_can_be_typed_as_it_stands(learner: Learner) -> None:
    page = learner.begin("exercises/survive-410").page
    learner.answer_choice("Your program asks for a watch", "all-pods")
    learner.asked("Your program asks for a watch").get_by_role("button", name="Try again").click()
    learner.answer_choice("Your program asks for a watch", "error-event")
    learner.answer_choice("Which pod must your program forget", "green")
    page.locator("details.solution summary").click()
    lines = page.locator(".solution pre.command").inner_text().splitlines()
    assert lines[1].endswith("&")
    for line in lines:
        page.fill("#command", line)
        page.press("#command", "Enter")
    expect(page.locator(".solved")).to_be_visible()
    page.locator(".ran-line .stop").click()
    expect(page.locator(".ran .spin")).to_have_count(0)
