"""An incident as somebody lives it: a false alarm, noticed, a wrong diagnosis, the right one, repaired, debrief."""

import pytest
from browser_incident import NAMED, ask_for, begin, cry_wolf, diagnose, notice
from browser_page import Glassplane
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AS_THE_DIAGRAM_HAS_SCROLLED = """(link) => {
  link.click();
  document.querySelector(".scroller").dispatchEvent(new Event("scroll"));  // of following the live end, a frame ago
}"""


def test_an_incident_from_the_first_false_alarm_to_its_debrief(glassplane: Glassplane) -> None:
    page = glassplane.page
    begin(page)
    expect(page.get_by_role("button", name="Break something")).to_have_count(0)
    cry_wolf(page)
    notice(page)
    expect(page.locator(".fault-chips")).to_have_count(0)
    diagnose(page, "power-off", "worker-1")
    expect(page.locator(".incident-said.wrong")).to_contain_text("It is not that, or not there.")
    page.reload()
    expect(page.locator(".incident-said.wrong")).to_contain_text("It is not that")
    diagnose(page, *NAMED)
    expect(page.locator(".incident-said.right")).to_contain_text("Component killed")
    ask_for(page, "power")
    expect(page.locator(".incident")).to_contain_text("That would not help here.")
    ask_for(page, "start")
    debrief = page.locator(".incident-debrief")
    expect(debrief).to_contain_text("It works again")
    assert debrief.locator("dd").all_inner_texts()[3:] == ["2", "1", "0"], "diagnoses, false alarms, hints"
    expect(debrief.locator(".fault-card")).to_contain_text("The program is gone from one instant to the next")
    expect(debrief.locator(".fault-card details").first).not_to_have_attribute("open", "")
    debrief.locator(".entry-link").evaluate(AS_THE_DIAGRAM_HAS_SCROLLED)
    expect(page.locator("#diagram [aria-selected=true]")).to_have_count(1)
    debrief.get_by_role("link", name="Another one").click()
    expect(page.locator("h1")).to_have_text("Incident of the day")


def test_a_faults_card_is_read_beside_its_form_and_beside_what_is_broken(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.locator("#diagram").focus()
    page.keyboard.press("x")
    page.locator("dialog.faults input[value=power-off]").check(force=True)
    page.locator("dialog.faults .fault-about summary").first.click()
    card = page.locator("dialog.faults .fault-card")
    expect(card).to_contain_text("What heals it in a real cluster")
    expect(card).to_contain_text("node.kubernetes.io/out-of-service")
    page.locator("dialog.faults input[value=stop]").check(force=True)
    expect(card).to_have_count(0)
    page.locator("dialog.faults [type=submit]").click()
    page.locator(".fault-ask").click()
    expect(page.locator(".fault-popover .fault-card")).to_contain_text("It closes its connections in good order first")
    page.keyboard.press("Escape")
    expect(page.locator(".fault-popover")).not_to_be_visible()
