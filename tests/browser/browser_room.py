"""What people do in a room, in the words of its pages: an instructor with an account, learners with a code."""

import re
import secrets
from typing import Any

from browser_page import HEAD, PATIENCE_MS
from playwright.sync_api import Browser, Locator, Page, expect

PASSWORD = "a lamp beside the sea"
EXPECTED = ("WebSocket connection", "Failed to load resource", "net::ERR")  # what a browser says while a server is dead


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, chromium: Browser, server: str, **options: Any) -> None:
        usual = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "reduced_motion": "reduce"}
        self.context = chromium.new_context(base_url=server, **(usual | options))
        self.context.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page = self.open()

    def open(self) -> Page:
        """One more page of theirs."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and not any(one in text for one in EXPECTED):
            self.complaints.append(text)

    def close(self) -> None:
        """Leave."""
        self.context.close()

    # At a cluster of the room

    @property
    def cluster(self) -> str:
        """The cluster on the page."""
        return self.page.locator("#playground").get_attribute("data-cluster") or ""

    def is_at(self, cluster: str) -> None:
        """Wait until this is the cluster on the page."""
        expect(self.page.locator("#playground")).to_have_attribute("data-cluster", cluster)

    @property
    def head(self) -> int:
        """The last entry that the server has of it."""
        return int(self.page.evaluate(HEAD))

    @property
    def rows(self) -> Locator:
        """The rows of the diagram that are in the document."""
        return self.page.locator("#diagram [role=option]")

    def runs(self) -> None:
        """Wait until the page shows a cluster that runs."""
        self.page.locator(".health.running").wait_for()
        self.rows.first.wait_for()

    def type(self, line: str) -> str:
        """Type a command, and wait for what it prints."""
        ran = self.page.locator(".ran")
        before = ran.count()
        self.page.fill("#command", line)
        self.page.press("#command", "Enter")
        self.page.wait_for_function("(n) => document.querySelectorAll('.ran').length > n", arg=before)
        self.page.locator(".line .stop").wait_for(state="detached")
        return ran.last.inner_text()


class Learner(Person):
    """Somebody who joins with a code."""

    def join(self, code: str, name: str, group: str = "") -> "Learner":
        """Type the code by hand; small letters will do."""
        self.page.goto("/join/")
        self.page.get_by_label("Code").fill(code.lower())
        self.page.get_by_label("Your name in the room").fill(name)
        self.page.get_by_label("Group").fill(group)
        self.page.get_by_role("button", name="Join").click()
        self.page.wait_for_url(re.compile(r"/rooms/[\w-]+/(watch/)?$"))
        return self

    @property
    def follows(self) -> Locator:
        """What says that they are taken along."""
        return self.page.locator(".room-flag.lead", has_text="You follow the instructor")

    def notice(self) -> Locator:
        """Say that something is wrong; what is answered."""
        self.page.locator(".room-notice").click()
        alarm = self.page.locator(".room-alarm")
        expect(alarm).not_to_have_class(re.compile("asked"))
        return alarm

    def diagnose(self, fault: str, target: str) -> Locator:
        """Name what is broken; the verdict."""
        form = self.page.locator(".diagnosis-form")
        form.locator("select").nth(0).select_option(fault)
        form.locator("select").nth(1).select_option(target)
        form.get_by_role("button").click()
        return self.page.locator(".room-verdict")

    def places(self, fault: str) -> list[str]:
        """Where that may be, as the form of a diagnosis says it."""
        form = self.page.locator(".diagnosis-form")
        form.locator("select").nth(0).select_option(fault)
        return form.locator("select").nth(1).locator("option").all_inner_texts()


class Instructor(Person):
    """Somebody with an account; `console` is their other page."""

    console: Page

    def sign_up(self) -> None:
        """Open an account."""
        self.page.goto("/account/sign-up/?next=/rooms/")
        self.page.get_by_label("Name:").fill(f"ada-{secrets.token_hex(4)}")
        self.page.get_by_label("Password:", exact=True).fill(PASSWORD)
        self.page.get_by_label("The same password again:").fill(PASSWORD)
        self.page.get_by_role("button", name="Open the account").click()

    def open_room(self, title: str, lesson: str = "") -> str:
        """Open a room; its code."""
        self.page.goto("/rooms/")
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_label("Lesson").select_option(lesson)
        self.page.get_by_role("button", name="Open the room").click()
        self.console = self.page
        self.page = self.open()
        return self.console.locator(".room-code").first.inner_text()

    def lead(self) -> None:
        """Go to their own cluster and take all along."""
        self.page.goto(self.console.url.replace("/console/", "/watch/"))
        self.runs()
        self.page.get_by_role("switch", name="All follow me").click()
        expect(self.page.get_by_role("switch", name="All follow me")).to_be_checked()

    def row(self, name: str) -> Locator:
        """A learner on the board."""
        return self.console.locator(".room-board tbody tr", has=self.console.locator(f".room-who:text-is('{name}')"))

    def break_dialog(self, fault: str) -> Locator:
        """Ask for a fault; its form."""
        self.console.locator("#break").click()
        dialog = self.console.locator("dialog[open]")
        dialog.locator(f"input[name=fault][value='{fault}']").check()
        return dialog

    def break_for_all(self, fault: str, target: str) -> None:
        """Break something in every learner's cluster."""
        dialog = self.break_dialog(fault)
        dialog.get_by_label("Where").select_option(target)
        dialog.get_by_role("button", name="Break it").click()
        dialog.wait_for(state="detached")
