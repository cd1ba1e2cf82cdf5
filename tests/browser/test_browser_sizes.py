"""Larger for whoever needs it: the text size of the whole page, and a presentation that the last row can read."""

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# Of a wall that is looked at from six times its height, a letter that is 1/60 of it is about as large as print.
READABLE_PX = 720 / 42


def height(of: Locator) -> float:
    box = of.bounding_box()
    assert box is not None
    return box["height"]


def drawn_px(of: Locator) -> float:
    """How large a text of the diagram is on the screen, whatever it is called in the drawing's own units."""
    return of.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a")


def test_everything_follows_the_text_size(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    label, row = glassplane.rows.last.locator(".label"), glassplane.rows.last.locator(".row-back")
    was = {
        name: height(one)
        for name, one in {"row": row, "clock": page.locator("time"), "brand": page.locator(".mark")}.items()
    }
    small = drawn_px(label)
    page.get_by_role("button", name="Text size and presentation").click()
    for _ in range(3):
        page.locator("#view").get_by_role("button", name="Larger").click()
    expect(page.locator("#view output")).to_have_text("150%")
    glassplane.drawn()
    assert drawn_px(label) == pytest.approx(small * 1.5, rel=0.01)
    for name, one in {"row": row, "clock": page.locator("time"), "brand": page.locator(".mark")}.items():
        assert height(one) == pytest.approx(was[name] * 1.5, rel=0.08), name
    page.reload()
    glassplane.rows.first.wait_for()
    glassplane.drawn()
    assert drawn_px(label) == pytest.approx(small * 1.5, rel=0.01)
    page.goto("/")
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == 15
    page.locator("#size-switch").click()
    page.locator("#size-menu").get_by_role("button", name="Smaller").click()
    expect(page.locator("#size-menu output")).to_have_text("130%")


def test_a_presentation_can_be_read_from_the_last_row(chromium: Browser, server: str) -> None:
    glassplane = Glassplane(chromium, server, viewport={"width": 1280, "height": 720})
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    glassplane.press("p")
    expect(page.locator("header.bar")).not_to_be_visible()
    expect(page.locator(".terminal")).not_to_be_visible()
    expect(page.locator(".transport")).to_be_visible()
    glassplane.drawn()
    assert drawn_px(glassplane.rows.last.locator(".label")) >= READABLE_PX
    seen = page.locator(".scroller").bounding_box()
    assert seen is not None
    tall = height(glassplane.rows.last.locator(".row-back"))
    assert (seen["height"] - height(page.locator(".heads"))) / tall >= 8, "rows in view"
    glassplane.press("ArrowLeft", "ArrowLeft")
    sentence = page.locator(".sentence p:not(.visually-hidden)")
    expect(sentence).to_contain_text("#")
    assert sentence.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)") >= READABLE_PX
    glassplane.press("Enter")
    expect(page.locator(".drawer h2")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Leave the presentation").click()
    expect(page.locator("header.bar")).to_be_visible()
    glassplane.close()
    assert glassplane.complaints == []


def in_view(page: Page) -> list[str]:
    """What of the selected message cannot be seen: its row, its arrow, or the words about it."""
    return page.evaluate(
        """() => {
          const said = [];
          const row = document.querySelector("#diagram .row.selected").getBoundingClientRect();
          const stage = document.querySelector(".scroller").getBoundingClientRect();
          const heads = document.querySelector(".heads").getBoundingClientRect();
          if (row.top < heads.bottom - 8 || row.bottom > stage.bottom + 1) said.push(`row ${row.top}-${row.bottom}`);
          const line = document.querySelector("#diagram .row.selected .line").getBoundingClientRect();
          if (line.width && (line.left > stage.right || line.right < stage.left + 88)) said.push("its arrow");
          const body = document.querySelector(".drawer").getBoundingClientRect();
          if (body.height < 200 || body.top < 0 || body.bottom > innerHeight)
            said.push(`details ${body.top}-${body.bottom}`);
          const over = document.elementFromPoint(stage.left + stage.width / 2, (row.top + row.bottom) / 2);
          if (!over?.closest(".stage")) said.push(`covered by ${over?.className}`);
          return said;
        }"""
    )


@pytest.mark.parametrize(
    ("name", "width", "height_px"), [("a phone", 390, 844), ("a page at 200 %", 640, 360), ("a low window", 1280, 480)]
)
def test_text_and_arrow_are_seen_together(
    chromium: Browser, server: str, name: str, width: int, height_px: int
) -> None:
    glassplane = Glassplane(chromium, server, viewport={"width": width, "height": height_px})
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    page.locator("#diagram").focus()
    glassplane.press("k", "k", "k", "Enter")
    expect(page.locator(".drawer h2")).to_be_visible()
    for key in ["k", "k", "j"]:
        glassplane.press(key)
        expect(page.locator("#diagram .row.selected")).to_have_count(1)
        glassplane.drawn()
        assert in_view(page) == [], name
    assert page.locator(".drawer").evaluate("(one) => one.clientHeight") >= 200
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    glassplane.press("Escape")
    expect(page.locator(".terminal")).to_be_visible()
    glassplane.close()
    assert glassplane.complaints == []
