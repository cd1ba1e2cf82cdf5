"""The page as it is heard: guidepup's virtual screen reader runs over it in Chromium and says what a real one would.

It is a model of one (roles, names, states and live regions by the WAI-ARIA rules), not NVDA or VoiceOver.
"""

import re
from pathlib import Path

import pytest
from browser_page import PATIENCE_MS, Glassplane, head_passes
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PACKAGE = Path(__file__).resolve().parents[2] / "node_modules" / "@guidepup" / "virtual-screen-reader"
STEPS_MAX = 60
LISTEN = """async ([pattern, from, patience]) => {
  const said = async () => (await virtual.spokenPhraseLog()).slice(from);
  for (const began = performance.now(); performance.now() - began < patience; ) {
    if ((await said()).some((phrase) => new RegExp(pattern).test(phrase))) return;
    await new Promise(requestAnimationFrame);
  }
  throw new Error(`${pattern} is not among ${(await said()).join(" | ")}`);
}"""


class Reader:
    """Somebody who hears the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(_script())
        page.evaluate("async () => { await virtual.start({ container: document.body }); }")
        self._heard = 0

    def heard(self) -> list[str]:
        """What has been said since this was last asked."""
        said = self._page.evaluate("virtual.spokenPhraseLog()")
        new, self._heard = said[self._heard :], len(said)
        return [phrase for phrase in new if phrase not in {"polite: ", "assertive: "}]

    def hears(self, pattern: str) -> str:
        """Wait until something like this is said."""
        self._page.evaluate(LISTEN, [pattern, self._heard, PATIENCE_MS])
        return next(phrase for phrase in self.heard() if re.search(pattern, phrase))

    def read_on_to(self, pattern: str) -> list[str]:
        """Read on, item by item, until something like this is said."""
        self.heard()
        for _ in range(STEPS_MAX):
            self._page.evaluate("async () => { await virtual.next(); }")
            phrase = self._page.evaluate("virtual.lastSpokenPhrase()")
            if re.search(pattern, phrase):
                return self.heard()
        raise AssertionError(f"{pattern} is not among {self.heard()}")


def _script() -> str:
    """The package's browser bundle, a module, as a script that a page under our content policy can be given."""
    text = (PACKAGE / "lib" / "esm" / "index.browser.js").read_text()
    exports = re.search(r"export\s*\{([^}]*)\}", text)
    assert exports is not None
    name = re.search(r"([\w$]+) as virtual\b", exports[1])
    assert name is not None
    return f"(() => {{ {text.replace(exports[0], f'window.virtual = {name[1]}')}\n}})()"


def test_the_page_is_heard_from_its_heading_to_a_chain_of_causes(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.type_command("kubectl create deployment web --image=nginx")
    page.locator("#run").focus()
    glassplane.press("Enter")
    glassplane.wait_until_paused()
    reader = Reader(page)

    # Loaded: what it is, how it is, what can be done.
    said = reader.read_on_to("^radio, TLS")
    assert "heading, Sandbox: a control plane made of glass, level 1" in said
    assert any(phrase == "Paused" for phrase in said)

    # Stepped, by a button far from the diagram: each step is said, the same words twice as well.
    page.get_by_role("button", name="One message back").focus()
    spoken = []
    for _ in range(3):
        glassplane.press("Enter")
        spoken.append(reader.hears(r"^polite: .+ #\d+$"))
    assert len(set(spoken)) == 3

    # Opened, and asked why.
    glassplane.press("Escape")
    page.locator("#diagram").focus()
    glassplane.press("Enter")
    reader.hears("^polite: Details of the selected message, What: ")
    glassplane.press("w")
    reader.hears(r"^polite: \d+ steps? back, .+ it began with this: ")
    page.locator("#drawer-panel").focus()
    reader.hears(r"^tabpanel, Why\?")
    glassplane.press("Escape")
    reader.hears("^polite: Details closed")

    # Filtered: the box says what it understood.
    page.keyboard.press("/")
    page.locator("#search").fill("resource:pods/binding")
    glassplane.press("Enter")
    reader.hears("^polite: .*pods/binding")


def test_the_live_end_does_not_flood_who_listens(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    reader = Reader(page)
    reader.heard()
    before = glassplane.head
    glassplane.type_command("kubectl create deployment web --image=nginx --replicas=3")
    head_passes(page, before + 150)
    expect(page.locator(".live-badge")).to_have_text("Live")
    assert [phrase for phrase in reader.heard() if re.search(r"(asks|answers|tells) .+ #\d+$", phrase)] == []
