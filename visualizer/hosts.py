"""By which names this server may be called: in the Host of requests and the Origin of WebSockets.

A page of another site can have its own name lead to this machine's address (DNS rebinding) and is then, for the
browser, the same site as ours: only the name in Host tells. So a server that lets everybody in (HOST=0.0.0.0) does not
answer to every name. Nobody else can make these lead here: an address itself, `localhost`, names of the local network
(`.local`, RFC 6762), and those that whoever runs the server has named.

Django's ALLOWED_HOSTS knows no pattern for "any address", so there it is `*`, and `settings.NAMES` has the rest.
"""

import ipaddress

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def is_ours(host: str) -> bool:
    """Whether a Host header, perhaps with a port, names this server."""
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    return not settings.NAMES or validate_host(domain, settings.NAMES) or _is_address(domain)


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain.strip("[]"))
    except ValueError:
        return False
    return True
