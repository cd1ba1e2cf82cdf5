"""Every byte explained: fields and bytes point at each other, by mouse and by keyboard, in German and on a phone."""

import re

import pytest
from browser_page import Glassplane
from playwright.sync_api import Browser, Locator, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def opened(glassplane: Glassplane, label: str, tab: str) -> Locator:
    """Open the first message of this label among those of TLS; give its first stretch of bytes."""
    page = glassplane.open().page
    page.locator("#diagram").focus()
    glassplane.press("3")
    glassplane.find(f"{label} ")
    glassplane.press("Home", "Enter")
    page.locator(".drawer").wait_for()
    page.click(f"#tab-{tab}")
    explained = page.locator(".explained").first
    explained.locator("[role=treeitem]").first.wait_for()
    return explained


MARKED = '(one) => [...one.querySelectorAll(".hex-bytes mark")].map((mark) => mark.textContent).join(" ")'
FIRST_IN_VIEW = """(tree) => {
  const row = tree.querySelector("[tabindex='0']");
  return Math.abs(row.getBoundingClientRect().top - tree.getBoundingClientRect().top) < 8;
}"""


def marked(explained: Locator) -> str:
    """The bytes that are marked, in hexadecimal."""
    return str(explained.evaluate(MARKED))


def expect_marked(explained: Locator, wanted: str) -> None:
    """Wait until these bytes are marked, and no others."""
    same = f"([one, wanted]) => ({MARKED})(one) === wanted"
    explained.page.wait_for_function(same, arg=[explained.element_handle(), wanted])


def test_a_field_marks_its_bytes_and_a_byte_its_field(glassplane: Glassplane) -> None:
    explained = opened(glassplane, "ClientHello", "records")
    item = explained.locator("[role=treeitem]")
    meaning = explained.locator(".meaning")
    item.filter(has_text="legacy version").first.hover()
    expect_marked(explained, "03 01")
    expect(meaning).to_contain_text("TLS 1.3 writes 0x0303")
    expect(meaning.locator("a")).to_have_attribute("href", "https://www.rfc-editor.org/rfc/rfc8446#section-5.1")
    glassplane.page.locator(".drawer-head").hover()
    expect(explained.locator("mark")).to_have_count(0)
    item.filter(has_text="client random").click()
    expect(meaning).to_contain_text("bytes 11 to 42")
    assert len(marked(explained).split()) == 32
    explained.locator(".hex-row").first.locator(".hex-bytes").click(position={"x": 4, "y": 4})
    expect_marked(explained, "16")
    expect(item.and_(explained.locator("[aria-selected=true]"))).to_contain_text("22 handshake")
    expect(explained.locator("[role=status]")).to_have_text(re.compile(r"^content type: 22 handshake\. What kind"))


def test_fields_and_bytes_are_walked_by_keyboard(glassplane: Glassplane) -> None:
    explained = opened(glassplane, "EncryptedExtensions", "records")
    plain = glassplane.page.locator(".explained").nth(1)
    first = plain.locator("[role=treeitem]").first
    first.focus()
    glassplane.press("Enter")
    expect(first).to_have_attribute("aria-selected", "true")
    glassplane.press("ArrowLeft", "ArrowLeft")
    expect(first).to_have_attribute("aria-expanded", "false")
    glassplane.press("End")
    last = plain.locator("[role=treeitem]").last
    expect(last).to_be_focused()
    expect(last).to_contain_text("inner content type")
    expect_marked(plain, "16")
    expect(plain.locator("[role=status]")).to_contain_text("encrypts behind the content")
    plain.locator("pre").focus()
    glassplane.press("Home", "ArrowRight")
    expect(plain.locator("[aria-selected=true]")).to_contain_text("length")
    expect(plain.locator("mark.cursor").first).to_have_text("00")
    expect(glassplane.page.locator(".drawer")).to_be_visible()
    expect_marked(explained, "")


def test_in_a_record_of_many_streams_tree_and_bytes_open_at_the_messages_own_frames(glassplane: Glassplane) -> None:
    opened(glassplane, "Range leases/", "records")
    plain = glassplane.page.locator(".explained").nth(1)
    own = plain.locator("[role=treeitem][tabindex='0']")
    expect(own).to_contain_text("HEADERS")
    expect(own).to_have_attribute("aria-expanded", "true")
    place = int(own.get_attribute("aria-posinset") or "0")
    assert place > 30, "frames of other streams come first"
    tree = plain.locator("[role=tree]").element_handle()
    glassplane.page.wait_for_function(FIRST_IN_VIEW, arg=tree)
    expect(plain.locator("[aria-selected=true]")).to_have_count(0)
    first = plain.locator(".hex-row").first
    expect(first.locator(".hex-offset")).not_to_have_text("0000")
    own.click()
    expect(first.locator("mark").first).to_be_attached()


def test_folded_fields_and_segments_are_not_in_the_document(glassplane: Glassplane) -> None:
    opened(glassplane, "Certificate", "records")
    page = glassplane.page
    certificate = page.locator(".explained").nth(1)
    few = certificate.locator("[role=treeitem]").count()
    assert few <= 20
    assert page.evaluate("document.querySelectorAll('.drawer *').length") < 900
    page.click("#tab-bytes")
    expect(page.locator(".record .explained")).to_have_count(1)
    page.locator(".record summary").first.click()
    expect(page.locator(".explained")).to_have_count(0)


def test_fields_are_explained_in_german_on_a_phone(chromium: Browser, server: str) -> None:
    glassplane = Glassplane(chromium, server, locale="de-DE", viewport={"width": 390, "height": 844}, has_touch=True)
    try:
        explained = opened(glassplane, "ServerHello", "records")
        explained.locator("[role=treeitem]").filter(has_text="Art des Inhalts").tap()
        expect_marked(explained, "16")
        expect(explained.locator(".meaning")).to_contain_text("Welche Art Inhalt folgt")
        tree, bytes_ = (explained.locator(one).bounding_box() for one in (".fields", ".hex"))
        assert tree is not None and bytes_ is not None
        assert tree["y"] + tree["height"] <= bytes_["y"], "the tree stands above the bytes"
        assert glassplane.page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        glassplane.close()
    assert glassplane.complaints == []
