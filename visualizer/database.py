"""Calling what uses the database from asynchronous code."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


def in_database(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run a function in a thread that may use the database, closing connections that are too old."""
    return cast("Callable[P, Coroutine[Any, Any, T]]", database_sync_to_async(function))
