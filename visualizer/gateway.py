"""By which name learners' own kubectl reaches this machine: what kubeconfigs say, and what certificates must name.

Whoever runs the server says it (GATEWAY_HOST). Without that it is 127.0.0.1, which is right where browser and server
share a machine; or the name in the learner's address bar, if that leads here for certain: the server listens beyond
loopback itself, with no proxy before it and no workers elsewhere, and ALLOWED_HOSTS vouches for the name. Certificates
are made with their cluster, so they have all names that may be said later.

    names("", ["class.example", ".example"], host="0.0.0.0", elsewhere=False)   ->  ["class.example"]
"""

import re

LOOPBACK = "127.0.0.1"
LOOPBACKS = frozenset({LOOPBACK, "localhost", "[::1]", "::1"})
_NUMBERS = re.compile(r"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}", re.ASCII)
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def checked(name: str) -> str:
    """Return a name as it is compared. ValueError when it is no host name and no IPv4 address."""
    name = name.lower()
    if not (_NUMBERS if name.rpartition(".")[2].isdecimal() else _NAME).fullmatch(name) or len(name) > 253:
        raise ValueError(f"{name!r} is no host name and no IPv4 address")
    return name


def names(given: str, allowed: list[str], *, host: str, elsewhere: bool) -> list[str]:
    """Return the names besides loopback's by which clusters may be reached; the one `given` is the only one."""
    if given:
        return [given]
    if elsewhere or host in LOOPBACKS:
        return []
    return sorted({name.lower() for name in allowed if _NAME.fullmatch(name.lower())} - LOOPBACKS)


def name_for(address: str) -> str:
    """Return the name for a browser that called this server by `address`, which may end with a port."""
    from django.conf import settings  # workers, which have no Django, use the rest of this module
    from django.http.request import split_domain_port

    if settings.GATEWAY_HOST:
        return settings.GATEWAY_NAMES[0]
    called, _ = split_domain_port(address)
    return called if called in settings.GATEWAY_NAMES else LOOPBACK
