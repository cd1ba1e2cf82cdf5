"""A run taken along as one HTML file, opened from the disk where there is no network; and pictures of it."""

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from browser_firefox import Firefox
from browser_page import PATIENCE_MS, Glassplane
from playwright.sync_api import Browser, Page, expect

from cluster_engine.export.html import html
from cluster_engine.export.selection import Context, Selection
from cluster_engine.journal import Journal
from cluster_engine.lens.evidence import Evidence, pack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SVG = "{http://www.w3.org/2000/svg}"


def taken(page: Page, press: str) -> tuple[str, bytes]:
    """Press something in the menu, and return the name and the bytes of the file that comes."""
    with page.expect_download() as download:
        page.locator(press).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def offline(chromium: Browser, file: Path, **options: object) -> tuple[Page, list[str]]:
    """Open a file without any network; what the browser complains about, or wants to fetch, is in the list."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    context.set_offline(True)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith(("http", "ws")) else None)
    page.goto(file.as_uri())
    expect(page.locator("#diagram .row").first).to_be_visible()
    return page, complaints


def test_a_run_plays_from_the_disk_by_keyboard_in_both_languages(
    glassplane: Glassplane, chromium: Browser, tmp_path: Path
) -> None:
    page = glassplane.open().page
    glassplane.type_command("kubectl get nodes")
    page.locator("#run").click()
    glassplane.wait_until_paused()
    page.locator(".ghost[popovertarget=takeaway]").click()
    name, data = taken(page, "#takeaway a[href*='export/html']")
    assert name == "glassplane.html"
    file = tmp_path / name
    file.write_bytes(data)
    run, complaints = offline(chromium, file)
    expect(run.locator(".recording-said")).to_contain_text(f"messages 1 to {glassplane.head:,} of a run")
    expect(run.locator(".recording-said")).to_contain_text("Of what was typed and printed the last commands are in it")
    expect(run.locator(".screen-log")).to_contain_text("worker-1")
    for absent in ("#run", "#command", ".state-button", ".pace", "a.brand"):
        expect(run.locator(absent)).to_have_count(0)
    run.locator("#diagram").focus()
    run.keyboard.press("Home")
    first = run.locator("#diagram .row.selected").get_attribute("id")
    run.keyboard.press("ArrowRight")
    expect(run.locator("#diagram .row.selected")).not_to_have_id(str(first))
    expect(run.locator("#diagram .row")).to_have_count(2)
    expect(run.locator(".screen-log .ran")).to_have_count(0)  # as it was then
    run.locator("#search").fill("kind:http.request verb:create")
    expect(run.locator("#diagram .row:not(.request)")).to_have_count(0)
    run.locator("#diagram").focus()
    for key in ("End", "k", "Enter"):
        run.keyboard.press(key)
    run.locator("#tab-body").click()
    expect(run.locator("#drawer-panel .tree, #drawer-panel pre").first).to_be_visible()
    run.locator("#tab-bytes").click()
    expect(run.locator("#drawer-panel")).to_contain_text("0000")
    run.locator("#search").fill("body:Metadata")
    expect(run.locator("#diagram .row").first).to_be_visible()
    run.locator("button.language").click()
    expect(run.locator(".recording-said")).to_contain_text("Eine Aufzeichnung")
    assert complaints == []
    run.context.close()


def test_what_is_broken_is_named_in_the_file_which_has_no_cards(chromium: Browser, tmp_path: Path) -> None:
    journal = Journal()
    entry = {"seq": 0, "at": 1.0, "arrived": None, "layer": "story", "kind": "fault.started", "label": "", "size": 0}
    entry |= {"from": "worker-1/kubelet", "to": None, "connection": None, "stream": None, "heartbeat": False}
    entry |= {"cause": None, "trigger": None, "replyTo": None}
    entry |= {"fields": {"id": "f1", "name": "crash", "target": "worker-1/kubelet", "sealed": False}}
    journal.append(entry, pack(Evidence(), -1))
    file = tmp_path / "run.html"
    file.write_bytes(b"".join(html(journal, Selection(), Context())))
    run, complaints = offline(chromium, file)
    expect(run.locator(".fault-chip")).to_contain_text("worker-1/kubelet")
    expect(run.locator(".fault-ask")).to_have_count(0)
    assert complaints == []
    run.context.close()


HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!-- \u2028"


def hostile_file(folder: Path) -> Path:
    """A file of two messages, whose names and bodies would break out of it, or be too much for it."""
    journal = Journal(bytes_max=64 << 20)
    entry = {"seq": 0, "at": 1.0, "arrived": 1.5, "layer": "story", "kind": "http.request", "label": HOSTILE, "size": 1}
    entry |= {"from": "a/kubectl", "to": "b/kube-apiserver", "connection": 1, "stream": 1, "heartbeat": False}
    entry |= {"cause": None, "trigger": None, "replyTo": None}
    entry |= {"fields": {"verb": "create", "resource": "pods", "name": HOSTILE}}
    for body in (json.dumps({"name": HOSTILE}), "x" * (10 << 20)):
        journal.append(dict(entry), pack(Evidence(body_type="application/json"), journal.keep_body(body.encode())))
    file = folder / "run.html"
    file.write_bytes(b"".join(html(journal, Selection(), Context())))
    return file


def test_a_hostile_name_is_text_in_the_file(chromium: Browser, tmp_path: Path) -> None:
    run, complaints = offline(chromium, hostile_file(tmp_path))
    run.locator("#diagram").focus()
    for key in ("Home", "Enter"):
        run.keyboard.press(key)
    expect(run.locator(".drawer")).to_contain_text(HOSTILE.replace("\u2028", "").strip())
    run.locator("#tab-body").click()
    expect(run.locator("#drawer-panel")).to_contain_text("</script><img")
    assert run.title() == "Glassplane"
    assert run.locator("img").count() == 0
    assert complaints == []
    run.context.close()


@pytest.mark.skipif(
    not (shutil.which("firefox-esr") or shutil.which("firefox")), reason="no Firefox (apt-get install firefox-esr)"
)
def test_firefox_plays_it_too(tmp_path: Path) -> None:
    (tmp_path / "profile").mkdir()
    with Firefox(tmp_path / "profile") as firefox:
        firefox.go(hostile_file(tmp_path).as_uri())
        firefox.until("document.querySelectorAll('#diagram .row').length === 2")
        firefox.until("(document.querySelector('#diagram').focus(), document.activeElement.id === 'diagram')")
        firefox.press("ArrowLeft")
        firefox.until("document.querySelectorAll('#diagram .row').length === 1")
        firefox.press("Enter")
        firefox.click("#tab-body")
        firefox.until("document.querySelector('#drawer-panel').innerText.includes('</script><img')")
        firefox.click("button.language")
        firefox.until("document.querySelector('.recording-said').innerText.includes('Eine Aufzeichnung')")
        firefox.until("document.images.length === 0")
        assert firefox.complaints == []


def test_a_range_is_chosen_and_drawn(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    page.locator(".ghost[popovertarget=takeaway]").click()
    page.get_by_role("button", name="what is in view").click()
    first, last = (page.locator(".takeaway-range input").nth(at).input_value() for at in (0, 1))
    name, data = taken(page, "#takeaway a[href*='export/jsonl']")
    assert name == f"glassplane-{first}-{last}.jsonl"
    assert [json.loads(line)["seq"] for line in data.splitlines()] == list(range(int(first), int(last) + 1))
    name, data = taken(page, "#takeaway .takeaway-picture button:has-text('SVG')")
    assert name == f"glassplane-{first}-{last}.svg"
    picture = ET.fromstring(data)
    assert (picture.findtext(f"{SVG}title"), picture.get("role")) == (f"Messages {first} to {last} of a run", "img")
    assert picture.findtext(f"{SVG}desc")
    assert b"var(" not in data and b"class=" not in data and b"light-dark" not in data
    name, data = taken(page, "#takeaway .takeaway-picture button:has-text('PNG')")
    assert data.startswith(b"\x89PNG")
    page.locator(".takeaway-range input").nth(0).fill(str(int(last) + 1))
    expect(page.locator("#takeaway [role=alert]")).to_have_text("The first message has to come before the last.")
    expect(page.locator("#takeaway a[href*='export/']")).to_have_count(0)
