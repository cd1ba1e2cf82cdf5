"""What if: a branch from the middle of a rollout, another thing done there, beside the original, and back to that."""

import pytest
from browser_page import Glassplane, head_passes
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_branch_from_the_middle_of_a_rollout_goes_another_way_and_the_original_goes_on(
    glassplane: Glassplane,
) -> None:
    glassplane.open()
    page = glassplane.page
    original = page.locator("#playground").get_attribute("data-cluster")
    page.click("#first-command")
    expect(page.locator(".screen-log")).to_contain_text("deployment.apps/web created")
    glassplane.type_command("kubectl rollout status deployment/web")
    glassplane.find("resource:pods/binding kind:http.request")
    seq = int(str(glassplane.rows.first.get_attribute("id")).rpartition("-")[2])
    page.fill("#search", f"#{seq}")
    page.press("#search", "Enter")
    expect(page.locator(".live-badge")).to_have_text("In the past")
    page.locator("#diagram").focus()
    glassplane.press("a")
    panel = page.get_by_role("dialog", name="What if: branches of this run")
    expect(panel).to_contain_text("This run has no branches yet.")
    expect(panel).to_contain_text("Instants, not moments inside them")
    panel.get_by_role("button", name=f"Branch after #{seq}").click()
    page.wait_for_url(lambda url: original not in url)
    expect(page.locator(".filter-said")).to_contain_text("This is a branch. Up to #")
    expect(page.locator(".live-badge")).to_have_text("Paused")
    head_passes(page, seq - 1)
    page.click("#run")
    glassplane.type_command("kubectl delete deployment web")
    expect(page.locator(".screen-log")).to_contain_text('deployment.apps "web" deleted')
    expect(page.locator(".filter-said")).to_have_count(0)
    page.locator("#diagram").focus()
    glassplane.press("a")
    expect(panel.locator("[aria-current]")).to_contain_text("Branch 1")
    panel.get_by_role("button", name="Name: Branch 1").click()
    page.get_by_label("Name of this run").fill("without <b>web</b>")
    page.keyboard.press("Enter")
    expect(panel.locator("[aria-current]")).to_contain_text("without <b>web</b>")
    panel.get_by_role("link", name="Side by side: The original").click()
    expect(page.locator(".beside-runs")).to_contain_text("B without <b>web</b>")
    expect(page.locator(".beside-summary")).to_contain_text("messages are common to both")
    expect(page.locator(".beside-rows")).to_contain_text("You run kubectl delete deployment web")
    expect(page.locator(".beside-objects")).to_contain_text("Deployment default/web is there at the end of A only")
    page.locator(".beside-runs a").first.click()
    page.wait_for_url(f"**/clusters/{original}/")
    expect(page.locator(".screen-log")).to_contain_text("deployment.apps/web created")
    expect(page.locator(".screen-log")).not_to_contain_text("deleted")
    page.locator("#diagram").focus()
    page.fill("#search", "> branches")
    page.press("#search", "Enter")
    panel.get_by_role("button", name="Delete: without <b>web</b>").click()
    panel.get_by_role("button", name="Delete it and its journal").click()
    expect(panel).to_contain_text("This run has no branches yet.")
    assert glassplane.complaints == []
