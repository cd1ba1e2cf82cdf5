"""What a learner is told, and where: predictions judged, exercises solved, the arrow that a text explains in sight."""

import re

import pytest
from browser_lesson import Learner
from browser_scenes import go_on
from playwright.sync_api import Browser, Locator, expect
from test_browser_everybody import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FIRST = "walkthroughs/kubectl-to-running"
WINDOWS = {"phone": (390, 844), "small phone": (360, 640), "desk at 200 %": (720, 450)}


def test_a_prediction_is_judged_beats_later_with_its_message_and_counted_at_the_end(learner: Learner) -> None:
    page = learner.begin(FIRST).page
    told_no_title_before_its_question(learner)
    answer(learner, "kubelet")
    expect(page.locator(".feedback.pending")).to_contain_text("the message that decides it is still to come")
    notice = page.locator(".lesson-notice")
    go_on(page, until=".lesson-notice")
    expect(notice).to_contain_text("Your prediction was not quite right")
    assert page.locator(".beat .feedback").count() == 0, "it was asked at another step"
    assert violations(page) == []
    seq = show(learner, notice)
    notice.locator(".linklike").click()
    expect(page.locator(".beat .feedback.wrong .seq-link")).to_have_text(f"#{seq}")
    expect(notice).to_have_count(0)
    go_on(page, until=".your-turn")
    expect(page.locator(".your-turn .primary")).to_be_in_viewport(ratio=1)
    finish_by_keyboard(learner, seq)


def told_no_title_before_its_question(learner: Learner) -> None:
    """Nothing on the page names the step whose question is open."""
    page = learner.page
    expect(page.locator(".predict")).to_be_visible()
    expect(page.locator(".lesson-body")).to_have_attribute("aria-label", "Lesson")
    names = page.locator(".steps .step").evaluate_all("(all) => all.map((one) => one.title)")
    assert all(re.fullmatch(r"Step \d+, not reached yet", name) for name in names)


def answer(learner: Learner, option: str) -> None:
    """Tick an option and send it."""
    learner.page.locator(f".predict input[value={option}]").check()
    learner.page.locator(".predict [type=submit]").click()
    learner.page.locator(".feedback").wait_for()


def show(learner: Learner, place: Locator) -> str:
    """Press the link to the message that decided: it is selected, and in sight. Its number."""
    link = place.locator(".seq-link")
    seq = link.inner_text().removeprefix("#")
    link.click()
    selected = learner.page.locator("#diagram [aria-selected=true]")
    expect(selected).to_have_id(f"row-{seq}")
    expect(selected).to_be_in_viewport()
    return seq


def finish_by_keyboard(learner: Learner, seq: str) -> None:
    """The last questions, the score with its links, and on into the next lesson, without a mouse."""
    page = learner.page
    go_on(page, until=".predict .kicker:text('Check yourself')")
    page.locator(".predict input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".predict .feedback")).to_be_visible()
    expect(page.locator(".lesson-body")).to_be_focused()
    page.keyboard.press("n")
    page.locator(".question-send .ghost").focus()
    page.keyboard.press("Enter")
    score = page.locator(".score")
    expect(score.locator("h3")).to_have_text(re.compile(r"^[01] of 5 right at the first try$"))
    expect(score.locator("li.wrong").first).to_contain_text(f"#{seq}")
    expect(score.locator("li.skipped").first).to_contain_text("Skipped")
    assert violations(page) == []
    onward = page.locator(".finished-links .primary")
    expect(onward).to_contain_text("Next: ")
    address = onward.get_attribute("href")
    expect(page.locator(".lesson-body")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if onward.evaluate("(one) => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_an_exercise_is_seen_to_be_solved_wherever_one_looks(learner: Learner) -> None:
    page = learner.begin("exercises/survive-410").page
    title = page.title()
    learner.answer_choice("Your program asks for a watch", "error-event")
    expect(page.locator(".asked.right summary")).to_be_focused()
    learner.answer_choice("Which pod must your program forget", "green")
    expect(page.locator(".feedback.pending")).to_have_count(1)
    body = page.locator(".lesson-body")
    body.evaluate("(body) => body.scrollTo(0, body.scrollHeight)")
    page.locator("details.solution summary").click()
    for line in page.locator(".solution pre.command").inner_text().splitlines():
        page.fill("#command", line)
        page.press("#command", "Enter")
    notice = page.locator(".lesson-notice", has_text="Solved")
    expect(notice).to_be_in_viewport(ratio=1)
    assert body.evaluate("(body) => body.scrollTop") > 0, "nobody is taken away from what they read"
    expect(page.locator(".lesson-head .solved-sign")).to_have_text("Solved")
    expect(page).to_have_title(f"✓ Solved · {title}")
    expect(page.locator(".asked[open], .debrief[open]")).to_have_count(0)
    assert page.locator("[role=status]", has_text="Solved").count() == 1, "it is spoken once"
    assert violations(page) == []
    notice.get_by_role("button", name="To the summary").click()
    expect(page.locator(".solved h2")).to_be_in_viewport()
    expect(notice).to_have_count(0)
    page.locator(".ran-line .stop").click()
    expect(page.locator(".ran .spin")).to_have_count(0)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_arrow_is_seen_beside_the_text_that_explains_it(chromium: Browser, server: str, window: str) -> None:
    width, height = WINDOWS[window]
    learner = Learner(chromium, server, viewport={"width": width, "height": height})
    page = learner.page
    try:
        learner.begin(FIRST)
        answer(learner, "kubelet")
        for step in range(1, 4):
            go_on(page, until=".beat")
            arrow = page.locator("#diagram [aria-selected=true] .row-back")
            text = page.locator(".beat .prose p").first
            expect(text).to_be_visible()
            assert clear(learner, arrow, ".stage"), "the arrow"
            text.scroll_into_view_if_needed()
            assert clear(learner, text, ".lesson"), "the text"
            assert clear(learner, arrow, ".stage"), "the arrow, while one reads"
            expect(page.locator(".sentence p").last).to_contain_text("#")
            assert violations(page) == []
            page.locator(".moves .primary:enabled").click()
            expect(page.locator(".steps-text")).to_contain_text(f"{step + 1} of")
    finally:
        learner.close()
    assert learner.complaints == []


CLEAR = """(one, pane) => {
  const box = one.getBoundingClientRect();
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const [x, y] = [(left + right) / 2, box.top + Math.min(box.height, 40) / 2];
  const there = document.elementFromPoint(x, y);
  return box.top >= 0 && y < innerHeight && Boolean(there?.closest(pane));
}"""


def clear(learner: Learner, one: Locator, pane: str) -> bool:
    """Is it in the window, with nothing of another pane over it? Once the page has come to rest."""
    one.wait_for(state="attached")
    learner.drawn()
    learner.page.wait_for_function("() => document.getAnimations().every((one) => one.playState !== 'running')")
    return bool(one.evaluate(CLEAR, pane))
