"""The terminal of the page: keys for a program that runs, and texts that are edited."""

import re

import pytest
from browser_page import Glassplane
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_what_is_typed_goes_to_the_program_that_waits_for_it(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    command = page.locator("#command")
    command.fill("cat > note.txt; wc -l note.txt")
    command.press("Enter")
    expect(page.locator(".prompt.keys")).to_be_visible()
    expect(command).to_have_accessible_name("Input for cat > note.txt; wc -l note.txt")
    for line in ("kubectl get nodes", "two"):
        command.fill(line)
        command.press("Enter")
        expect(page.locator(".ran .stdin", has_text=line)).to_have_count(1)  # a part of its own, if much has come since
    command.press("Control+d")
    expect(page.locator(".ran .stdout")).to_have_text("2 note.txt\n")
    expect(page.locator(".prompt.keys")).to_have_count(0)
    assert "kubectl get nodes\ntwo" in glassplane.type_command("cat note.txt").inner_text()
    command.fill("sort")
    command.press("Enter")
    expect(page.locator(".prompt.keys")).to_be_visible()
    command.press("Control+c")
    expect(page.locator(".ran-code").last).to_contain_text("130")


def test_a_text_is_edited_in_a_pane_and_written_or_left(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.type_command("echo a > note.txt")
    text = page.locator("#editor-text")
    page.locator("#command").fill("edit note.txt")
    page.press("#command", "Enter")
    expect(text).to_be_focused()
    expect(text).to_have_value("a\n")
    page.keyboard.press("Escape")
    text.fill("b\nc")
    page.keyboard.press("Control+s")
    expect(text).to_have_count(0)
    expect(page.locator("#command")).to_be_focused()
    assert "b\nc" in glassplane.type_command("cat note.txt").inner_text()
    page.locator("#command").fill("edit note.txt")
    page.press("#command", "Enter")
    text.fill("lost")
    page.get_by_role("button", name="Cancel").click()
    expect(text).to_have_count(0)
    assert "b\nc" in glassplane.type_command("cat note.txt").inner_text()


def test_tab_completes_the_past_is_searched_and_the_keys_of_a_shell_work(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    command = page.locator("#command")
    command.fill("kubec")
    command.press("Tab")
    expect(command).to_have_value("kubectl ")
    page.keyboard.type("get nodes work")
    command.press("Tab")
    expect(command).to_have_value("kubectl get nodes worker-")
    command.press("Tab")
    expect(page.locator(".possible span:not(.visually-hidden)")).to_have_text(["worker-1 ", "worker-2 "])
    page.keyboard.type("1 ")
    expect(page.locator(".possible")).to_have_count(0)
    command.press("Enter")
    expect(page.locator(".ran pre")).to_contain_text("worker-1")
    for key, value in (("Control+w", "echo one "), ("Control+u", "")):
        command.fill("echo one two") if key == "Control+w" else None
        command.press(key)
        expect(command).to_have_value(value)
    glassplane.type_command("echo once")
    command.press("Control+r")
    page.keyboard.type("get no")
    expect(page.locator(".found")).to_have_text("kubectl get nodes worker-1")
    command.press("ArrowRight")
    expect(command).to_have_value("kubectl get nodes worker-1")
    command.fill("")
    command.press("Tab")
    expect(command).not_to_be_focused()


def test_a_line_goes_on_in_the_background_and_a_reloaded_page_types_to_the_program_that_reads(
    glassplane: Glassplane,
) -> None:
    page = glassplane.open().page
    expect(glassplane.type_command("kubectl get nodes -w & echo over")).to_contain_text("worker-1")
    stop = page.locator(".ran-line .stop")
    expect(stop).to_be_visible()
    page.fill("#command", "cat > note.txt")
    page.press("#command", "Enter")
    expect(page.locator(".prompt.keys")).to_be_visible()
    page.reload()
    expect(page.locator(".prompt.keys")).to_be_visible()
    page.fill("#command", "typed on")
    page.press("#command", "Enter")
    page.press("#command", "Control+d")
    expect(page.locator(".prompt.keys")).to_have_count(0)
    assert "typed on" in glassplane.type_command("cat note.txt").inner_text()
    stop.click()
    expect(stop).to_have_count(0)
    assert "Terminated" in glassplane.type_command("jobs").inner_text()


def test_programs_are_told_how_many_letters_fit_and_when_that_changes(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    columns = int(glassplane.type_command("stty size").inner_text().split()[-1])
    assert (
        glassplane.type_command("yes x | head -500 | tr -d '\\n' | head -c $COLUMNS")
        .locator("pre")
        .evaluate(
            """pre => {
          const letter = pre.querySelector("span").getBoundingClientRect().width / COLUMNS;
          const room = pre.clientWidth;
          return room - COLUMNS * letter >= 0 && room - (COLUMNS + 1) * letter < 0;
        }""".replace("COLUMNS", str(columns))
        )
    ), f"a line of {columns} letters fits, and no letter more"
    command, view = page.locator("#command"), page.viewport_size
    assert view is not None
    command.fill("while sleep 1; do stty size; done")
    command.press("Enter")
    told = page.locator(".ran .stdout").last
    expect(told).to_contain_text(f" {columns}\n")
    page.set_viewport_size({"width": view["width"] // 2, "height": view["height"]})
    expect(told).to_have_text(re.compile(rf"\d+ (?!{columns}\n)\d+\n"))
    command.press("Control+c")
