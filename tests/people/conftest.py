"""What the tests of accounts and progress share: browsers, somebody with an account, and the web tier's fixtures."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.core.cache import cache
from django.test import AsyncClient
from people_password import PASSWORD

from visualizer.database import in_database

WEB = Path(__file__).parent.parent / "web"
sys.path.insert(0, str(WEB))  # web_until, fake_cluster
_spec = importlib.util.spec_from_file_location("web_conftest", WEB / "conftest.py")
assert _spec is not None and _spec.loader is not None
_web = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_web)

redis_url, engine, worker, host = _web.redis_url, _web.engine, _web.worker, _web.host
long_leases, no_paces, stopwatch = _web.long_leases, _web.no_paces, _web.stopwatch


@pytest.fixture(autouse=True)
def no_counts() -> Iterator[None]:
    """No test sees the attempts of another."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """Hashing a password takes no time here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def client() -> AsyncClient:
    """A browser."""
    return AsyncClient()


@pytest_asyncio.fixture
async def ann(django_user_model: Any) -> Any:
    """Somebody with an account."""
    return await in_database(django_user_model.objects.create_user)("ann", password=PASSWORD)


@pytest_asyncio.fixture
async def bus() -> Any:
    """The bus of a server that is alone."""
    from visualizer.hosting.bus import EmbeddedBus

    made = EmbeddedBus()
    yield made
    await made.aclose()
