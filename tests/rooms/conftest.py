"""What the tests of rooms share: the web tier's fixtures, visitors, and the socket of a room's page."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

WEB = Path(__file__).parent.parent / "web"
sys.path.insert(0, str(WEB))  # web_until, fake_cluster
_spec = importlib.util.spec_from_file_location("web_conftest", WEB / "conftest.py")
assert _spec is not None and _spec.loader is not None
_web = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_web)

redis_url, engine, worker, host = _web.redis_url, _web.engine, _web.worker, _web.host
long_leases, no_paces, no_time_passes = _web.long_leases, _web.no_paces, _web.no_time_passes
stopwatch = _web.stopwatch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of rooms that waits for what never comes fails; it does not hang."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))


@pytest_asyncio.fixture
async def bus() -> Any:
    from visualizer.hosting.bus import EmbeddedBus

    made = EmbeddedBus()
    yield made
    await made.aclose()


@pytest.fixture(autouse=True)
def plain_templates(settings: Any) -> None:
    """Pages that show what they are given, whatever the real ones look like."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates", WEB / "templates"]}]


@pytest.fixture(autouse=True)
def quiet_cache() -> None:
    """Nobody has tried anything yet."""
    from django.core.cache import cache

    cache.clear()
