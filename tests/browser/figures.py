"""How fast the diagram is in real Chromium: first paint, a step, one more message, a jump while scrolling.

`python tests/browser/figures.py` prints one line of JSON for each length of the journal. Figures, never a timed test.
No server is needed: the browser's requests are answered from the source tree.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
PAGE = """<!doctype html><html><head>
<link rel="stylesheet" href="/static/css/glass.css"><link rel="stylesheet" href="/static/css/diagram.css">
<script type="importmap">{"imports": {"preact": "/static/vendor/preact.js",
"preact/hooks": "/static/vendor/preact-hooks.js",
"@preact/signals": "/static/vendor/signals.js", "@preact/signals-core": "/static/vendor/signals-core.js"}}</script>
</head><body></body></html>"""


def answer(route: Route) -> None:
    """Answer a request of the page from disk."""
    path = route.request.url.removeprefix("http://glassplane.test")
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=ROOT / path.lstrip("/"))


def figures(counts: tuple[int, ...] = (1_000, 10_000, 100_000)) -> Iterator[dict[str, Any]]:
    """Measure a journal of each length; milliseconds."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.route("http://glassplane.test/**", answer)
        for count in counts:
            page.goto("http://glassplane.test/")
            measure = "async (count) => (await import('/tests/browser/figures.js')).measure(count)"
            yield page.evaluate(measure, count)
        browser.close()


if __name__ == "__main__":
    for figure in figures():
        sys.stdout.write(json.dumps(figure) + "\n")
