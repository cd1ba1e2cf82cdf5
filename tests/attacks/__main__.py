"""Attack a real server with everything that ever took one down, beside a bystander who must not notice: `make attack`.

    python -m tests.attacks [--only WORDS] [--address http://127.0.0.1:8000]

Each attack of attacks.toml is made by a visitor with a cluster of their own, who must read the sentence that stands
there, in time; afterwards that visitor types a line, which must be answered, and the server must say that it is well.
"""

import argparse
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attacks.bystander import Bystander
from tests.browser.browser_server import Server
from tests.visitor import ServerGone, Visitor

SECONDS = 30.0
ANSWER_SECONDS = 20.0
REPEATED = re.compile(r"\{\{(.+?)\*(\d+)\}\}", re.DOTALL)


def grown(text: str) -> str:
    """Write out what stands for many: `{{a*3}}` is aaa, `{{n}}` a line's end."""
    return REPEATED.sub(lambda found: found[1] * int(found[2]), text.replace("{{n}}", "\n"))


class Attacker:
    """Makes attacks, one after the other, each from where the last one left the cluster."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.visitor = Visitor(address)

    def attack(self, kind: str, attack: dict[str, Any]) -> list[str]:
        """Make one; give what went otherwise than it should."""
        ends = len(self.visitor.ends)
        problems = list({"terminal": self._type, "page": self._say, "request": self._ask}[kind](attack))
        ended = self.visitor.ends[ends:]
        if any(one != attack.get("ends") for one in ended):
            problems.append(f"its cluster was ended: {ended}")
        self.visitor.until_running()
        alive = self.visitor.type("echo alive", ANSWER_SECONDS)
        if alive.text != "alive\n":
            problems.append(f"afterwards its cluster answered {alive.text!r}")
        return problems

    def _type(self, attack: dict[str, Any]) -> Iterator[str]:
        printed = [self.visitor.type(grown(line), attack.get("seconds", SECONDS)) for line in attack["lines"]][-1]
        if printed.code is None and not attack.get("ends"):
            yield f"no answer in {printed.seconds:.0f} s"
        yield from self._judge(attack, printed.text, attack.get("code"), printed.code)

    def _judge(self, attack: dict[str, Any], text: str, wanted: int | None, code: int | None) -> Iterator[str]:
        if not re.search(attack.get("reads", ""), text):
            yield f"it reads {text[:300]!r}"
        if wanted is not None and code != wanted:
            yield f"it exits with {code}: {text[:300]!r}"

    def _say(self, attack: dict[str, Any]) -> Iterator[str]:
        sockets = self.visitor.socket
        self.visitor.say(grown(attack["says"]))
        read = ""
        for _ in range(40):
            for frame in self.visitor.hear(0.25):
                if frame["type"] == "error":
                    read = frame["message"]
            if read or not attack.get("reads"):
                break
        if self.visitor.socket is not sockets:
            yield "its socket was closed"
        yield from self._judge(attack, read, None, None)
        if "then" in attack:
            self.visitor.type(grown(attack["then"]), attack.get("seconds", SECONDS))

    def _ask(self, attack: dict[str, Any]) -> Iterator[str]:
        path = attack["path"].replace("{cluster}", self.visitor.cluster)
        body = grown(attack.get("body", "")).encode()
        answer = self.visitor.client.request(attack.get("method", "GET"), self.address + path, content=body)
        yield from self._judge(attack, answer.text, attack["status"], answer.status_code)


def play(address: str, only: str) -> int:
    """Make all attacks; give how many were felt."""
    attacks = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text())
    bystander = Bystander(address)
    bystander.start()
    attacker = Attacker(address)
    felt = 0
    for kind in ("terminal", "page", "request"):
        for attack in attacks[kind]:
            if only not in attack["name"]:
                continue
            try:
                problems = attacker.attack(kind, attack)
            except ServerGone as problem:
                problems = [str(problem)]
                attacker = Attacker(address)
            felt += bool(problems)
            print(f"{'FELT' if problems else 'held'}  {attack['name']}", *problems, sep="\n      ", flush=True)
    noticed = bystander.judge()
    print(f"bystander: {len(bystander.times)} lines", end=", ")
    print(
        f"p50 {bystander.percentile(0.5) * 1000:.0f} ms, p99 {bystander.percentile(0.99) * 1000:.0f} ms",
        *noticed,
        sep="\n  ",
    )
    return felt + len(noticed)


def main() -> None:
    """Serve, attack, and say what was felt."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("--only", default="", help="attacks with these words in their names")
    parser.add_argument("--address", help="of a server that runs already")
    options = parser.parse_args()
    if options.address:
        sys.exit(bool(play(options.address, options.only)))
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            felt = play(server.address, options.only)
        finally:
            server.stop()
    sys.exit(bool(felt))


if __name__ == "__main__":
    main()
