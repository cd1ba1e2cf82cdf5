"""What the page says when its server dies, or its reader is sent out of a room: nothing that is not so."""

from collections.abc import Callable
from typing import Any

import pytest
from browser_page import Glassplane
from browser_room import EXPECTED, Instructor, Learner
from browser_server import Server
from playwright.sync_api import Browser, expect
from test_browser_room import mortal, people

__all__ = ["mortal", "people"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]


def test_a_command_typed_while_the_server_is_dead_waits_and_is_run_once(chromium: Browser, mortal: Server) -> None:
    glassplane = Glassplane(chromium, mortal.address)
    page = glassplane.open().page
    glassplane.type_command("kubectl create configmap a")
    mortal.kill()
    expect(page.locator(".banner.lost")).to_contain_text("Connection lost.")
    page.fill("#command", "kubectl create configmap b")
    page.press("#command", "Enter")
    expect(page.locator(".terminal")).to_contain_text("1 command waits")
    mortal.start()
    page.locator(".health.running").wait_for()
    expect(page.locator(".screen-log")).to_contain_text("configmap/b created")
    expect(page.locator(".terminal")).not_to_contain_text("1 command waits")
    expect(page.locator(".terminal")).not_to_contain_text("does not run any more")
    expect(page.locator(".banner.ended")).to_have_count(0)
    expect(page.locator(".ran")).to_have_count(2)
    assert [one for one in glassplane.complaints if not any(known in one for known in EXPECTED)] == []
    glassplane.close()


def test_who_is_sent_out_of_a_room_reads_that_and_nothing_else(server: str, people: Callable[..., Any]) -> None:
    ada = people(Instructor, server)
    ada.sign_up()
    bea = people(Learner, server).join(ada.open_room("Thursday"), "Bea")
    bea.runs()
    expect(ada.row("Bea")).to_be_visible()
    ada.row("Bea").get_by_role("button", name="Forget Bea").click()
    ada.console.locator("dialog[open]").get_by_role("button", name="Forget", exact=True).click()
    expect(bea.page.get_by_text("You are no longer in this room.")).to_be_visible()
    bea.page.wait_for_function("() => document.querySelectorAll('.banner').length === 0")
    for said in ("Reconnecting", "This cluster is no longer here", "Start a new cluster", "Connection lost"):
        expect(bea.page.get_by_text(said)).to_have_count(0)
