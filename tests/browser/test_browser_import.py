"""A capture that is brought: here that of a cluster of our own, which says what the journal said."""

import json
from pathlib import Path

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_capture_is_brought_read_and_looked_into(
    glassplane: Glassplane, chromium: Browser, server: str, tmp_path: Path
) -> None:
    page = glassplane.open().page
    glassplane.type_command("kubectl create deployment web --image=nginx")
    page.locator("#run").click()
    glassplane.wait_until_paused()
    exports = page.url if "/clusters/" in page.url else page.locator("#playground").get_attribute("data-entries")
    capture = page.request.get(str(exports).replace("entries/", "export/pcapng"))
    assert capture.ok
    file = tmp_path / "run.pcapng"
    file.write_bytes(capture.body())
    visitor = Glassplane(chromium, server)
    other = visitor.page
    other.goto("/imports/")
    other.set_input_files("[name=file]", file)
    other.locator("#import .primary").click()
    other.wait_for_url("**/clusters/**")
    visitor.rows.first.wait_for()
    expect(other.locator(".banner.ended")).to_contain_text("A recording of another cluster")
    for what in (".terminal", "#command", ".kubeconfig", ".coach"):
        expect(other.locator(what)).to_have_count(0)
    visitor.find("verb:create resource:deployments kind:http.request")
    other.locator("#diagram").focus()
    visitor.press("k", "Enter")
    expect(other.locator(".drawer")).to_contain_text("deployments")
    other.locator(".drawer [role=tab]:has-text('Body')").click()
    expect(other.locator(".drawer")).to_contain_text("nginx")
    visitor.press("Escape")
    visitor.find("body:nginx kind:http.request verb:create resource:deployments")
    expect(other.locator(".search-count")).to_have_text("1 match")
    other.locator(".state-button:visible").first.click()
    pane = other.locator("#state")
    expect(pane.locator(".state-body")).to_contain_text("As far as this capture tells")
    expect(pane).to_contain_text("deployments 1")
    expect(pane.locator("[role=tab]")).to_have_count(5)
    pane.locator("[role=tab]:has-text('Topology')").click()
    expect(pane.locator(".state-topology")).to_contain_text("6443")
    pane.locator("[role=tab]:has-text('Objects')").click()
    pane.locator(".object-link:text-is('web')").first.click()
    expect(pane.locator(".state-versions")).to_contain_text("kubernetes-admin")
    visitor.press("Escape")
    visitor.press("Escape")
    other.locator(".takeaway > button").click()
    formats = other.locator("#takeaway .takeaway-formats a")
    expect(formats).to_have_count(6)
    expect(other.locator("#takeaway")).not_to_contain_text("audit log")
    expect(other.locator("#takeaway")).to_contain_text("without window sizes")
    with other.expect_download() as waiting:
        formats.filter(has_text="JSON").first.click()
    assert b'"sentence"' in Path(waiting.value.path()).read_bytes()
    other.goto("/imports/")
    expect(other.locator("main .rows a")).to_have_text("run.pcapng")
    other.locator("main .rows button").click()
    expect(other.locator("main .rows")).to_have_count(0)
    assert visitor.complaints == []
    visitor.close()


def written(seconds: int, verb: str, **said: object) -> str:
    """A line of an audit log about one pod."""
    about = {"resource": "pods", "namespace": "default", "name": "web-0"}
    event = {"kind": "Event", "auditID": "a", "stage": "ResponseComplete", "verb": verb, "requestURI": "/", **said}
    user = {"user": {"username": "alice"}, "responseStatus": {"code": 200}, "objectRef": about}
    return json.dumps({**event, **user, "stageTimestamp": f"2026-01-01T10:00:{seconds:02}Z"})


def test_an_audit_log_shows_what_stood_and_says_what_it_does_not_show(glassplane: Glassplane, tmp_path: Path) -> None:
    page = glassplane.page
    metadata = {"name": "web-0", "namespace": "default", "resourceVersion": "5"}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "status": {"phase": "Pending"}}
    file = tmp_path / "audit.log"
    file.write_text("\n".join([written(1, "create", responseObject=pod), written(2, "patch"), written(3, "get")]))
    page.goto("/imports/")
    page.set_input_files("[name=file]", file)
    page.locator("#import .primary").click()
    page.wait_for_url("**/clusters/**")
    glassplane.rows.first.wait_for()
    page.locator(".state-button:visible").first.click()
    pane = page.locator("#state")
    expect(pane.locator(".state-body")).to_contain_text("As far as this audit log tells")
    expect(pane.locator("[role=tab]")).to_have_count(2)
    expect(pane).to_contain_text("contents not shown")
    page.locator("#diagram").focus()
    glassplane.press("Home")
    expect(pane).to_contain_text("Pending")
    pane.locator(".object-link:text-is('web-0')").click()
    expect(pane.locator(".state-versions")).to_contain_text("alice")
    page.locator(".takeaway > button").click()
    expect(page.locator("#takeaway .takeaway-formats a")).to_have_count(5)
    expect(page.locator("#takeaway")).to_contain_text("neither packets nor keys")


def test_what_is_no_capture_is_refused_in_words(glassplane: Glassplane, tmp_path: Path) -> None:
    page = glassplane.page
    file = tmp_path / "<b>no.pcap"
    file.write_bytes(b"<b>this is none</b>" * 100)
    page.goto("/imports/")
    page.set_input_files("[name=file]", file)
    page.locator("#import .primary").click()
    expect(page.locator("#import-said")).to_contain_text("This file could not be read: this is no capture")
    page.reload()
    expect(page.locator("main .rows")).to_contain_text("<b>no.pcap")
