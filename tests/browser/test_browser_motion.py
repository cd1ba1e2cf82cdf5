"""Who asked their system for less motion sees none: nothing is animated, nothing glides from state to state."""

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

MOVES = """() => [...document.querySelectorAll("*")].filter((one) => {
  const { animationName, transitionDuration } = getComputedStyle(one);
  return animationName !== "none" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
}).map((one) => one.className?.baseVal ?? one.className)"""


def moving(page: Page) -> set[str]:
    """What would move, among what is there now."""
    return set(page.evaluate(MOVES))


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_who_asked_for_that(chromium: Browser, server: str, motion: str) -> None:
    glassplane = Glassplane(chromium, server, reduced_motion=motion)
    page = glassplane.open().page
    seen = moving(page)
    glassplane.press(" ")
    glassplane.wait_until_paused()
    glassplane.open_last()
    glassplane.press("p")
    page.locator(".toast").first.wait_for()
    seen |= moving(page)
    glassplane.press("p", "?")
    page.locator("dialog[open]").wait_for()
    seen |= moving(page)
    page.goto("/")
    seen |= moving(page)
    if motion == "reduce":
        assert seen == set()
    else:
        assert {"drawer pane", "toast pane"} <= seen
    glassplane.close()
    assert glassplane.complaints == []
