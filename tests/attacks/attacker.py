"""Makes the attacks of attacks.toml that are data: lines that are typed, messages to a page's socket, HTTP requests.

Attacks are made one after another by one visitor, each from where the last one left the cluster. After each the visitor
types a line, which must be answered, and waits for the cluster first where it was allowed to be ended.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import websocket

from tests.attacks import clients
from tests.visitor import Visitor

SECONDS = 300.0
"""What a line is given: to tell what never ends from what is slow on a busy machine. How slow, the bystander tells."""
QUIET_SECONDS = 3.0
"""For how long nothing may come before a message that needs no answer is taken to have been swallowed."""
PACE = 5
"""Virtual seconds in a real one: pods start and end sooner."""
SHOWN_MAX = 300
ALIVE = re.compile(r"alive\n(\[\d+\].*\n)*")
"""What a living shell says, and which of an attack's jobs have ended meanwhile."""
REPEATED = re.compile(r"\{\{(.+?)\*(\d+)\}\}", re.DOTALL)


def grown(text: str) -> str:
    """Write out what stands for many.

    >>> grown("{{a*3}} {{V@=V@- *2}}{{n}}")
    'aaa V1=V0 V2=V1 \\n'
    """
    return REPEATED.sub(lambda found: _repeated(found[1], int(found[2])), text.replace("{{n}}", "\n"))


def _repeated(text: str, count: int) -> str:
    if "@" not in text:
        return text * count
    return "".join(text.replace("@-", str(turn - 1)).replace("@", str(turn)) for turn in range(1, count + 1))


class Attacker:
    """A visitor who means no good."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.visitor = Visitor(address)
        self.visitor.say({"type": "pace", "pace": PACE})
        self._room: dict[str, str] = {}

    @property
    def room(self) -> dict[str, str]:
        """A room of theirs: `id`, `code`; opened when it is asked for first."""
        if not self._room:
            self.visitor.sign_up(f"mallory-{secrets.token_hex(4)}", secrets.token_hex(12))
            self.visitor.socket.close()  # it speaks for the session from before
            self.visitor.connect()
            answer = self.visitor.post("/rooms/", {"title": "A room"}, Accept="application/json")
            self._room = answer.raise_for_status().json()
        return self._room

    def attack(self, kind: str, attack: dict[str, Any]) -> list[str]:
        """Make one; give what went otherwise than it should."""
        ends, bugs, life = len(self.visitor.ends), len(self.visitor.bugs), self.visitor.life
        try:
            problems = list(getattr(self, f"_{kind}")(attack))
        except (httpx.HTTPError, OSError, websocket.WebSocketException) as problem:
            problems = [f"{type(problem).__name__}: {problem}"]
        ended = self.visitor.ends[ends:]
        if any(one != attack.get("ends") for one in ended):
            problems.append(f"its cluster was ended: {ended}")
        self.visitor.until_running()
        if not ended and self.visitor.life != life:
            problems.append("its cluster lives another life")
        if "after" in attack:
            self.visitor.type(attack["after"], SECONDS)
        alive = self.visitor.type("echo alive", SECONDS)
        if not ALIVE.fullmatch(alive.text):
            problems.append(f"afterwards its cluster answered {alive.text[:SHOWN_MAX]!r}")
        return [*problems, *self.visitor.bugs[bugs:]]

    def _terminal(self, attack: dict[str, Any]) -> Iterator[str]:
        printed = [self.visitor.type(grown(line), attack.get("seconds", SECONDS)) for line in attack["lines"]][-1]
        if printed.code is None and not attack.get("ends"):
            yield f"no answer in {printed.seconds:.0f} s"
        yield from _judge(attack, printed.text)
        if "code" in attack and printed.code != attack["code"]:
            yield f"it exits with {printed.code}: {printed.text[:SHOWN_MAX]!r}"

    def _page(self, attack: dict[str, Any]) -> Iterator[str]:
        page = self.visitor.socket
        self.visitor.say(grown(attack["says"]))
        yield from _judge(attack, self._refusal(SECONDS if attack["reads"] else QUIET_SECONDS))
        if self.visitor.socket is not page:
            yield "its socket was closed"
        if "then" in attack:
            self.visitor.type(grown(attack["then"]), attack.get("seconds", SECONDS))

    def _refusal(self, seconds: float) -> str:
        """Give the words of the error frame that comes within this time, "" when none does."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for frame in self.visitor.hear(left):
                if frame["type"] == "error":
                    return str(frame["message"])
        return ""

    def _console(self, attack: dict[str, Any]) -> Iterator[str]:
        socket = self.visitor.open(self._put("/ws/rooms/{room}/"))
        socket.send(grown(attack["says"]))
        frame = {"type": ""}
        while frame["type"] != "error":
            frame = json.loads(socket.recv())
        yield from _judge(attack, frame["message"])
        socket.close()

    def _request(self, attack: dict[str, Any]) -> Iterator[str]:
        path, method = self._put(attack["path"]), attack.get("method", "GET")
        headers = attack.get("headers", {})
        if method == "GET":
            answer = self.visitor.client.get(self.address + path, headers=headers)
        else:
            answer = self.visitor.post(path, grown(attack.get("body", "")).encode(), **headers)
        yield from _judge(attack, answer.text)
        if answer.status_code != attack["status"]:
            yield f"it is answered by {answer.status_code}: {answer.text[:SHOWN_MAX]!r}"

    def _client(self, attack: dict[str, Any]) -> Iterator[str]:
        yield from _judge(attack, getattr(clients, attack["client"])(self))

    def _put(self, path: str) -> str:
        path = path.replace("{cluster}", self.visitor.cluster)
        return path.replace("{room}", self.room["id"]) if "{room}" in path else path


def _judge(attack: dict[str, Any], text: str) -> Iterator[str]:
    if not re.search(attack.get("reads", ""), text):
        yield f"it reads {text[:SHOWN_MAX]!r}"
