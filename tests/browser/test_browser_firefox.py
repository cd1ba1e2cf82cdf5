"""One whole journey in another browser: a newcomer's first ten minutes in Firefox."""

import shutil
from pathlib import Path

import pytest
from browser_firefox import Firefox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SPOKEN = "document.querySelector('.sentence [role=status]').textContent"
# Rows are not to shine through the lanes' names while the diagram scrolls under them.
SOLID = "getComputedStyle(document.querySelector('.heads')).backgroundColor"


@pytest.mark.skipif(
    not (shutil.which("firefox-esr") or shutil.which("firefox")), reason="no Firefox (apt-get install firefox-esr)"
)
def test_a_newcomer_goes_through_the_sandbox_in_firefox(server: str, tmp_path: Path) -> None:
    with Firefox(tmp_path) as firefox:
        firefox.go(f"{server}/sandbox/")
        firefox.until("document.querySelector('.health.running') && document.querySelector('#diagram [role=option]')")
        assert firefox.until(SOLID).startswith("rgb("), "see-through heads"

        # A command, typed; its arrows come.
        firefox.click("#command")
        firefox.type("kubectl create deployment web --image=nginx")
        firefox.press("Enter")
        firefox.until("/deployment.apps.web created/.test(document.querySelector('.screen-log').textContent)")
        firefox.until("[...document.querySelectorAll('#diagram .label')].some((one) => /web/.test(one.textContent))")

        # Paused, stepped back, opened, asked why.
        firefox.press("Escape")
        firefox.click("#run")
        firefox.until("document.querySelector('.live-badge').textContent === 'Paused'")
        firefox.press("ArrowLeft", "ArrowLeft")
        firefox.until(f"{SPOKEN}.includes('#')")
        firefox.click(".transport [aria-label='One message back']")
        firefox.until("document.querySelector('#diagram .row.here')")
        firefox.until("(document.querySelector('#diagram').focus(), document.activeElement.id === 'diagram')")
        firefox.press("Enter")
        firefox.until("document.querySelector('.drawer h2')?.textContent")
        firefox.press("w")
        firefox.until("document.querySelector('.drawer .chain li')")
        assert firefox.until("getComputedStyle(document.querySelector('.canvas .ray')).stroke !== 'none'")
        firefox.press("Escape")
        firefox.until("!document.querySelector('.drawer')")

        # Filtered, at another altitude, in the presentation, in German, and back after a reload.
        firefox.press("/")
        firefox.type("resource:pods/binding")
        firefox.press("Enter")
        firefox.until(
            "document.querySelector('.search-count') && document.querySelectorAll('#diagram .label').length < 8"
        )
        firefox.press("Escape")
        firefox.click(".live-badge")
        firefox.press("p")
        firefox.until("document.documentElement.dataset.presenting === ''")
        firefox.until("parseFloat(getComputedStyle(document.documentElement).fontSize) >= 15")
        firefox.press("p")
        firefox.until("document.documentElement.dataset.presenting === undefined")
        firefox.click(".language")
        firefox.until("document.querySelector('.live-badge').textContent === 'Angehalten'")
        rows = firefox.until("document.querySelector('#diagram [role=option]').ariaSetSize")
        firefox.go(f"{server}/sandbox/")
        firefox.until(f"document.querySelector('#diagram [role=option]')?.ariaSetSize === '{rows}'")
        assert firefox.complaints == []
