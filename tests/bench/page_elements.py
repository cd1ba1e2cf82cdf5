"""How many elements a sandbox's whole page has, in real Chromium at 1280×800, as one part after another is opened."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.browser_server import Server
from tests.browser.figures import chromium

LINE = "kubectl create deployment web --image=nginx --replicas=3"
#: Until what was opened has asked the server, been answered and is drawn.
SETTLED_MS = 4_000


def measure() -> dict[str, float]:
    """Return elements after a Deployment, with the state beside it, with a message's details, with its bytes."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        if browser is None:
            return {}
        server = Server(Path(folder))
        server.start()
        try:
            return _counted(browser.new_page(viewport={"width": 1280, "height": 800}), f"{server.address}/sandbox/")
        finally:
            server.stop()


def _counted(page: Page, address: str) -> dict[str, float]:
    def elements() -> float:
        page.wait_for_timeout(SETTLED_MS)
        return float(page.evaluate("document.querySelectorAll('*').length"))

    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector(".row")
    page.fill("#command", LINE)
    page.press("#command", "Enter")
    page.get_by_text("deployment.apps/web created").last.wait_for()
    counted = {"elements_after_a_deployment": elements()}
    page.click(".state-button:visible")
    counted["elements_with_the_state"] = elements()
    page.click(".state-button:visible")
    page.locator(".row.request").last.click()
    counted["elements_with_details"] = elements()
    page.locator("[id$=tab-bytes]").first.click()
    counted["elements_with_bytes"] = elements()
    return counted
