"""Calling what uses the database from asynchronous code."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")

KEPT_SECONDS = 600


@sync_to_async
def keep_connection() -> None:
    """Keep the connection of this thread open between calls, up to `KEPT_SECONDS`; each one made anew costs 2 ms.

    Called outside of a request it means the one thread that all WebSockets and the hosting side use for the database.
    A request has a thread of its own, which ends with it, so there connections are closed as before.
    """
    connection.settings_dict = {**connection.settings_dict, "CONN_MAX_AGE": KEPT_SECONDS}
    connection.close()  # what is open was to be closed after its use


def in_database(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run a function in a thread that may use the database, closing connections that are too old."""
    return cast("Callable[P, Coroutine[Any, Any, T]]", database_sync_to_async(function))
