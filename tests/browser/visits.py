"""What a first and a second visit to the sandbox cost: requests, bytes on the wire, and the time until it can be used.

`python tests/browser/visits.py` serves the page as `make run` does and prints both visits with what each file weighs.
The page can be used once its terminal takes a line and its diagram has drawn rows; the clock starts with the
navigation, so that starting a cluster is part of it. The socket and what passes it are not counted: they depend on the
run.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.browser_server import Server

PATIENCE_MS = 120_000
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
USABLE = """new MutationObserver((_, observer) => {
  if (!document.querySelector("#command:not(:disabled)") || !document.querySelector("#diagram [role=option]")) return;
  observer.disconnect();
  window.usableMs = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });"""


@dataclass(slots=True)
class Visit:
    """What one visit has fetched over the wire; what came out of the browser's cache is not in it."""

    usable_ms: float = 0
    encoded: dict[str, int] = field(default_factory=dict)  # bytes with their headers, by URL
    decoded: dict[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many."""
        return len(self.encoded)

    @property
    def kib(self) -> float:
        """All of them, headers included."""
        return sum(self.encoded.values()) / 1024


def visit(context: BrowserContext, url: str) -> Visit:
    """Open the page in a tab of its own, and wait until it can be used and nothing more is fetched."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(USABLE)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    told, asked, cached = Visit(), dict[str, str](), set[str]()

    def response(event: dict[str, Any]) -> None:
        asked[event["requestId"]] = event["response"]["url"]
        if event["response"].get("fromDiskCache"):
            cached.add(event["requestId"])

    def received(event: dict[str, Any]) -> None:
        if event["requestId"] in asked:
            address = asked[event["requestId"]]
            told.decoded[address] = told.decoded.get(address, 0) + event["dataLength"]

    def finished(event: dict[str, Any]) -> None:
        address = asked.get(event["requestId"], "")
        if event["requestId"] not in cached and address.startswith("http"):
            told.encoded[address] = told.encoded.get(address, 0) + int(event["encodedDataLength"])

    session.on("Network.requestServedFromCache", lambda event: cached.add(event["requestId"]))
    session.on("Network.responseReceived", response)
    session.on("Network.dataReceived", received)
    session.on("Network.loadingFinished", finished)
    page.goto(url)
    page.wait_for_function("() => window.usableMs")
    page.wait_for_load_state("networkidle")
    told.usable_ms = page.evaluate("window.usableMs")
    page.close()
    return told


def visits(browser: Browser, address: str) -> tuple[Visit, Visit]:
    """Visit the sandbox with an empty cache, and once more with what the first visit has left there."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    try:
        return visit(context, f"{address}/sandbox/"), visit(context, f"{address}/sandbox/")
    finally:
        context.close()


def figures() -> tuple[Visit, Visit] | None:
    """Serve the page as `make run` does, and visit it. None without Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        try:
            server.start(set_up=True)
            visit(browser.new_context(), f"{server.address}/sandbox/")  # the server's own first time
            return visits(browser, server.address)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    for name, told in zip(("first", "second"), figures() or (), strict=False):
        for url, size in sorted(told.encoded.items(), key=lambda one: one[1]):
            sys.stdout.write(f"{size:8} {told.decoded.get(url, 0):8} {url}\n")
        decoded = sum(told.decoded.get(url, 0) for url in told.encoded) / 1024
        sys.stdout.write(
            f"{name}: {told.requests} requests, {told.kib:.0f} KiB ({decoded:.0f} unpacked), "
            f"usable after {told.usable_ms:.0f} ms\n"
        )
