"""A word of a lesson is explained where it stands, by keyboard and by touch, and the glossary has it too."""

import re

import pytest
from browser_lesson import Learner
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_word_is_explained_by_keyboard_in_the_language_of_the_page(learner: Learner) -> None:
    page = learner.begin("walkthroughs/mutual-tls").page
    page.locator(".drawer [role=tab][aria-selected=true]").wait_for()  # the beat's message, whose details are fetched
    word = page.locator(".lesson button.term").first
    name = word.inner_text()
    word.focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("dialog", name=re.compile("API server|handshake|kubectl|certificate", re.IGNORECASE))
    expect(card).to_be_visible()
    expect(card).to_be_focused()
    expect(card).to_be_in_viewport(ratio=1)
    expect(card.locator("a[href^='https://']")).to_be_visible()
    before = learner.look
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(word).to_be_focused()
    assert learner.look == before, f"Esc closed more than the card of {name}"
    page.get_by_role("button", name="Deutsch").click()
    word = page.locator(".lesson button.term").first
    word.click()
    expect(page.locator("#term")).to_contain_text("Alle Wörter im Glossar")


def test_a_word_on_a_phone_opens_its_card_and_leads_to_the_glossary(chromium: Browser, server: str) -> None:
    learner = Learner(chromium, server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        learner.start("exercises/order-the-handshake")
        page = learner.page
        page.locator(".lesson").wait_for()
        unfold = page.locator(".lesson.folded .fold")
        if unfold.count():
            unfold.click()
        word = page.locator(".lesson button.term:visible").first
        term = word.get_attribute("data-term")
        word.tap()
        expect(page.locator("#term")).to_be_in_viewport(ratio=1)
        with page.context.expect_page() as opened:
            page.locator("#term").get_by_role("link", name="All words in the glossary").tap()
        expect(opened.value).to_have_url(re.compile(f"/glossary/#{term}$"))
        expect(opened.value.locator(f"#{term}")).to_be_in_viewport()
        assert learner.complaints == []
    finally:
        learner.close()
