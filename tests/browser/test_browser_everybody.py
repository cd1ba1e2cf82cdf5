"""Every page and state is for everybody: axe-core finds nothing, nothing sticks out, the keyboard gets everywhere.

English on a desk and on a projector, German on a phone; both in both themes. Each state is reached once for a language
and looked at in several ways.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from browser_scenes import ACTS, Stage
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
TABS_MAX = 250


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    width: int
    height: int
    scheme: str


DESK = Look(1280, 800, "light")
WALL = Look(960, 540, "dark")  # a projector of 1920 × 1080, everything at twice its size
PHONE = Look(390, 844, "light")
PHONE_AT_NIGHT = Look(390, 844, "dark")
WIDE = Look(1920, 1080, "light")
LOOKS = {"en": [WALL, DESK], "de": [PHONE_AT_NIGHT, PHONE]}
LOCALES = {"en": "en-US", "de": "de-DE"}


def look_at(page: Page, look: Look) -> None:
    """See the page as somebody would."""
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.emulate_media(color_scheme=look.scheme)


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now, and whether it is wider than its window."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    said = [f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:300]}" for one in found]
    return said + too_wide(page)


def too_wide(page: Page) -> list[str]:
    """Whether one would have to scroll sideways."""
    over = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return [f"the page is {over} px wider than its window"] if over > 0 else []


FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const box = one.getBoundingClientRect();
  const outlined = (mark) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(mark);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const lit = (mark) => getComputedStyle(mark).boxShadow.includes("inset");
  const pane = one.closest(".stage, .terminal");  // these are marked at their edges
  const seen = [one, one.closest(".card, .door, .search, .strip, label")].some((mark) => mark && outlined(mark))
    || [pane, pane?.querySelector(".heads")].some((mark) => mark && lit(mark));
  const number = (one.dataset.tabbed ??= String(document.querySelectorAll("[data-tabbed]").length));
  return {
    number,
    html: one.outerHTML.slice(0, 120),
    seen,
    inSight: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
  };
}"""
FORGET = "() => document.querySelectorAll('[data-tabbed]').forEach((one) => delete one.dataset.tabbed)"


def tabbing(page: Page) -> list[str]:
    """Go through the page by the tab key alone: what has the focus and does not show it, or is not in sight."""
    said: list[str] = []
    began = page.evaluate(FOCUSED)  # by mouse, perhaps: then it need not show
    seen = {began["number"]} if began else set()
    for pressed in range(TABS_MAX):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one is None and pressed == 0:
            continue  # it stood at the end, and begins again
        if one is None or one["number"] in seen:
            break
        seen.add(one["number"])
        if not one["seen"]:
            said.append(f"no visible focus: {one['html']}")
        if not one["inSight"]:
            said.append(f"focused out of sight: {one['html']}")
    page.evaluate(FORGET)
    return said or ([] if seen else ["nothing can be reached by the tab key"])


@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("act", ACTS)
def test_every_state_is_for_everybody(chromium: Browser, server: str, act: str, language: str) -> None:
    looks = LOOKS[language]
    stage = Stage(
        chromium,
        server,
        locale=LOCALES[language],
        viewport={"width": looks[-1].width, "height": looks[-1].height},
    )
    found: dict[str, list[str]] = {}
    try:
        for name, page in ACTS[act](stage):
            for look in looks:
                look_at(page, look)
                found[f"{name} {look}"] = violations(page)
            if language == "en":
                look_at(page, WIDE)
                found[f"{name} {WIDE}"] = too_wide(page)
                look_at(page, DESK)
                found[f"{name} by keyboard"] = tabbing(page)
    finally:
        stage.close()
    problems = [f"{name}: {one}" for name, said in found.items() for one in said]
    assert not problems, "\n".join(problems)
    assert stage.complaints == []
