"""How fast the diagram is in real Chromium: first paint, one more message, a step, scrolling; and Mermaid beside it.

`python tests/browser/figures.py` prints one line of JSON for each length of the journal. Figures, never a timed test.
No server is needed: the browser's requests are answered from the source tree. Beside the milliseconds that passed
stands what the page's main thread worked (`cpu`), which other programs on the machine change less.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from cluster_engine.words.sentences import page_words

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
COUNTS = (1_000, 5_000, 10_000, 100_000)
MERMAID_ENTRIES = 1_000
#: So often an act is done when it is measured (figures.js).
TIMES = 200
PAGE = """<!doctype html><html><head>
<link rel="stylesheet" href="/static/css/glass.css"><link rel="stylesheet" href="/static/css/diagram.css">
<script type="importmap">{"imports": {"preact": "/static/vendor/preact.js",
"preact/hooks": "/static/vendor/preact-hooks.js",
"@preact/signals": "/static/vendor/signals.js", "@preact/signals-core": "/static/vendor/signals-core.js"}}</script>
</head><body></body></html>"""


class Bench:
    """A page in which `figures.js` measures, with its journal in batches as a server would send it."""

    def __init__(self, page: Page, batches: Sequence[bytes] = ()) -> None:
        self._page = page
        self._batches = batches
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.route("http://glassplane.test/**", self._answer)
        page.goto("http://glassplane.test/")

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://glassplane.test")
        if path == "/":
            route.fulfill(body=PAGE, content_type="text/html")
        elif path == "/static/words/en.json":
            route.fulfill(json=page_words("en"))
        elif path.startswith("/journal/"):
            route.fulfill(body=self._batches[int(path.removeprefix("/journal/"))], content_type="application/json")
        elif (file := ROOT / path.lstrip("/")).is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(status=404)

    def do(self, name: str, *given: Any) -> Any:
        """Call a function of `figures.js`."""
        call = "async ([name, given]) => (await import('/tests/browser/figures.js'))[name](...given)"
        return self._page.evaluate(call, [name, list(given)])

    def cpu(self, name: str, *given: Any) -> dict[str, Any]:
        """Call it, and say what it gave with the milliseconds of work of the main thread, by what it did."""
        before = self._work()
        told = self.do(name, *given)
        after = self._work()
        return {"told": told} | {key: round((after[key] - before[key]) * 1000, 1) for key in after}

    def layouts(self) -> int:
        """How many times the document has been laid out."""
        return int(self._metrics()["LayoutCount"])

    def _metrics(self) -> dict[str, float]:
        return {one["name"]: one["value"] for one in self._devtools.send("Performance.getMetrics")["metrics"]}

    def _work(self) -> dict[str, float]:
        metrics = self._metrics()
        names = {
            "cpu": "ThreadTime",
            "style": "RecalcStyleDuration",
            "layout": "LayoutDuration",
            "script": "ScriptDuration",
        }
        return {key: metrics[name] for key, name in names.items()}

    def heap(self) -> float:
        """MiB that are reachable."""
        self._devtools.send("HeapProfiler.collectGarbage")
        return round(self._devtools.send("Runtime.getHeapUsage")["usedSize"] / 2**20, 1)


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium without a window; None where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield browser
        browser.close()


def figures(counts: Sequence[int] = COUNTS) -> Iterator[dict[str, Any]]:
    """Measure a journal of each length, each in a page of its own; milliseconds."""
    with chromium() as browser:
        for count in counts if browser else ():
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            yield _measured(Bench(page), count)
            page.close()


def _measured(bench: Bench, count: int) -> dict[str, Any]:
    bench.do("begin", count)
    paint = bench.cpu("paint")
    bench.do("settled")
    told = {"entries": count, "firstPaint": {**paint, "ms": paint.pop("told")}} | bench.do("size")
    told |= {name: bench.do(name) for name in ("append", "stepBack", "stepForward")}
    bench.do("boardOpened")
    told |= {f"{name}WithBoard": bench.do(name) for name in ("stepBack", "stepForward")}
    bench.do("boardClosed")
    for name in ("scroll", "scrub"):
        moved = bench.cpu(name)
        told[name] = {**moved["told"], "cpu": moved["cpu"]}
    if count == MERMAID_ENTRIES:
        drawn = bench.cpu("mermaid") if (ROOT / "node_modules" / "mermaid").exists() else None
        told["mermaid"] = drawn and {**drawn.pop("told"), **drawn}
    return told | {"bare": bench.do("bare")}


def held(batches: Sequence[bytes]) -> float | None:
    """MiB that a journal takes in the page, given as JSON arrays of entries, with layout, sentences and the page."""
    with chromium() as browser:
        if browser is None:
            return None
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        bench = Bench(page, batches)
        bench.do("begin", 0)
        bench.do("hold", len(batches))
        return bench.heap()


if __name__ == "__main__":
    for figure in figures(tuple(int(count) for count in sys.argv[1:]) or COUNTS):
        sys.stdout.write(json.dumps(figure) + "\n")
