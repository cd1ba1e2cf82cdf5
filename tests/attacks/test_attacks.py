"""The attacks as data: that each can be made, and that what is judged would be missed."""

import itertools
import json
import re
import tomllib
from pathlib import Path

import pytest
import websocket

from tests.attacks import clients
from tests.attacks.__main__ import LANES
from tests.attacks.attacker import Attacker, grown
from tests.visitor import Visitor

ATTACKS = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text())
EACH = [(kind, attack) for kind in ATTACKS for attack in ATTACKS[kind]]
NEEDED = {
    "terminal": {"lines", "reads"},
    "page": {"says", "reads"},
    "console": {"says", "reads"},
    "request": {"path", "status"},
    "client": {"client", "reads"},
}
ALLOWED = {"name", "code", "seconds", "ends", "then", "after", "method", "headers", "body", "reads"}


@pytest.mark.parametrize(("kind", "attack"), EACH, ids=[attack["name"] for _, attack in EACH])
def test_an_attack_has_all_that_it_is_made_and_judged_with(kind, attack):
    assert set(attack) >= NEEDED[kind]
    assert set(attack) <= NEEDED[kind] | ALLOWED
    re.compile(attack.get("reads", ""))
    assert all("{{" not in grown(text) for text in [*attack.get("lines", []), attack.get("says", "")])


def test_attacks_have_names_of_their_own_and_a_lane_each():
    names = [attack["name"] for _, attack in EACH]
    assert len(set(names)) == len(names)
    assert sorted(kind for kinds in LANES for kind in kinds) == sorted(ATTACKS)


def test_the_clients_of_the_file_are_those_of_the_module():
    assert all(callable(getattr(clients, attack["client"])) for attack in ATTACKS["client"])


@pytest.mark.parametrize(
    ("text", "written_out"),
    [
        ("{{a*3}}b{{n}}", "aaab\n"),
        ("x{{, V@=V@-*2}}", "x, V1=V0, V2=V1"),
        ('{{{"a":*2}}1{{}*2}}', '{"a":{"a":1}}'),
        ("?(@{{ *2}}!)", "?(@  !)"),
    ],
)
def test_what_stands_for_many_is_written_out(text, written_out):
    assert grown(text) == written_out


class Said:
    """A visitor to whom a cluster prints always the same."""

    life, ends, bugs = 1, (), ()

    def __init__(self, text, code):
        self.text, self.code, self.seconds = text, code, 0.0

    def type(self, line, seconds):
        return self

    def until_running(self):
        pass


@pytest.mark.parametrize(
    ("text", "code", "problems"),
    [
        ("alive\n", 0, []),
        ("alive\n", None, ["no answer in 0 s", "it exits with None: 'alive\\n'"]),
        ("alive\n[1]+  Done                    (sleep 9)\n", 0, []),
        ("alive\nalive\n", 0, ["afterwards its cluster answered 'alive\\nalive\\n'"]),
        ("killed", 0, ["it reads 'killed'", "afterwards its cluster answered 'killed'"]),
        ("alive\n", 70, ["it exits with 70: 'alive\\n'"]),
    ],
)
def test_a_wrong_word_a_wrong_code_and_no_answer_are_felt(text, code, problems):
    attacker = object.__new__(Attacker)
    attacker.visitor = Said(text, code)
    assert attacker.attack("terminal", {"lines": ["x"], "reads": "^alive", "code": 0}) == problems


class Page(Visitor):
    """A visitor of a server that says certain things once a line is typed; an exception is how a socket breaks."""

    def __post_init__(self):
        self._numbers, self.cluster, self.said = itertools.count(1), "c", []
        self.answers = []
        self.connect()

    def open(self, path):
        return Socket(self)


class Socket:
    def __init__(self, page):
        self.page = page
        self.coming = []

    def settimeout(self, seconds):
        pass

    def send(self, text):
        message = json.loads(text)
        self.page.said.append((self, message))
        if message["type"] == "command":
            self.coming += self.page.answers

    def recv(self):
        if not self.coming:
            raise websocket.WebSocketTimeoutException
        message = self.coming.pop(0)
        if isinstance(message, Exception):
            raise message
        return json.dumps(message)


def test_a_visitor_who_is_told_again_what_was_printed_reads_it_once():
    output = {"type": "output", "id": "attack1", "n": 1, "stream": "stdout", "text": "alive\n"}
    done = {"type": "done", "id": "attack1", "n": 2, "code": 0}
    page = Page("http://server")
    page.answers = [output, {"type": "relist"}, {"type": "terminals", "frames": [output, done]}]
    assert page.type("echo alive").text == "alive\n"
    assert page.said[-1][1] == {"type": "watch", "since": 0, "commands": {"attack1": 1}}


def test_a_visitor_whose_socket_was_closed_while_nothing_was_read_types_into_a_new_one():
    page = Page("http://server")
    first = page.socket
    first.coming = [{"type": "clock"}, websocket.WebSocketConnectionClosedException("pings were not answered")]
    page.type("echo alive", seconds=0)
    (typed_into,) = [socket for socket, message in page.said if message["type"] == "command"]
    assert typed_into is page.socket is not first
