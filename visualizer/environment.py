"""The settings that are environment variables: what each must be, and what it is when it is not given.

    PORT.read()         8000, or what the environment says
    PORT.parse("abc")   raises Misfit: PORT must be a whole number from 0 to 65535, not 'abc'.

A variable that is empty is one that is not given. What each is for says the table in the README, which a test holds
equal to the list at the end. `manage.py` and the worker end with exit code 2 and the one sentence of a `Misfit`.
Nothing here needs Django, because the worker reads its settings here too.
"""

import ipaddress
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from visualizer import gateway

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
SHOWN_MAX = 80  # characters of a value that are repeated in a refusal


class Misfit(ArgumentTypeError):  # noqa: N818
    """A setting that cannot be used, in one sentence. On a command line argparse says it."""


@dataclass(frozen=True)
class Variable(Generic[T]):
    """One environment variable."""

    name: str
    default: T
    must_be: str
    of: Callable[[str], T]  # raises ValueError
    secret: bool = False  # it may hold a password, which no message repeats

    def read(self, otherwise: T | None = None) -> T:
        """Return what the environment says, or `otherwise`, or the default. Raise `Misfit`."""
        text = os.environ.get(self.name, "").strip()
        if text:
            return self.parse(text)
        return self.default if otherwise is None else otherwise

    def parse(self, text: str) -> T:
        """Return what a text says. Raise `Misfit`."""
        try:
            return self.of(text)
        except ValueError as problem:
            given = "" if self.secret else f", not {text[:SHOWN_MAX]!r}"
            raise Misfit(f"{self.name} must be {self.must_be}{given}.") from problem


@contextmanager
def ending_at_a_misfit() -> Iterator[None]:
    """End the process with exit code 2 and one sentence when a setting does not fit."""
    try:
        yield
    except Misfit as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)


# Kinds ----------------------------------------------------------------------------------------------------------------


def number(name: str, default: int, least: int, most: int) -> Variable[int]:
    """A whole number in a range, both ends included."""

    def of(text: str) -> int:
        if not least <= (value := int(text)) <= most:
            raise ValueError
        return value

    return Variable(name, default, f"a whole number from {least} to {most}", of)


def flag(name: str) -> Variable[bool]:
    """Yes or no; no when it is not given."""
    words = dict.fromkeys(["1", "true", "yes", "on"], True) | dict.fromkeys(["0", "false", "no", "off"], False)

    def of(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError
        return words[text.lower()]

    return Variable(name, False, "1 (on) or 0 (off)", of)


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return str(ipaddress.IPv6Address(bare)) if ":" in bare else gateway.checked(bare)


def _hosts(text: str) -> list[str]:
    return [_pattern(one.strip()) for one in text.split(",") if one.strip()]


def _pattern(text: str) -> str:
    if text == "*":
        return text
    host = _host(text.removeprefix("."))
    return f"[{host}]" if ":" in host else text.lower()


def _secret_key(text: str) -> str:
    return text.encode().decode()  # what came as other than UTF-8 could sign nothing


def _redis_url(text: str) -> str:
    from redis import ConnectionPool, RedisError  # a server that has no such URL does without

    try:
        ConnectionPool.from_url(text).make_connection()  # makes the object, connects to nothing
    except (TypeError, RedisError) as problem:  # an option that no connection has
        raise ValueError from problem
    return text


# The variables, in the README's order ---------------------------------------------------------------------------------

HOST = Variable("HOST", "127.0.0.1", "an address or a host name of this machine", _host)
PORT = number("PORT", 8000, 0, 65535)
ALLOWED_HOSTS = Variable[list[str]](
    "ALLOWED_HOSTS", [], "host names separated by commas, without https:// and without ports", _hosts
)
HTTPS = flag("HTTPS")
PROXIES = number("PROXIES", 0, 0, 10)
DATA_DIR = Variable("DATA_DIR", ROOT / "var", "a folder", Path)
SECRET_KEY = Variable("SECRET_KEY", "", "text in UTF-8", _secret_key, secret=True)
GATEWAY_HOST = Variable("GATEWAY_HOST", "", "a host name or an IPv4 address, without a port", gateway.checked)
REDIS_URL = Variable("REDIS_URL", "", "a URL like redis://127.0.0.1:6379/0", _redis_url, secret=True)
WORKERS = number("WORKERS", 1, 0, 256)
CLUSTERS_PER_WORKER = number("CLUSTERS_PER_WORKER", 40, 1, 1000)
CLUSTER_MEMORY_MIB = number("CLUSTER_MEMORY_MIB", 384, 64, 1024 * 1024)
CLUSTERS_PER_VISITOR = number("CLUSTERS_PER_VISITOR", 3, 1, 1000)
CLUSTERS_PER_ADDRESS = number("CLUSTERS_PER_ADDRESS", 60, 1, 100_000)
CONNECTIONS_PER_ADDRESS = number("CONNECTIONS_PER_ADDRESS", 1500, 1, 1_000_000)
CLUSTER_IDLE_SECONDS = number("CLUSTER_IDLE_SECONDS", 15 * 60, 1, 365 * 24 * 60 * 60)
JOURNAL_ENTRIES_MAX = number("JOURNAL_ENTRIES_MAX", 500_000, 1_000, 100_000_000)
RECORDINGS_KEPT_DAYS = number("RECORDINGS_KEPT_DAYS", 7, 0, 36_500)
DEBUG = flag("DEBUG")
