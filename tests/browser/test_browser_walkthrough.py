"""A walkthrough as a learner lives it, from its introduction to its end, with everything that may come between."""

from collections.abc import Callable

import pytest
from browser_lesson import Learner
from browser_scenes import go_on
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_walkthrough_from_its_introduction_to_its_last_beat(learner: Learner) -> None:
    learner.begin("walkthroughs/mutual-tls")
    expect(learner.title).to_have_text("First, a connection")
    expect(learner.page.locator(".ran.by-lesson")).to_contain_text("kubectl auth whoami")
    skip_a_prediction(learner)
    wander_off_and_come_back(learner)
    go_back_and_forth(learner)
    predict_before_it_is_shown(learner)
    compare_a_myth_with_the_wire(learner)
    load_the_page_again(learner)
    read_on_in_german(learner)
    take_the_terminal(learner)
    finish(learner)


def test_on_a_phone_a_lesson_folded_away_is_back_for_its_question(chromium: Browser, server: str) -> None:
    learner = Learner(chromium, server, viewport={"width": 390, "height": 844})
    page = learner.page
    try:
        learner.begin("walkthroughs/mutual-tls")
        page.locator(".fold").click()
        expect(page.locator(".lesson.folded")).to_be_visible()
        page.locator(".moves .primary:enabled").click()
        expect(page.locator(".lesson:not(.folded) .predict")).to_be_in_viewport()
        learner.start("exercises/order-the-handshake")
        expect(page.locator(".lesson:not(.folded) .exercise")).to_contain_text("Predict the order")
    finally:
        learner.close()
    assert learner.complaints == []


def skip_a_prediction(learner: Learner) -> None:
    """The question comes before its answer can be seen; nobody has to answer it."""
    learner.next()
    expect(learner.title).to_have_text("In which order do these cross the wire?")
    expect(learner.row("ClientHello")).to_have_count(0)
    learner.page.get_by_role("button", name="Skip").click()
    expect(learner.title).to_have_text("ClientHello makes an offer")
    expect(learner.row("ClientHello")).to_have_attribute("aria-selected", "true")


def wander_off_and_come_back(learner: Learner) -> None:
    """One key leads back to the step, however the reader left it."""
    page = learner.page
    page.locator(".drawer [role=tab][aria-selected=true]").wait_for()
    before = learner.look
    ways: dict[str, Callable[[], None]] = {
        "step": lambda: learner.press("ArrowLeft"),
        "altitude": lambda: learner.press("4"),
        "filter": lambda: page.fill("#search", "kubelet"),
        "type": lambda: (page.fill("#command", "kubectl get nodes"), page.press("#command", "Enter"))[0],
        "break": lambda: break_a_link(learner),
    }
    for way, wander in ways.items():
        page.locator("#diagram").focus()
        wander()
        expect(page.locator(".wandered"), way).to_contain_text("You have wandered off.")
        page.locator("#diagram").focus()
        learner.press("r")
        expect(page.locator(".wandered"), way).to_have_count(0)
        learner.look_becomes(before)


def break_a_link(learner: Learner) -> None:
    """Slow a link down, of somebody else, and let time run for a moment."""
    page = learner.page
    learner.press("x")
    dialog = page.locator("dialog.faults")
    dialog.locator("input[value=latency]").check(force=True)
    dialog.locator("#fault-target").select_option("worker-1")
    dialog.locator("#fault-peer").select_option("workstation")
    dialog.locator("[type=submit]").click()
    expect(page.locator(".fault-chip")).to_contain_text("worker-1")


def go_back_and_forth(learner: Learner) -> None:
    """What was reached stays reached, and is not played or asked again."""
    page = learner.page
    learner.wait_until_time_stands()  # it went on for what was broken
    head = learner.head
    page.locator("#diagram").focus()
    learner.press("b")
    expect(learner.title).to_have_text("First, a connection")
    expect(page.locator(".steps .step:enabled")).to_have_count(2)
    learner.next()
    expect(learner.title).to_have_text("ClientHello makes an offer")
    assert learner.head == head


