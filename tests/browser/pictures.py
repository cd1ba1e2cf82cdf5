"""Pictures of every page and state in both themes: `python tests/browser/pictures.py http://127.0.0.1:8000 FOLDER`.

More arguments name acts. To look at after a change, and for the documents: those in `TOUR` are kept in docs/pictures/.
They are made smaller by a palette where Pillow is there (`pip install pillow`).
"""

import contextlib
import shutil
import sys
from functools import partial
from pathlib import Path

from browser_scenes import ACTS, Scenes, Stage, close_coach, room
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
SIZE = {"width": 1440, "height": 900}
THEMES = ("light", "dark")
TOUR = [
    "why-light",
    "why-dark",
    "your-turn-light",
    "myth-light",
    "exercise-answered-dark",
    "console-incident-light",
    "fault-active-dark",
]
CLASS = (("Kim", "A"), ("Robin", "B"), ("Noa", "A"), ("Jules", "B"))


def story(stage: Stage) -> Scenes:
    """The moment that explains most: a pod is bound to its node, and its causes lead back to the command."""
    page = stage.person()
    page.goto("/sandbox/")
    page.locator(".health.running").wait_for()
    page.click("#first-command:enabled")
    page.get_by_text("deployment.apps/web created").wait_for()
    close_coach(page)
    page.fill("#search", "StartContainer web")
    page.press("#search", "Enter")
    page.locator("text.label", has_text="StartContainer web").nth(2).wait_for()
    page.locator("#diagram").focus()
    page.keyboard.press("Space")
    page.fill("#search", "/binding")
    page.press("#search", "Enter")
    page.locator("text.label", has_text="/binding").nth(2).wait_for()
    page.locator(".row.request").first.click()
    page.click("#tab-why")
    page.fill("#search", "")
    page.locator("#diagram").focus()
    yield "why", page


def take(page: Page, folder: Path, name: str) -> None:
    """A picture in each theme."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.mouse.move(SIZE["width"] / 2, SIZE["height"] - 2)
        page.wait_for_timeout(400)  # until the panes have stopped moving
        path = folder / f"{name}-{theme}.png"
        page.screenshot(path=path)
        squeeze(path)


def squeeze(path: Path) -> None:
    """As many colours as one sees."""
    with contextlib.suppress(ImportError):
        from PIL import Image

        Image.open(path).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1).save(path, optimize=True)


def main(server: str, folder: Path, wanted: list[str]) -> None:
    """Go through all acts, or those that are wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    acts = ACTS | {"story": story, "room": partial(room, learners=CLASS)}
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        for act in wanted or acts:
            stage = Stage(browser, server.rstrip("/"), viewport=SIZE)
            for name, page in acts[act](stage):
                take(page, folder, name)
            stage.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
