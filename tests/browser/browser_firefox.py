"""Debian's Firefox, driven over WebDriver BiDi: the browser itself listens, and no driver program is needed.

Only what a journey needs: open an address, wait for an expression, press keys, click. BiDi's commands and events
are JSON over one WebSocket (https://www.w3.org/TR/webdriver-bidi/).
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import websocket
from browser_page import PATIENCE_MS, PATIENCE_SECONDS

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "ArrowLeft": "\ue012", "ArrowRight": "\ue014", "Tab": "\ue004"}
PREFERENCES = """user_pref("remote.active-protocols", 1);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("intl.accept_languages", "en-US");
"""
WAIT = """async () => {
  for (const began = performance.now(); performance.now() - began < %d; await new Promise(requestAnimationFrame)) {
    const found = await (%s);
    if (found) return JSON.stringify(found);
  }
  throw new Error(`never\\n${document.body.innerText.slice(0, 600)}`);
}"""


class Firefox:
    """One Firefox with one tab."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("firefox-esr") or shutil.which("firefox")
        assert binary is not None
        (folder / "user.js").write_text(PREFERENCES)
        command = [binary, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
        command += ["--width", "1280", "--height", "800"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self._process.stderr is not None
        listening = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in self._process.stderr)
        address = next((found[1] for found in listening if found), None)
        assert address is not None, "Firefox ended before it listened"
        self._socket = websocket.create_connection(
            f"{address}/session", timeout=PATIENCE_SECONDS + 10, suppress_origin=True
        )
        self._asked = 0
        self.complaints: list[str] = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _ask(self, method: str, **params: Any) -> Any:
        """Send a command and wait for its answer; what the console says meanwhile is kept."""
        self._asked += 1
        self._socket.send(json.dumps({"id": self._asked, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("type") == "event":
                entry = said["params"]
                if said["method"] == "log.entryAdded" and entry["level"] == "error":
                    self.complaints.append(f"{entry['text']} {entry['source'].get('context', '')}")
            elif said.get("id") == self._asked:
                if said["type"] == "error":
                    raise AssertionError(f"{method}: {said['message']}")
                return said["result"]

    def go(self, url: str) -> None:
        """Open an address."""
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def until(self, test: str) -> Any:
        """Wait until an expression of JavaScript is true, and return what it is."""
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=WAIT % (PATIENCE_MS, test),
            awaitPromise=True,
            target={"context": self._tab},
        )
        assert answer["type"] == "success", f"{test}: {answer['exceptionDetails']['text']}"
        return json.loads(answer["result"]["value"])

    def press(self, *keys: str) -> None:
        """Press keys, where the focus is."""
        for key in keys:
            value = KEYS.get(key, key)
            actions = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
            self._ask(
                "input.performActions", context=self._tab, actions=[{"type": "key", "id": "keys", "actions": actions}]
            )

    def type(self, text: str) -> None:
        """Type a text."""
        self.press(*text)

    def click(self, selector: str) -> None:
        """Click in the middle of the first element of this kind."""
        box = f"document.querySelector({json.dumps(selector)})?.getBoundingClientRect()"
        x, y = self.until(
            f"(b => b && b.width && [Math.round(b.x + b.width / 2), Math.round(b.y + b.height / 2)])({box})"
        )
        moves = [{"type": "pointerMove", "x": x, "y": y}]
        moves += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._ask(
            "input.performActions", context=self._tab, actions=[{"type": "pointer", "id": "mouse", "actions": moves}]
        )

    def picture(self) -> str:
        """The window as a PNG, in base 64."""
        return str(self._ask("browsingContext.captureScreenshot", context=self._tab)["data"])
