"""Print how fast the diagram is in real Chromium: first paint, a step, one more message, a jump while scrolling.

`python tests/browser/figures.py`; it starts the harness itself. Figures, never a timed test.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
PORT = 8719


def main() -> None:
    """Measure at three sizes and print one line of JSON each."""
    here = Path(__file__).resolve().parent
    harness = subprocess.Popen([sys.executable, str(here / "harness.py"), str(PORT)])
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            for _ in range(50):
                try:
                    page.goto(f"http://127.0.0.1:{PORT}/")
                    break
                except Exception:  # noqa: BLE001 - the server is starting
                    time.sleep(0.2)
            for count in (1_000, 10_000, 100_000):
                page.goto(f"http://127.0.0.1:{PORT}/")
                page.wait_for_selector("#diagram")
                print(json.dumps(page.evaluate("async (count) => (await import('/browser/figures.js')).measure(count)", count)))
            browser.close()
    finally:
        harness.terminate()
        harness.wait()


if __name__ == "__main__":
    main()
