"""The state at the cursor, beside the diagram: a rollout walked backwards on the board, and one pod's history."""

import re

import pytest
from browser_page import Glassplane
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STEPS_MAX = 200


def test_a_rollout_is_seen_backwards_and_a_pod_s_history_leads_to_its_binding(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.type_command("kubectl create deployment web --image=nginx --replicas=1")
    glassplane.press("Escape")
    page.locator("#diagram").focus()
    glassplane.press("s")
    page.click("#state-tab-board")
    pod = page.locator(".state-pods li", has_text="web-")
    expect(pod).to_contain_text("Running")
    page.click("#run")
    glassplane.wait_until_paused()
    name = pod.locator(".object-link").inner_text()
    glassplane.find(name)
    page.locator("#diagram").focus()
    seen = walked_back(glassplane, pod)
    assert [one for one in seen if one in {"Running", "Pending", "absent"}] == ["Running", "Pending", "absent"], seen
    expect(page.locator(".state-changes")).to_contain_text(f"− {name}")
    bound_by_the_scheduler(glassplane, name)


def walked_back(glassplane: Glassplane, pod: Locator) -> list[str]:
    """Step back until the pod is not there: its statuses in the order in which the board has shown them."""
    seen: list[str] = []
    for _ in range(STEPS_MAX):
        status = pod.locator(".pod-status").inner_text().split()[0] if pod.count() else "absent"
        if seen[-1:] != [status]:
            seen.append(status)
        if status == "absent":
            break
        glassplane.press("ArrowLeft")
        stands_at_the_cursor(glassplane.page)
    return seen


def stands_at_the_cursor(page: Page) -> None:
    """The state that is shown is the state after the last message that is shown."""
    expect(page.locator(".state-standing")).to_have_attribute("aria-busy", "false")


def bound_by_the_scheduler(glassplane: Glassplane, name: str) -> None:
    """Open the pod's history, and go from there to the write that bound it."""
    page = glassplane.page
    glassplane.press("End")
    page.locator(".state-pods .object-link", has_text=name).click()
    expect(page.locator(".state-object-head h3")).to_contain_text(name)
    expect(page.locator(".state-versions > li.here")).to_have_count(1)
    binding = page.locator(".state-versions > li", has_text="spec.nodeName")
    binding.locator(".version").click()
    expect(binding).to_have_attribute("aria-current", "step")
    expect(binding.locator(".version")).to_contain_text("kube-scheduler")
    expect(binding.locator(".diff")).to_contain_text(re.compile(r"\+\sspec\.nodeName: worker-\d"))
    expect(page.locator(".state-versions > li.ahead").first).to_be_visible()
    expect(page.locator("#diagram [aria-selected=true]")).to_be_in_viewport()
    stands_at_the_cursor(page)
    page.locator(".state-object-head .button").click()
    expect(page.locator("#search")).to_have_value(f"resource:=pods object:default/{name} rest:folded")
    page.locator("#search").press("Escape")
    page.locator(".state-object-head .ghost").click()
    expect(page.locator(".state-pods li", has_text=name)).to_contain_text("Pending")


def test_the_pane_stays_as_it_was_left(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    page.click(".state-button.beside-time")
    page.click("#state-tab-topology")
    expect(page.locator(".state-hosts")).to_contain_text("control-plane")
    page.reload()
    expect(page.locator("#state-tab-topology")).to_have_attribute("aria-selected", "true")
    connection = page.locator(".state-table .object-link").first
    connection.click()
    expect(page.locator("#search")).to_have_value(re.compile(r"^connection:\d+$"))
    page.locator("#state-tab-topology").press("ArrowLeft")
    expect(page.locator("#state-tab-board")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("#state-panel").press("Escape")
    expect(page.locator("#state")).to_have_count(0)
    expect(page.locator(".state-button.beside-time")).to_be_focused()


def test_before_the_first_message_that_matches_both_say_so(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press("Escape")
    page.click("#run")
    glassplane.wait_until_paused()
    page.locator("#diagram").focus()
    glassplane.press("s")
    stands_at_the_cursor(page)
    glassplane.find("kind:process.started")
    page.locator("#diagram").focus()
    glassplane.press("Home", "ArrowLeft")
    nothing = page.locator(".nothing")
    expect(nothing).to_contain_text("comes later than here")
    expect(page.locator("#state")).to_contain_text("Before the first message nothing is known yet.")
    stands_at_the_cursor(page)
    nothing.get_by_role("button", name="To the first match").click()
    expect(nothing).to_have_count(0)
    assert len(glassplane.places) == 1
