"""What keeps strangers out of a page: the content security policy, the same-origin rule for WebSockets, no indexing."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from channels.security.websocket import WebsocketDenier
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from visualizer import hosts
from visualizer.crawlers import indexed

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'"
)
NOBODY_FRAMES = "; frame-ancestors 'none'"
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


def nonce_context(request: HttpRequest) -> dict[str, str]:
    """Context processor: `csp_nonce`, the one named in this response's policy."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}


def framed_by_anybody(response: HttpResponse) -> HttpResponse:
    """Let pages of any site hold this one response in a frame; it is the only way to have that."""
    response.framed_by_anybody = True  # type: ignore[attr-defined]
    return response


@sync_and_async_middleware
def content_security_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: a nonce for each request, and the headers that name it."""

    def prepare(request: HttpRequest) -> None:
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]

    def protect(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        nonce = request.csp_nonce  # type: ignore[attr-defined]
        policy = POLICY.format(nonce=nonce)
        if not getattr(response, "framed_by_anybody", False):
            policy += NOBODY_FRAMES
            response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        if not indexed(request.path):
            response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            prepare(request)
            return protect(request, await get_response(request))

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        prepare(request)
        return protect(request, get_response(request))

    return synchronous


Scope = dict[str, Any]
ASGIApplication = Callable[[Scope, Any, Any], Awaitable[None]]


class SameOrigin:
    """ASGI middleware: a WebSocket is opened only from a page of this very server, under an allowed host name.

    Browsers send cookies along with WebSockets that other sites open and always say the origin; a missing Origin is
    not a browser's, and is refused too.
    """

    def __init__(self, application: ASGIApplication) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Let the handshake pass or deny it (403)."""
        if allowed_origin(scope):
            await self._application(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)


def allowed_origin(scope: Scope) -> bool:
    """Whether Origin names the host that was asked, and that host is one of ours."""
    headers = {name.lower(): value.decode("latin1") for name, value in scope.get("headers", [])}
    host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
    if origin.lower() not in {f"http://{host.lower()}", f"https://{host.lower()}"}:
        return False
    return hosts.is_ours(host)
