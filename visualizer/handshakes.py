"""Who a WebSocket's handshake speaks for: its session's visitor and user.

Channels' `AuthMiddlewareStack` looks both up in a trip of its own to the thread that uses the database, before the
consumer may accept; a thousand pages that come back at once then wait for each other until their handshakes time out.
Here the consumer accepts first, and asks for session, user and access together, in one trip.
"""

from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, parse_cookie

from visualizer.selectors import Owner


def owner_of(scope: dict[str, Any]) -> Owner:
    """Look up who a handshake speaks for, without making anybody; uses the database, and sees who has signed out."""
    key = _cookies(scope).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return Owner("")
    session = SessionStore(key)
    return Owner.of(session, get_user(cast("HttpRequest", SimpleNamespace(session=session))))


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    for name, value in scope.get("headers", []):
        if name.lower() == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}
