"""What search engines may find: the pages without a cluster. Nothing that is somebody's.

Everything else is answered with `X-Robots-Tag: noindex`. `robots.txt` moreover asks them not to fetch what costs
something (the sandbox starts a cluster). It does not name `/join/<code>/`: who may not fetch a page cannot read that it
is not to be listed, and an address with a code in it would be listed without its content.
"""

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

INDEXED = re.compile(r"/|/(courses|walkthroughs|exercises)/([\w-]+/)?|/rooms/|/join/|/glossary/|/privacy/")
NOT_FETCHED = ["/sandbox/", "/clusters/", "/account/", "/progress/", "/language/", "/faults/", "/healthz", "/ws/"]


def indexed(path: str) -> bool:
    """Whether a search engine may list this address."""
    return INDEXED.fullmatch(path) is not None


@require_safe
def robots_txt(request: HttpRequest) -> HttpResponse:
    """What crawlers are asked to leave alone."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FETCHED), "Allow: /"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
