"""Attack a real server with everything that ever took one down, beside a bystander who must not notice: `make attack`.

    python -m tests.attacks [--only REGULAR-EXPRESSION] [--address http://127.0.0.1:8000]

Each attack of attacks.toml is made by a visitor with a cluster of their own, who must read the sentence that stands
there, in time; afterwards that visitor types a line, which must be answered. Two lanes of attacks run side by side:
what happens in a cluster, and what happens at the server and a gateway. The bystander's round trips are printed, of a
quiet while first; as they depend on the machine they are no failure. A lost line, a socket that was closed, a gap in
the journal or another life of the bystander's cluster is one.
"""

import argparse
import re
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.attacks.attacker import Attacker
from tests.attacks.bystander import Bystander
from tests.browser.browser_server import Server

LANES = (("terminal", "page"), ("request", "console", "client"))
QUIET_SECONDS = 10.0
Attacks = dict[str, list[dict[str, Any]]]


class Lane(threading.Thread):
    """Makes the attacks of some kinds, one after another; `felt` has what is told of those that were."""

    def __init__(self, address: str, attacks: Iterable[tuple[str, dict[str, Any]]]) -> None:
        super().__init__()
        self.felt: list[str] = []
        self._address, self._attacks = address, list(attacks)

    def run(self) -> None:
        """See Thread."""
        attacker: Attacker | None = None
        for kind, attack in self._attacks:
            began = time.monotonic()
            try:
                attacker = attacker or Attacker(self._address)
                problems = attacker.attack(kind, attack)
            except Exception as problem:  # the next one begins afresh
                problems, attacker = [f"{type(problem).__name__}: {problem}"], None
            words = f"{'FELT' if problems else 'held'}  {time.monotonic() - began:4.0f} s  {attack['name']}"
            told = "\n              ".join([words, *problems])
            print(told, flush=True)
            if problems:
                self.felt.append(told)


def play(address: str, only: str) -> list[str]:
    """Make all attacks; give what was felt."""
    attacks: Attacks = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text())
    bystander = Bystander(address)
    time.sleep(QUIET_SECONDS)
    print(f"the bystander in a quiet while: {bystander.figures()}", flush=True)
    wanted = [(kind, one) for kind in attacks for one in attacks[kind] if re.search(only, one["name"])]
    lanes = [Lane(address, [one for one in wanted if one[0] in kinds]) for kinds in LANES]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    print(f"the bystander under attack: {bystander.figures()}")
    noticed = bystander.judge()
    print("the bystander noticed:", ", ".join(noticed) or "nothing", flush=True)
    return [one for lane in lanes for one in lane.felt] + noticed


def main() -> None:
    """Serve, attack, and say what was felt."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("--only", default="", help="attacks whose names match this regular expression")
    parser.add_argument("--address", help="of a server that runs already")
    options = parser.parse_args()
    began = time.monotonic()
    if options.address:
        felt = play(options.address, options.only)
    else:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder))
            server.start()
            try:
                felt = play(server.address, options.only)
            finally:
                server.stop()
    print("\n".join(felt))  # once more, for of a long log the end is read
    print(f"{len(felt)} felt, in {time.monotonic() - began:.0f} s")
    sys.exit(bool(felt))


if __name__ == "__main__":
    main()
