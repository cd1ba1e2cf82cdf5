"""The exercise on watch clients, by its own solution: a real program, a real socket, the page's kubeconfig."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser_lesson import Learner
from playwright.sync_api import expect
from test_browser_exercise_outside import kubeconfig

from visualizer.lessons.library import CONTENT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

EXERCISE = "exercises/a-watch-client"
FEED_SECONDS_MAX = 300


def solution() -> str:
    """The program as the exercise shows it."""
    found = re.search(r"```python\n(.*?)```", (CONTENT / EXERCISE / "en.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def watching(learner: Learner, program: str, folder: Path) -> Iterator[None]:
    """Run a client until it watches, and start the feed."""
    learner.answer_choice("The connection is cut", "of-last-event")
    learner.answer_choice("A client reads more slowly", "ends")
    command = [sys.executable, "-c", program, str(kubeconfig(learner, folder))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        try:
            assert client.stdout is not None
            assert client.stdout.readline().startswith("watching from")
            learner.page.fill("#command", "kubectl -n feed create configmap go")
            learner.page.press("#command", "Enter")
            yield
        finally:
            client.kill()


def test_a_client_on_a_real_socket_comes_through_all_that_is_thrown_at_it(learner: Learner, tmp_path: Path) -> None:
    learner.begin(EXERCISE)
    with watching(learner, solution(), tmp_path):
        expect(learner.page.locator(".solved")).to_be_visible(timeout=FEED_SECONDS_MAX * 1000)


def test_a_client_that_does_not_read_loses_its_watch_and_is_told_so(learner: Learner, tmp_path: Path) -> None:
    learner.begin(EXERCISE)
    takes = "            event = json"
    slow = solution().replace(takes, f"            time.sleep(25 * line.count(b'\"burst-1\"'))\n{takes}")
    with watching(learner, slow, tmp_path):
        expect(learner.page.locator(".debrief")).to_contain_text("Too slow", timeout=FEED_SECONDS_MAX * 1000)
        expect(learner.check("A burst")).not_to_have_class("passed")
