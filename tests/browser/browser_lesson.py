"""What a learner does with a lesson, in the words of the page."""

from contextlib import suppress
from typing import Any

from browser_page import Glassplane
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import TimeoutError as NotInTimeError

PACE_60 = "8"  # the slider's last stop
UNFOLDS_MS = 1000
LOOK = """() => ({
  altitude: document.querySelector(".segments [aria-checked=true]")?.textContent ?? null,
  drawn: [...document.querySelectorAll("#diagram [role=option]")].map((row) => row.id),
  filter: document.getElementById("search").value,
  selected: document.querySelector("#diagram [aria-selected=true]")?.id ?? null,
  tab: document.querySelector("[role=tab][aria-selected=true]")?.id ?? null,
})"""


class Learner(Glassplane):
    """Somebody at a lesson, in a browser of their own."""

    def __init__(self, chromium: Browser, server: str, **options: Any) -> None:
        super().__init__(chromium, server, **options)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def begin(self, lesson: str) -> "Learner":
        """Start a lesson from its introduction, and wait until its page has heard from the cluster."""
        self.start(lesson)
        self.arrive()
        return self

    def start(self, lesson: str) -> None:
        """Start a lesson from its introduction."""
        self.page.goto(f"/{lesson}/")
        self.page.locator("main .start button.primary").click()

    def arrive(self) -> None:
        """Wait until the lesson's page has heard from its cluster."""
        self.page.locator(".health.running").wait_for(state="attached")  # a small phone hides it
        self.page.locator(".beat, .predict, .exercise .question [type=submit]:enabled, .asked.right").first.wait_for()

    # A walkthrough

    @property
    def title(self) -> Locator:
        """The heading of the beat or question."""
        return self.page.locator(".lesson-body h2").first

    def next(self) -> None:
        """Press n once the lesson lets go on."""
        self.page.locator(".moves .primary:enabled").wait_for()
        self.page.locator("#diagram").focus()
        self.press("n")

    @property
    def look(self) -> dict[str, Any]:
        """How the diagram is looked at: altitude, filter, what is drawn, the selected entry, the drawer's tab."""
        self.drawn()
        return self.page.evaluate(LOOK)

    def look_becomes(self, look: dict[str, Any]) -> None:
        """Wait until it is looked at so."""
        same = f"(look) => JSON.stringify(({LOOK})()) === JSON.stringify(look)"
        self.page.wait_for_function(same, arg=look)

    # An exercise

    def asked(self, question: str) -> Locator:
        """A question of an exercise, unfolded. It keeps its title to itself until then, so all before it are, too."""
        there, closed = (
            self.page.locator(".asked[open]", has_text=question),
            self.page.locator(".asked:not([open]) summary"),
        )
        while there.count() == 0 and closed.count() > 0:
            with suppress(NotInTimeError):  # meanwhile the last of them has unfolded by itself, as the next one does
                closed.first.click(timeout=UNFOLDS_MS)
        return self.page.locator(".asked", has_text=question)

    def answer_number(self, question: str, number: str) -> None:
        """Give a number."""
        item = self.asked(question)
        item.locator(".number input").fill(number)
        item.locator("[type=submit]").click()

    def answer_choice(self, question: str, option: str) -> None:
        """Tick an option."""
        item = self.asked(question)
        item.locator(f"input[value={option}]").check()
        item.locator("[type=submit]").click()

    def check(self, text: str) -> Locator:
        """One line of what has to be reached."""
        return self.page.locator(".checks li", has_text=text)

    def reached(self, *names: str) -> None:
        """Wait until the lesson has reached these of its marks and checks."""
        self.page.wait_for_function("(names) => names.every((name) => name in window.heard.reached)", arg=list(names))

    def cut_power(self, host: str) -> None:
        """Break something: a host without power."""
        self.page.locator("#diagram").focus()
        self.press("x")
        dialog = self.page.locator("dialog.faults")
        dialog.locator("input[value=power-off]").check(force=True)
        dialog.locator("#fault-target").select_option(host)
        dialog.locator("[type=submit]").click()
        expect(self.page.locator(".fault-chip")).to_contain_text(host)

    def hurry(self) -> None:
        """Sixty virtual seconds in one."""
        self.page.locator(".pace input").fill(PACE_60)

    def replace(self, button: str) -> None:
        """Go on in another cluster, by this button."""
        before = self.page.url
        self.page.locator(".replace").get_by_role("button", name=button).click()
        self.page.wait_for_url(lambda url: url != before)
        self.arrive()
