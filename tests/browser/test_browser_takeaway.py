"""What the page shows, taken along as files."""

import json
from pathlib import Path

import pytest
from browser_page import Glassplane
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def fetched(glassplane: Glassplane, form: str) -> tuple[str, bytes]:
    """Press what a format is called, and return the name and the bytes of the file that comes."""
    with glassplane.page.expect_download() as download:
        glassplane.page.locator(f"#takeaway a[href*='export/{form}']").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_the_journal_and_one_connections_packets_are_taken_along(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    page.locator(".ghost[popovertarget=takeaway]").click()
    name, data = fetched(glassplane, "jsonl")
    assert name == "glassplane.jsonl"
    assert [json.loads(line)["seq"] for line in data.splitlines()] == list(range(1, glassplane.head + 1))
    page.keyboard.press("Escape")
    page.locator("#diagram").focus()
    glassplane.press("4", "End", "k", "k")
    page.locator(".ghost[popovertarget=takeaway]").click()
    connection = page.locator("#takeaway label").nth(1)
    connection.click()
    expect(connection.locator("input")).to_be_checked()
    name, data = fetched(glassplane, "pcapng")
    assert name.startswith("glassplane-connection-")
    assert data.startswith(b"\x0a\x0d\x0d\x0a")
