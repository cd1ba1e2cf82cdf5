"""Who a WebSocket's handshake speaks for: its session's visitor and user.

Channels' `AuthMiddlewareStack` looks both up in a trip of its own to the thread that uses the database, before the
consumer may accept; a thousand pages that come back at once then wait for each other until their handshakes time out.
Here the consumer accepts first, and asks for session, user and access together, in one trip.
"""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, parse_cookie

from visualizer.selectors import Owner


class Handshake(NamedTuple):
    """Who a handshake speaks for, and until when: its session ends by age, if nobody visits meanwhile."""

    owner: Owner
    expires: datetime | None = None


def read(scope: dict[str, Any]) -> Handshake:
    """Look up who a handshake speaks for, without making anybody; uses the database, and sees who has signed out."""
    key = _cookies(scope).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return Handshake(Owner(""))
    session = _Session(key)
    owner = Owner.of(session, get_user(cast("HttpRequest", SimpleNamespace(session=session))))
    return Handshake(owner, session.expires)


class _Session(SessionStore):
    """A session that remembers when its row expires, which is read with it."""

    expires: datetime | None = None
    key_salt = SessionStore().key_salt  # it reads what a SessionStore has signed

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]
        self.expires = row.expire_date if row is not None else None
        return row


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    for name, value in scope.get("headers", []):
        if name.lower() == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}
