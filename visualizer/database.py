"""Using the database from asynchronous code, and from threads whose connections Django does not close.

Each thread has a connection of its own. At the end of a request Django closes the one of the request's own thread; but
it makes error pages in a thread of the event loop's pool, which outlives the request.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import close_old_connections, connection

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


def keeping_no_connection(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function in whatever thread this is, then close the connection that it has opened there."""

    @wraps(function)
    def closing(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return closing
