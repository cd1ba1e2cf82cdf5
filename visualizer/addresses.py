"""Where a request comes from, as a key to count by.

Behind proxies the peer of every connection is the nearest one; where a request came from is then what they have added
to `X-Forwarded-For`, each one address at the end. How many of them are ours the settings say (`PROXIES`), because
whatever stands before theirs was written by the client, who may write anything:

    PROXIES=1    X-Forwarded-For: 6.6.6.6, 203.0.113.9      203.0.113.9
    PROXIES=0    the same                                   the connection's own peer

One customer of IPv6 has at least 2^64 addresses (RFC 6177), so those count as one: `2001:db8:1:2::/64`.
"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from, as `key` writes it."""
    proxies: int = settings.PROXIES
    if not proxies:
        return key(request.META.get("REMOTE_ADDR", ""))
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return key(passed[-proxies].strip() if len(passed) >= proxies else "")


def key(address: str) -> str:
    """Write an address as what is counted together: one of IPv4, a /64 of IPv6, `UNKNOWN` for anything else."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
