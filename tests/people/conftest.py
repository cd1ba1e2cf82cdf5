"""What the tests of accounts and progress share."""

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from django.core.cache import cache
from django.test import AsyncClient

from visualizer.database import in_database

PASSWORD = "a lamp beside the sea"


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
