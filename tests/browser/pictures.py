"""Pictures of the running product for its documents: `python tests/browser/pictures.py http://127.0.0.1:8000 FOLDER`.

Each shows the moment that explains most: a pod is bound to its node, and its causes lead back to the command.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"


def main(server: str, folder: Path) -> None:
    """Make `light.png` and `dark.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, color_scheme=scheme, device_scale_factor=1.5
            )
            page = context.new_page()
            page.goto(server.rstrip("/") + "/sandbox/")
            page.locator(".health.running").wait_for()
            page.click("#first-command:enabled")
            page.get_by_text("deployment.apps/web created").wait_for()
            page.click(".coach .close")
            page.fill("#search", "StartContainer web")
            page.locator("text.label", has_text="StartContainer web").nth(2).wait_for()
            page.locator("#diagram").focus()
            page.keyboard.press("Space")
            page.fill("#search", "/binding")
            page.locator("text.label", has_text="/binding").nth(2).wait_for()
            page.locator(".row.request").first.click()
            page.click("#tab-why")
            page.fill("#search", "")
            page.locator("#diagram").focus()
            page.wait_for_timeout(500)  # until the panes have stopped moving
            page.mouse.move(700, 880)
            page.screenshot(path=folder / f"{scheme}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
