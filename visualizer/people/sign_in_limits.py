"""How often a sign-in may fail, and how many accounts one address may open.

The counts of an address are generous, because a whole class may sit behind one; the count of a name at an address is
what stops guessing: nobody tries faster than one password every ten seconds at one name. What a classmate tries at a
teacher's name locks nobody out.
"""

from visualizer.attempt_limits import Attempts, Bound
from visualizer.rate_limits import Pace

FAILED_SECONDS = 15 * 60
OPENED_SECONDS = 60 * 60
OPENED_MAX = 60
BOUNDS = {
    "name at address": Bound(8, FAILED_SECONDS, Pace(every_seconds=5, wait_seconds_max=15)),
    "name": Bound(50, FAILED_SECONDS, Pace(every_seconds=10, wait_seconds_max=20)),
    "address": Bound(100, FAILED_SECONDS, Pace(every_seconds=1, wait_seconds_max=15)),
}


def attempts(address: str, name: str) -> Attempts:
    """The attempts at a name's password from an address."""
    name = name.casefold()
    return Attempts("sign-in", BOUNDS, {"name at address": f"{address}\0{name}", "name": name, "address": address})
