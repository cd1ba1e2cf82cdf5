"""Which language a browser asked for, where there is no Django request: on a WebSocket."""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_from_request


def language_of(scope: dict[str, Any]) -> str:
    """The language of a WebSocket handshake: the cookie's, else the browser's, else the default."""
    headers = {name.lower(): value.decode("latin1") for name, value in scope.get("headers", [])}
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", "")
    try:
        cookies = SimpleCookie(headers.get(b"cookie", ""))
    except CookieError:
        cookies = SimpleCookie()
    request.COOKIES = {name: morsel.value for name, morsel in cookies.items()}
    return get_language_from_request(request)
