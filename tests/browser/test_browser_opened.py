"""Every dialog and popover of the page opens by key and pointer, and closes by Esc and a click beside it."""

import re

import pytest
from browser_page import Glassplane
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

POPOVERS = ("steps", "breakpoints", "bookmarks", "branches", "lanes", "kubeconfig", "takeaway", "view")
OF_TIME = POPOVERS[:4]
DIALOGS = {"help": ".switches > button:last-child", "faults": ".toggle.break"}
EMPTY = re.compile(r"^\s*$")


def opens_and_closes(button: Locator, what: Locator) -> None:
    """By key and by pointer; it has a name and a heading, and who opened it has the focus again."""
    button.focus()
    button.press("Enter")
    expect(what.locator("h2").first).to_be_visible()
    expect(what).not_to_have_attribute("aria-label", EMPTY)
    what.page.keyboard.press("Escape")
    expect(what).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    expect(what.locator("h2").first).to_be_visible()
    what.page.mouse.click(2, 2)
    expect(what).to_be_hidden()


def test_every_popover_and_dialog_gives_the_focus_back_to_what_opened_it(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    for name in POPOVERS:
        opens_and_closes(
            page.locator(f"button[popovertarget={name}]:not([popovertargetaction])"), page.locator(f"#{name}")
        )
    for name, button in DIALOGS.items():
        opens_and_closes(page.locator(button), page.locator(f"dialog.{name}"))


def test_a_dialog_asks_itself_how_wide_it_is_so_that_large_text_has_the_layout_of_a_narrow_window(
    glassplane: Glassplane,
) -> None:
    page = glassplane.open().page
    columns = "(form) => getComputedStyle(form).gridTemplateColumns.split(' ').length"
    glassplane.press("x")
    form = page.locator("dialog.faults .fault-form")
    expect(form).to_be_visible()
    page.wait_for_function(f"(form) => ({columns})(form) === 2", arg=form.element_handle())
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_function(f"(form) => ({columns})(form) === 1", arg=form.element_handle())


LIES_ABOVE = """([what, button]) => {
  const [above, below] = [what.getBoundingClientRect(), button.getBoundingClientRect()];
  const isWithin = above.top >= 0 && above.left >= 0 && above.right <= innerWidth;
  return above.height > 0 && below.height > 0 && isWithin && above.bottom <= below.top;
}"""


def lies_above(what: Locator, button: Locator) -> None:
    """Wait until it is whole in the window, and its button too below it: what is in it is fetched."""
    what.page.wait_for_function(LIES_ABOVE, arg=[what.element_handle(), button.element_handle()])


@pytest.mark.parametrize("name", OF_TIME)
def test_what_times_bar_opens_lies_above_its_button(glassplane: Glassplane, name: str) -> None:
    page = glassplane.open().page
    button, what = page.locator(f"button[popovertarget={name}]"), page.locator(f"#{name}")
    for width, height in ((1440, 900), (1024, 600), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        button.click()
        expect(what.locator("h2")).to_be_visible()
        lies_above(what, button)
        page.keyboard.press("Escape")


def test_branches_open_by_a_key_where_their_button_opens_them(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.locator("#diagram").focus()
    page.keyboard.press("a")
    what = page.locator("#branches")
    expect(what.locator("h2")).to_be_visible()
    lies_above(what, page.locator("button[popovertarget=branches]"))
