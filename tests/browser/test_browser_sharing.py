"""A run that is shown to others: by a link, read in a browser that knows nothing of its owner."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def link_of(glassplane: Glassplane) -> str:
    """Make a link to what is seen, by the dialog, and return its address."""
    page = glassplane.page
    page.locator("[popovertarget=takeaway]").first.click()
    page.locator("#takeaway button:has-text('Share')").click()
    page.locator("dialog.share .primary").click()
    return page.locator(".share-address").first.inner_text()


def test_a_link_opens_for_a_stranger_who_reads_and_drives_nothing(
    glassplane: Glassplane, chromium: Browser, server: str
) -> None:
    page = glassplane.open().page
    glassplane.type_command("kubectl create deployment web --image=nginx")
    page.locator("#run").click()
    glassplane.wait_until_paused()
    glassplane.find("kind:http.request")
    glassplane.open_last()
    opened = page.locator(".drawer .seq").first.inner_text()
    link = link_of(glassplane)
    assert "find=" in link
    reader = Glassplane(chromium, server, locale="de-DE")
    reader.page.goto(link)
    expect(reader.page.locator(".reading")).to_be_visible()
    expect(reader.page.locator("#search")).to_have_value("kind:http.request")
    expect(reader.page.locator(".drawer .seq").first).to_have_text(opened)
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")
    for what in ("#command", ".terminal", ".takeaway", ".kubeconfig", ".coach", "#new-cluster"):
        expect(reader.page.locator(what)).to_have_count(0)
    expect(reader.page.locator("#run")).to_be_disabled()
    assert reader.context.cookies() == []
    page.locator("dialog.share button:has-text('Take back')").click()
    expect(reader.page.locator(".banner.ended")).to_contain_text("leads nowhere")
    expect(page.locator(".share-links li")).to_have_count(0)
    again = reader.page.reload()
    assert again is not None
    assert again.status == 404
    expect(reader.page.locator("h1")).to_have_text(re.compile("leads nowhere|führt nirgends"))
    reader.complaints = [said for said in reader.complaints if "404" not in said]
    assert reader.complaints == []
    reader.close()


DECK = """<!doctype html><title>Slides</title><iframe src="{src}" width="900" height="480"></iframe>
<script>
  window.told = [];
  addEventListener("message", ({{ source, origin, data }}) => {{
    if (source === frames[0] && origin === "{origin}") window.told.push(data);
  }});
  window.say = (message) => frames[0].postMessage(message, "{origin}");
</script>"""


@pytest.fixture
def deck() -> Iterator[Callable[[str, str], str]]:
    """A second server on a port of its own: given the address of a frame, it gives that of a page that holds it."""
    page = {"html": b""}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page["html"])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()

        def show(src: str, origin: str) -> str:
            page["html"] = DECK.format(src=src.replace("&", "&amp;"), origin=origin).encode()
            return f"http://localhost:{served.server_port}/"

        yield show
        served.shutdown()


def test_a_page_of_another_origin_holds_a_run_and_steps_it(
    glassplane: Glassplane, chromium: Browser, server: str, deck: Callable[[str, str], str]
) -> None:
    page = glassplane.open().page
    page.locator("#run").click()
    glassplane.wait_until_paused()
    token = link_of(glassplane).split("/shared/")[1].split("/")[0]
    first, last = 20, 60
    visitor = Glassplane(chromium, server)
    slide = visitor.page
    slide.goto(deck(f"{server}/shared/{token}/embed/?from={first}&to={last}&theme=dark&lang=de", server))
    frame = slide.frame_locator("iframe")
    expect(frame.locator(".frame-bar")).to_be_visible()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    expect(frame.locator(".frame-whole")).to_have_text("In Glassplane öffnen")
    for what in ("header.bar", ".transport", ".terminal", "#new-cluster"):
        expect(frame.locator(what)).to_have_count(0)

    def until(what: str) -> dict[str, Any]:
        slide.wait_for_function(f"() => {{ const at = told.at(-1); return at && ({what}); }}")
        return slide.evaluate("told.at(-1)")

    ready = until("at.type.startsWith('glassplane:')")
    assert slide.evaluate("told[0].type") == "glassplane:ready"
    assert ready["at"] == first
    slide.evaluate("say({type: 'glassplane:step', by: 1})")
    assert until(f"at.at > {first}")["text"]
    slide.evaluate("say({type: 'glassplane:goto', seq: 40})")
    until("at.at === 40")
    slide.evaluate("say({type: 'glassplane:command', line: 'kubectl delete nodes --all'})")
    slide.evaluate("say({type: 'glassplane:play', every: 200})")
    end = until("at.atEnd && !at.playing")
    assert end["at"] <= last
    slide.evaluate(f"say({{type: 'glassplane:goto', seq: {last * 100}}})")
    assert until("at.atEnd")["at"] <= last
    frame.locator(".frame-bar button").first.click()
    until("!at.atEnd")
    assert slide.evaluate("document.cookie") == ""
    assert [one for one in visitor.context.cookies() if one["name"] != "django_language"] == []
    assert visitor.complaints == []
    visitor.close()


def test_a_page_of_another_origin_holds_nothing_else(
    glassplane: Glassplane, chromium: Browser, server: str, deck: Callable[[str, str], str]
) -> None:
    glassplane.open()
    link = link_of(glassplane)
    visitor = Glassplane(chromium, server)
    for address in (link, f"{server}/", f"{server}/shared/"):
        with visitor.page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            visitor.page.goto(deck(address, server))
        expect(visitor.page.frame_locator("iframe").locator("body")).not_to_contain_text("Glassplane")
    refused = [said for said in visitor.complaints if "frame-ancestors" in said]
    assert len(refused) == 3
    visitor.close()
