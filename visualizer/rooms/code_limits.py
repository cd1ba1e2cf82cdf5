"""How often a wrong code of a room may be tried.

Counted for the visitor, for the address they come from and for all together. At two and a half tries a second from one
address, and fifty from all, one of 23^7 codes is not found. A visitor can throw their cookie away; a whole class may
sit behind one address, so that bound is wider.
"""

from visualizer.attempt_limits import MINUTE, Attempts, Bound
from visualizer.rate_limits import Pace

BOUNDS = {
    "visitor": Bound(10, MINUTE, Pace(every_seconds=3, wait_seconds_max=6)),
    "address": Bound(30, MINUTE, Pace(every_seconds=0.4, wait_seconds_max=15)),
    "all": Bound(1000, MINUTE, Pace(every_seconds=0.02, wait_seconds_max=5)),
}


def attempts(visitor: str, address: str) -> Attempts:
    """The attempts of a visitor ("" for who is none yet) from an address."""
    whose = {"address": address, "all": "all"}
    return Attempts("join", BOUNDS, {**whose, "visitor": visitor} if visitor else whose)