def predict_before_it_is_shown(learner: Learner) -> None:
    """The text and the message come after the prediction, with a word on it."""
    page = learner.page
    for title in ("ServerHello; what follows is encrypted", "The server asks", "The server shows its certificate"):
        learner.next()
        expect(learner.title).to_have_text(title)
    learner.next()
    expect(learner.title).to_have_text("What does the server's private key do?")
    expect(learner.row("Finished")).to_have_count(0)
    page.locator(".predict input[value=encrypts]").check()
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(learner.title).to_have_text("Signed, and finished")
    expect(page.locator(".feedback.wrong")).to_contain_text("That was RSA key exchange")
    expect(learner.row("Finished")).to_have_attribute("aria-selected", "true")


def compare_a_myth_with_the_wire(learner: Learner) -> None:
    """The common drawing beside what was captured, from which a button leads into the diagram."""
    page = learner.page
    page.locator(".myth-open").click()
    expect(page.locator(".myth-common li")).to_have_text(
        ["kubectl → kube-apiserver: session key, encrypted with the server's public key"]
    )
    expect(page.locator(".myth-wire li")).to_contain_text(["ClientHello", "ServerHello", "CertificateVerify"])
    page.get_by_role("button", name="Show in the diagram", exact=True).click()
    expect(learner.row("ClientHello")).to_have_attribute("aria-selected", "true")
    page.locator("#diagram").focus()
    learner.press("r")


def load_the_page_again(learner: Learner) -> None:
    """The page comes back to the furthest step, also from an earlier one; what was skipped is not asked again.

    The terminal has what it had.
    """
    page = learner.page
    typed = page.locator(".ran-line b").all_inner_texts()
    assert len(typed) > 1
    page.locator("#diagram").focus()
    learner.press("b")
    page.reload()
    learner.arrive()
    expect(learner.title).to_have_text("Signed, and finished")
    expect(page.locator(".ran-line b")).to_have_text(typed)
    expect(page.locator(".feedback.wrong")).to_be_visible()
    expect(learner.row("Finished")).to_have_attribute("aria-selected", "true")
    page.locator(".steps .step").nth(1).click()
    expect(learner.title).to_have_text("ClientHello makes an offer")
    page.locator(".steps .step").nth(5).click()
    expect(learner.title).to_have_text("Signed, and finished")


def read_on_in_german(learner: Learner) -> None:
    """Everything speaks German at once, the common drawing of a myth too; nothing else moves."""
    page = learner.page
    before = learner.look["selected"]
    page.get_by_role("button", name="Deutsch").click()
    expect(learner.title).to_have_text("Signiert und fertig")
    expect(page.locator(".feedback.wrong")).to_contain_text("Das war der RSA-Schlüsseltausch")
    page.locator(".myth-open").click()
    expect(page.locator(".myth-common li")).to_contain_text(["Sitzungsschlüssel, für den Server verschlüsselt"])
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)  # while one is open, the page's keys rest
    assert learner.look["selected"] == before


def take_the_terminal(learner: Learner) -> None:
    """The lesson hands the terminal over, and goes on by itself once the learner has done it."""
    page = learner.page
    for title in ("Erst jetzt, und verschlüsselt", "Besitz bewiesen, und gleich weiter", "Wer bin ich?"):
        learner.next()
        expect(learner.title).to_have_text(title)
    learner.next()
    page.locator(".predict input[value=unauthorized]").check()
    page.get_by_role("button", name="Antworten", exact=True).click()
    expect(learner.title).to_have_text("401, über eine vollständige Verbindung")
    expect(page.locator(".feedback.right")).to_be_visible()
    page.locator(".your-turn .primary").click()
    expect(learner.title).to_have_text("Bekannt als niemand: 403")
    expect(learner.row("403 Forbidden")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".screen-log")).to_contain_text("nobody.conf")


def finish(learner: Learner) -> None:
    """After the last step come the check and the end of the walkthrough, which the list then says."""
    page = learner.page
    learner.next()
    page.get_by_role("button", name="Überspringen").click()
    expect(learner.title).to_have_text("Ein Alert")
    go_on(page, until=".finished")
    expect(learner.title).to_have_text("Geschafft")
    expect(page.locator(".sources a").first).to_have_attribute(
        "href", "https://www.rfc-editor.org/rfc/rfc8446#section-2"
    )
    page.goto("/walkthroughs/")
    expect(page.locator("[data-lesson='walkthroughs/mutual-tls'] .done")).to_have_text("geschafft")
