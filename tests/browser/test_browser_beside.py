"""Two runs of one seed beside each other: from difference to difference by keyboard, and into one of the runs."""

import os
import re
from pathlib import Path

import pytest
from browser_page import Glassplane
from playwright.sync_api import Page, expect
from test_browser_everybody import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NEW_CLUSTER = """async () => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const asked = { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } };
  return (await (await fetch("/clusters/", asked)).json()).url;
}"""
PICTURES = os.environ.get("PICTURES")


def test_two_runs_stand_beside_each_other_and_the_keyboard_leads_through_what_differs(glassplane: Glassplane) -> None:
    one = run_of(glassplane, "/sandbox/", "kubectl create deployment web --image=nginx --replicas=3")
    other = run_of(glassplane, glassplane.page.evaluate(NEW_CLUSTER), "kubectl create deployment web --image=nginx")
    page = glassplane.page
    page.goto(f"/clusters/{one}/beside/{other}/")
    summary = page.locator(".beside-summary")
    expect(summary).to_contain_text("messages are common to both")
    expect(summary).to_contain_text("The first difference: in B the command is “kubectl create deployment web")
    expect(page.locator(".beside-objects")).to_contain_text(
        re.compile(r"Deployment default/web ends differently: Ready")
    )
    expect(page.locator(".beside-rows")).to_contain_text(
        "in B spec.replicas of Deployment default/web is 1 instead of 3"
    )
    picture(page, "beside")
    first = page.locator('.pair[data-place="0"]')
    expect(first).to_have_attribute("aria-current", "true")
    expect(first).to_contain_text("kubectl create deployment web --image=nginx --replicas=3")
    page.keyboard.press("n")
    expect(page.locator(".pair:focus")).to_have_attribute("data-place", "1")
    expect(page.locator(".beside-steps output")).to_have_text(re.compile(r"^Row 2 of \d+$"))
    page.keyboard.press("Shift+N")
    expect(page.locator(".pair:focus")).to_have_attribute("data-place", "0")

    only_one_object(page)
    page.select_option("[name=rows]", "all")
    expect(page.locator(".pair[data-is=both]").first).to_be_visible()
    assert page.locator(".pair[data-place]").count() <= 60
    picture(page, "beside-all")
    assert violations(page) == []

    link = page.locator(".pair .half.b a").first
    number = link.locator(".seq").inner_text()
    link.click()
    page.wait_for_url(f"**/clusters/{other}/#e{number[1:]}")
    expect(page.locator(".health.running")).to_be_visible()

    narrow_and_in_german(glassplane, f"/clusters/{one}/beside/{other}/")


def run_of(glassplane: Glassplane, path: str, line: str) -> str:
    """Go to a cluster, type a line, and let it come to an end; the cluster's id."""
    page = glassplane.page
    page.goto(path)
    page.locator(".health.running").wait_for()
    glassplane.rows.first.wait_for()
    glassplane.type_command(line)
    glassplane.type_command("kubectl rollout status deployment web")
    return page.locator("#playground").get_attribute("data-cluster") or ""


def only_one_object(page: Page) -> None:
    """Choose an object: rows about it stay, and the count says so."""
    counted = page.locator("[name=object] option", has_text="Deployment default/web (")
    expect(counted).to_have_count(1)
    page.select_option("[name=object]", counted.get_attribute("value"))
    expect(page.locator(".pair .about").first).to_have_text("Deployment default/web")
    expect(page.locator(".pair .about:not(:text-is('Deployment default/web'))")).to_have_count(0)
    page.select_option("[name=object]", "")


def narrow_and_in_german(glassplane: Glassplane, path: str) -> None:
    """On a phone both halves stand one over the other, marked A and B; nothing is wider than the screen."""
    page = glassplane.page
    glassplane.context.add_cookies([{"name": "django_language", "value": "de", "url": glassplane.server}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    expect(page.locator(".beside-summary")).to_contain_text("Der erste Unterschied: in B heißt der Befehl")
    first = page.locator('.pair[data-place="0"]')
    tops = [first.locator(f".half.{side}").bounding_box() for side in "ab"]
    assert tops[0]
    assert tops[1]
    assert tops[0]["y"] < tops[1]["y"]
    expect(first.locator(".half.a .side")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "beside-phone-de")
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def picture(page: Page, name: str) -> None:
    """Keep a picture, for who asked for some (PICTURES=folder)."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")
