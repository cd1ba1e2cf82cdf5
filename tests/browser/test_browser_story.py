"""The story of the product, as a newcomer lives it: create, watch, pause, step, open, ask why, lose the connection."""

import re

import pytest
from browser_page import Glassplane, head_passes
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FIRST_COMMAND = "kubectl create deployment web --image=nginx --replicas=3"


@pytest.fixture
def created(glassplane: Glassplane) -> Glassplane:
    """The page after the newcomer's first command."""
    page = glassplane.open()
    page.page.click("#first-command")
    expect(page.page.locator(".screen-log")).to_contain_text("deployment.apps/web created")
    return page


def test_one_button_makes_a_deployment_whose_pods_run(created: Glassplane) -> None:
    expect(created.page.locator(".ran-line").first).to_contain_text(FIRST_COMMAND)
    created.page.locator(".pace input").fill("6")  # 10×
    created.type_command("kubectl rollout status deployment web")
    pods = created.type_command("kubectl get pods").inner_text()
    assert len(re.findall(r"^web-\S+\s+1/1\s+Running", pods, re.MULTILINE)) == 3, pods
    for text in ("POST deployments", "POST replicasets", "binding", "RunPodSandbox", "StartContainer"):
        created.find(text)
        expect(created.rows, text).not_to_have_count(0)


def test_stepping_back_and_forward_moves_nothing_that_stays_drawn(created: Glassplane) -> None:
    created.press("Escape", " ")
    created.wait_until_paused()
    created.press("End")
    size, places = created.size, created.places
    created.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    expect(created.page.locator(".live-badge")).to_have_text("In the past")
    expect(created.rows.last).to_have_attribute("aria-setsize", str(size - 3))
    earlier = created.places
    common = earlier.keys() & places.keys()
    assert len(common) > 10
    assert {row: earlier[row] for row in common} == {row: places[row] for row in common}
    created.press("ArrowRight", "ArrowRight", "ArrowRight")
    expect(created.rows.last).to_have_attribute("aria-setsize", str(size))
    later = created.places
    common = later.keys() & places.keys()
    assert len(common) > 10
    assert {row: later[row] for row in common} == {row: places[row] for row in common}
    created.wait_until_paused()


def test_a_step_at_the_end_lets_the_cluster_say_one_more_message(created: Glassplane) -> None:
    created.press("Escape", " ")
    created.wait_until_paused()
    created.press("End")
    folded = created.size
    created.press("h")
    expect(created.rows.last).not_to_have_attribute("aria-setsize", str(folded))  # heartbeats stand one by one now
    expect(created.page.locator(".live-badge")).to_have_text("Paused")
    size = created.size
    for more in (1, 2, 3):
        created.press("ArrowRight")
        expect(created.rows.last).to_have_attribute("aria-setsize", str(size + more))
    created.press(" ")
    expect(created.page.locator(".live-badge")).to_have_text("Live")


def test_an_arrow_opens_down_to_its_bytes(created: Glassplane) -> None:
    page = created.page
    created.find("POST deployments")
    created.row("POST deployments").first.click()
    drawer = page.locator(".drawer")
    expect(drawer.locator("h2")).to_have_text(re.compile("kubectl asks kube-apiserver to create Deployment web"))
    expect(drawer.locator(".explanation")).not_to_be_empty()
    page.click("#tab-headers")
    expect(drawer.locator("tr", has_text=":path")).to_contain_text("/apis/apps/v1/namespaces/default/deployments")
    page.click("#tab-body")
    expect(drawer.locator("[role=treeitem]", has_text="replicas:")).to_contain_text("3")
    page.fill(".tree-search", "nginx")
    expect(drawer.locator(".leaf.match").first).to_contain_text("nginx")
    page.click("#tab-records")
    expect(drawer.locator(".record .hint").first).to_contain_text("That is forward secrecy.")
    expect(drawer.locator(".hex-bytes").first).to_have_text(re.compile("^17 03 03"))
    expect(drawer.locator(".hex").nth(1)).to_contain_text(":")
    page.click("#tab-bytes")
    expect(drawer.locator(".hex-row").first).to_contain_text("0000")


def test_why_leads_back_to_the_command(created: Glassplane) -> None:
    page = created.page
    created.find("RunPodSandbox")
    created.rows.first.wait_for()
    created.rows.first.click()
    created.press("w")
    chain = page.locator(".chain .entry-link")
    expect(chain.first).to_contain_text("kubectl create deployment")
    expect(page.locator(".origin")).to_have_text("A command was typed")
    expect(page.locator(".chain [aria-current]")).to_contain_text("RunPodSandbox")
    chain.first.click()
    expect(page.locator(".drawer h2")).to_contain_text(FIRST_COMMAND)


def test_a_lost_connection_resumes_without_a_gap_or_a_duplicate(created: Glassplane) -> None:
    page = created.page
    created.press("Escape", "4", "h")
    page.locator(".pace input").fill("6")
    created.cut()
    expect(page.locator(".banner.lost")).to_be_visible()
    before = created.head
    head_passes(page, before + 20)
    created.mend()
    expect(page.locator(".banner.lost")).to_be_hidden()
    created.press("End", " ")
    created.wait_until_paused()
    head = created.head
    expect(created.rows.last).to_have_attribute("aria-setsize", str(head))
    expect(created.rows.last).to_have_id(f"row-{head}")
    seqs = [int(row.removeprefix("row-")) for row in created.places]
    assert sorted(seqs) == list(range(min(seqs), head + 1))


def test_a_command_that_outlives_a_cut_prints_each_line_once(created: Glassplane) -> None:
    page = created.page
    page.fill("#command", "kubectl get pods -w")
    page.press("#command", "Enter")
    expect(page.locator(".ran").last).to_contain_text("NAME")
    created.cut()
    expect(page.locator(".banner.lost")).to_be_visible()
    created.mend()
    expect(page.locator(".banner.lost")).to_be_hidden()
    page.locator(".line .stop").click()
    page.locator(".line .stop").wait_for(state="detached")
    lines = [line for line in page.locator(".ran").last.inner_text().splitlines() if line.startswith("NAME")]
    assert len(lines) == 1


def test_what_does_not_exist_is_refused_in_words_and_the_cluster_goes_on(glassplane: Glassplane) -> None:
    glassplane.open()
    assert "not found" in glassplane.type_command("no-such-program --help").inner_text()
    assert "not found" in glassplane.type_command("kubectl get deployment nowhere").inner_text()
    expect(glassplane.page.locator(".health.running")).to_be_visible()
