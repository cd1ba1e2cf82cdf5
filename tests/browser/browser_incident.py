"""What somebody does with an incident, in the words of its page. Nothing here depends on the language."""

from browser_page import until
from playwright.sync_api import Page, expect

from visualizer.lessons.incidents import case_of

NAMED = ("kill", "worker-1/kubelet")
SEED = next(str(number) for number in range(1, 1000) if (case := case_of(str(number))) and case.place == NAMED)
ALARM = ".incident button.danger"


def begin(page: Page) -> None:
    """Start the incident from its page, and wait until its cluster runs."""
    page.goto(f"/incident/?seed={SEED}")
    page.locator("main .start button.primary").click()
    page.locator(f"{ALARM}:enabled").wait_for()


def cry_wolf(page: Page) -> None:
    """Say too early that something is wrong."""
    page.locator(ALARM).click()
    expect(page.locator(".incident-said.wrong")).not_to_be_empty()


def notice(page: Page) -> None:
    """Let time hurry, and say it once a kubelet is gone."""
    change_pace(page, 30)
    page.locator(".lane-name.idle", has_text="kubelet").wait_for(state="attached")
    change_pace(page, 1)
    page.locator(ALARM).click()
    page.locator(".diagnosis-form").wait_for()


def change_pace(page: Page, wanted: float) -> None:
    """Go from pace to pace until the cluster says it is this one; by keyboard, for a phone hides the slider.

    Each key waits for what came of the last: the page may hear meanwhile of a pace that it has left.
    """
    page.locator("#diagram").focus()
    while (pace := page.evaluate("window.heard.pace")) != wanted:
        page.keyboard.press("+" if pace < wanted else "-")
        until(page, "async (pace) => window.heard.pace !== pace", pace)


def diagnose(page: Page, fault: str, target: str) -> None:
    """Name it."""
    choices = page.locator(".diagnosis-form select")
    choices.nth(0).select_option(fault)
    choices.nth(1).select_option(target)
    page.locator(".diagnosis-form [type=submit]").click()


def ask_for(page: Page, remedy: str) -> None:
    """Say what has to be done."""
    page.locator(f".incident .question input[value={remedy}]").check()
    page.locator(".incident .question [type=submit]").click()


__all__ = ["NAMED", "ask_for", "begin", "cry_wolf", "diagnose", "notice"]
