"""Who has come in from outside, and who may still: bounds on real connections, in all and for each address.

Theory of operation. A connection costs memory here and a descriptor of this machine, and whoever opens them may be
careless or hostile. So there are two bounds: one for an address, wide enough for a thousand watchers of one machine,
and one for all together, so that several addresses have room. At a bound, one that has never said a word makes room
for the newcomer: half-open connections by the thousand stop nobody. If all have spoken, the newcomer is refused, in
words, which the API server says in HTTP; and since saying them costs a TLS handshake, only so many are told at a time.

    visitors.admit("10.1.2.3", door)      ""      room; or one that was silent has been shown out
                                          "too many connections from 10.1.2.3: …"      to be told so
                                          None    not even told so

What it leaves out: rates. Who connects and leaves a thousand times a second costs a thousand accepts.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

CONNECTIONS_MAX = 2048
CONNECTIONS_PER_ADDRESS_MAX = 1280
REFUSALS_AT_A_TIME_MAX = 16
SILENT_SECONDS_MIN = 1.0
"""One that has been here for less than this has not been silent yet: its first bytes may be under way."""


class Visitor(Protocol):
    """One connection from outside."""

    since: float
    """When it came, in real seconds."""

    def show_out(self) -> None:
        """End it at once."""
        ...


class Visitors:
    """All connections of one gateway. `most` bounds them further, where there are fewer descriptors."""

    def __init__(self, most: int = CONNECTIONS_MAX) -> None:
        self.most = min(most, CONNECTIONS_MAX)
        self.most_of_one = min(CONNECTIONS_PER_ADDRESS_MAX, self.most)
        self._addresses: dict[Visitor, str] = {}
        self._counts: Counter[str] = Counter()
        self._silent: dict[str, dict[Visitor, None]] = {}
        self._being_refused: dict[Visitor, None] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def __iter__(self) -> Iterator[Visitor]:
        return iter(list(self._addresses) + list(self._being_refused))

    def admit(self, visitor: Visitor, address: str, now: float) -> str | None:
        """Count a newcomer: "" when it may come in, else the reason to tell it, or None when it is just to go."""
        refusal = self._refusal(address, now)
        if not refusal:
            self._addresses[visitor] = address
            self._counts[address] += 1
            self._silent.setdefault(address, {})[visitor] = None
            return ""
        if len(self._being_refused) >= REFUSALS_AT_A_TIME_MAX:
            return None
        self._being_refused[visitor] = None
        return refusal

    def spoke(self, visitor: Visitor) -> None:
        """Note that somebody has said something."""
        address = self._addresses.get(visitor, "")
        silent = self._silent.get(address)
        if silent is not None and silent.pop(visitor, visitor) is None and not silent:
            del self._silent[address]

    def left(self, visitor: Visitor) -> None:
        """Forget one that has gone, if it is still known."""
        self._being_refused.pop(visitor, None)
        self.spoke(visitor)
        address = self._addresses.pop(visitor, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _refusal(self, address: str, now: float) -> str:
        if self._counts[address] >= self.most_of_one and not self._make_room([address], now):
            return f"too many connections from {address}: it has {self.most_of_one} open, the most that one address may"
        if len(self._addresses) >= self.most and not self._make_room(list(self._silent), now):
            return f"too many connections: {self.most} are open, the most that this cluster's gateway takes"
        return ""

    def _make_room(self, addresses: list[str], now: float) -> bool:
        """Show out the oldest that never spoke, of the address that has most of them."""
        silent = max((self._silent.get(one, {}) for one in addresses), key=len, default={})
        oldest = next(iter(silent), None)
        if oldest is None or now - oldest.since < SILENT_SECONDS_MIN:
            return False
        self.left(oldest)
        oldest.show_out()
        return True
