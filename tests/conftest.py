"""What every test may use."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck, settings

from cluster_engine.collecting import collect_seldom
from cluster_engine.world.story import run_story
from cluster_engine.world.world import World

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell leaves it to what runs in its background, for ever:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs that tests start and interrupt inherit that

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process that tests start compiles the engine: two seconds
sys.dont_write_bytecode = False  # and each that runs tests compiles all of those: seven

settings.register_profile("ours", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")  # no test depends on how fast a machine is, nor on luck: `make fuzz` tries its own


def pytest_collection_finish() -> None:
    """Look for garbage as seldom as every program that runs clusters, now that all is imported."""
    collect_seldom()


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run a story in a world of its own, in leaping virtual time: `run(story, seed=1, tap=None)`."""
    return run_story


@pytest.fixture(scope="session")
def copies() -> Iterator[Any]:
    """Run stories with copies of clusters that have started: `copies.tell(story, spec)`."""
    from copied_clusters import Copies  # here, so that tests of pages and of parts load no cluster

    with contextlib.closing(Copies()) as kept:
        yield kept


@pytest.fixture(autouse=True)
def _bugs_are_loud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every bug of ours end the world that it is in, unless the test is marked: then it judges for itself."""
    monkeypatch.setattr(World, "is_strict", request.node.get_closest_marker("bears_bugs") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Write no content types and permissions anew after each test's flush: nobody here asks for any."""
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
