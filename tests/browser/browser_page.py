"""What a person does on the page, in the words of the page."""

from typing import Any

from playwright.sync_api import Browser, Locator, Page, WebSocketRoute

HEAD = """async () => {
  const answer = await fetch(document.getElementById("playground").dataset.entries + "?limit=1");
  return (await answer.json()).head;
}"""
PATIENCE_MS = 120_000  # for whatever has to come: two cores are shared with everything else
PATIENCE_SECONDS = PATIENCE_MS / 1000
# What the page has heard of its cluster: its pace and whether it stands, the last entry, what its lesson has reached.
HEAR = """(() => {
  const heard = (window.heard = { paused: false, pace: null, head: 0, reached: {} });
  const listen = ({ data }) => {
    const frame = JSON.parse(data);
    const clock = frame.type === "clock" ? frame : frame.type === "hello" ? frame.clock : null;
    if (clock) Object.assign(heard, { paused: clock.paused, pace: clock.pace });
    if (frame.lesson) Object.assign(heard.reached, frame.lesson.anchors);
    if (frame.type === "entries") heard.head = Math.max(heard.head, frame.entries.at(-1)?.seq ?? 0);
    if (frame.type === "relist") heard.head = Infinity;  // from here on it fetches what it has missed
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", listen);
    }
  };
})()"""
PAUSED = """async () => {
  const url = document.getElementById("playground").dataset.entries + "?limit=1";
  const head = async () => (await (await fetch(url)).json()).head;
  if (!window.heard.paused) return false;
  const before = await head();
  await new Promise((resolve) => setTimeout(resolve, 150));
  return before === (await head()) && window.heard.head >= before;
}"""
# The diagram draws what has moved in the next frame, and its margin in the one after.
DRAWN = """async () => {
  for (let frames = 0; frames < 4; frames += 1) await new Promise(requestAnimationFrame);
}"""


def until(page: Page, predicate: str, argument: Any = None) -> None:
    """Wait until an async function holds. Playwright's wait_for_function takes its promise for a yes."""
    page.evaluate(
        f"""async ([argument, patience]) => {{
          const [holds, end] = [{predicate}, performance.now() + patience];
          while (!(await holds(argument))) {{
            if (performance.now() > end) throw new Error(`never: ${{holds}}`);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }}
        }}""",
        [argument, PATIENCE_MS],
    )


def head_passes(page: Page, head: int) -> None:
    """Wait until the server's journal is longer than this."""
    until(page, f"async (head) => (await ({HEAD})()) > head", head)


class Glassplane:
    """One browser with one page at one cluster. Its socket runs through a proxy that can be cut."""

    def __init__(self, chromium: Browser, server: str, **options: Any) -> None:
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "reduced_motion": "reduce"} | options
        self.server = server
        self.context = chromium.new_context(base_url=server, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self._sockets: list[WebSocketRoute] = []
        self.refusing = False
        self.page.route_web_socket("**/ws/**", self._connect)
        self.page.add_init_script(HEAR)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.refusing:
            socket.close(code=1012)
            return
        socket.connect_to_server()
        self._sockets.append(socket)

    def open(self, options: str = "") -> "Glassplane":
        """Go to the page and wait until the cluster runs and has said something."""
        self.page.goto(f"/sandbox/{options}")
        self.page.locator(".health.running").wait_for()
        self.rows.first.wait_for()
        return self

    def close(self) -> None:
        """Leave."""
        self.context.close()

    def cut(self) -> None:
        """Break the connection, and every one that is tried, until `mend`."""
        self.refusing = True
        for socket in self._sockets:
            socket.close(code=1012)
        self._sockets.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self.refusing = False

    # What is on the page

    @property
    def rows(self) -> Locator:
        """The rows of the diagram that are in the document."""
        return self.page.locator("#diagram [role=option]")

    def drawn(self) -> None:
        """Wait until the diagram shows what the page knows."""
        self.page.evaluate(DRAWN)

    @property
    def size(self) -> int:
        """How many rows the diagram has, in the document or not."""
        self.drawn()
        return int(self.rows.last.get_attribute("aria-setsize") or 0)

    def row(self, label: str) -> Locator:
        """The rows whose label is exactly this."""
        return self.rows.filter(has=self.page.locator(f"text.label:text-is('{label}')"))

    @property
    def places(self) -> dict[str, float]:
        """Where each row in the document is drawn: its id and its height in the diagram."""
        self.drawn()
        return self.page.evaluate(
            """() => {
              const body = document.getElementById("diagram").getBoundingClientRect().top;
              return Object.fromEntries([...document.querySelectorAll("#diagram [role=option]")].map((row) =>
                [row.id, Math.round(row.querySelector(".row-back").getBoundingClientRect().top - body)]));
            }"""
        )

    @property
    def head(self) -> int:
        """The last seq that the server has."""
        return self.page.evaluate(HEAD)

    # What a person does

    def press(self, *keys: str) -> None:
        """Press keys where nothing is being typed."""
        for key in keys:
            self.page.keyboard.press(key)

    def type_command(self, line: str) -> Locator:
        """Type a command and wait until it has ended; what it printed."""
        ran = self.page.locator(".ran")
        before = ran.count()
        self.page.fill("#command", line)
        self.page.press("#command", "Enter")
        self.page.wait_for_function("(n) => document.querySelectorAll('.ran').length > n", arg=before)
        self.page.locator(".line .stop").wait_for(state="detached")
        return ran.last

    def open_last(self) -> None:
        """Open the last message, by keyboard."""
        self.page.locator("#diagram").focus()
        self.press("k", "Enter")
        self.page.locator(".drawer").wait_for()

    def find(self, text: str) -> None:
        """Filter the messages."""
        self.page.fill("#search", text)
        self.page.press("#search", "Enter")
        self.page.locator(".search-count").wait_for()
        self.drawn()

    def wait_until_paused(self) -> None:
        """Until the server has said that time stands still, and all there is has arrived and is drawn."""
        self.page.locator(".live-badge:text('Paused')").wait_for()
        self.wait_until_time_stands()
        self.drawn()

    def wait_until_time_stands(self) -> None:
        """Until the server has said so, and all there is has arrived, wherever the reader stands."""
        until(self.page, PAUSED)
