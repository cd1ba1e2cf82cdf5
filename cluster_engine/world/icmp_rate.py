"""How often a machine tells another that what it sends cannot be delivered: ICMP's rate limit.

A token bucket for each machine that tells and each address that is told: six at once, then one a second. So a flood of
datagrams to a closed port is answered by a trickle. Modelled on Linux's inet_peer_xrlim_allow with icmp_ratelimit as it
is set (1000 ms). Loopback has no limit and does not ask here. Left out: that of all addresses together.

    t=0    ten datagrams from 10.0.0.11 to a closed port      six are answered
    t=2    three more                                         two are
"""

RATE_SECONDS = 1.0
BURST = 6
"""net.ipv4.icmp_ratelimit, and XRLIM_BURST_FACTOR."""
ADDRESSES_MAX = 4096


class IcmpRate:
    """What may still be told to whom."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[float, float]] = {}

    def allows(self, machine: str, address: str, now: float) -> bool:
        """Whether `machine` may tell `address` something now; if so it has done it."""
        tokens, since = self._told.pop((machine, address), (float(BURST), now))
        tokens = min(BURST, tokens + (now - since) / RATE_SECONDS)
        is_allowed = tokens >= 1
        self._told[machine, address] = (tokens - is_allowed, now)
        if len(self._told) > ADDRESSES_MAX:
            del self._told[next(iter(self._told))]  # who was told longest ago
        return is_allowed
