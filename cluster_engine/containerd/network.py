"""Addresses for pods: the host-local part of CNI, which hands out a node's pod CIDR one address after another.

    next_address("10.244.1.0/24", taken={"10.244.1.2"}, last=2) -> ("10.244.1.3", 3)

The first address is the bridge's (cni0), as with the reference plug-ins; one that was just given back is not handed out
again before all others were (host-local remembers the last one it reserved). Left out: the bridge, routes, IPv6.
"""

import ipaddress
from collections.abc import Collection

FIRST_OFFSET = 2


class NoAddressLeftError(Exception):
    """The range is full; the text is host-local's."""


def next_address(cidr: str, *, taken: Collection[str], last: int) -> tuple[str, int]:
    """Return a free address of the range and its offset, searching onwards from the offset `last`."""
    network = ipaddress.IPv4Network(cidr)
    usable = network.num_addresses - 1 - FIRST_OFFSET
    for step in range(1, usable + 1):
        offset = FIRST_OFFSET + (last - FIRST_OFFSET + step) % usable
        address = str(network[offset])
        if address not in taken:
            return address, offset
    raise NoAddressLeftError(f"no IP addresses available in range set: {network[1]}-{network[-2]}")
