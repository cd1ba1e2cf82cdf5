"""Real Chromium against the real server: `manage.py serve` in a process of its own, with a database file of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_lesson import Learner
from browser_page import PATIENCE_MS, PATIENCE_SECONDS, Glassplane
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=PATIENCE_MS)
ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that is ready."""
    folder = tmp_path_factory.mktemp("served")
    environment = os.environ | {
        "DATA_DIR": str(folder),
        "WORKERS": "1",
        "CLUSTER_IDLE_SECONDS": "60",  # what a test has left at sixty times its pace is not to slow the next ones
        "DJANGO_SETTINGS_MODULE": "visualizer.settings",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "manage.py", "serve", "--no-set-up", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = next((word for line in process.stdout for word in line.split() if word.startswith("http")), None)
            assert address is not None, "the server ended before it was ready"
            yield address.rstrip("/")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("NO CHROMIUM ON THIS MACHINE: the page stays untested (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def glassplane(chromium: Browser, server: str) -> Iterator[Glassplane]:
    """A newcomer's page, with a cluster of its own; whatever the browser complains about fails the test."""
    page = Glassplane(chromium, server)
    yield page
    page.close()
    assert page.complaints == []


@pytest.fixture
def learner(chromium: Browser, server: str) -> Iterator[Learner]:
    """Somebody new; whatever the browser complains about fails the test."""
    one = Learner(chromium, server)
    yield one
    one.close()
    assert one.complaints == []
