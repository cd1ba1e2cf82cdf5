"""Set up what Glassplane needs, step by step, with nothing but Python's standard library. Called by the Makefile.

    python3 set_up.py serve                           what `make run` needs
    python3 set_up.py tests                           what the tests and checks need too
    python3 set_up.py python --environment FOLDER     a virtual environment for the tests of Python alone

A step that has ended leaves a stamp in the environment's folder, with a digest of its inputs; it runs again when they
change or when what it made is gone. A step that writes into the environment marks it as unfinished meanwhile: pip may
have been killed half-way through a package and may then call that package installed, so an environment found unfinished
is made anew (pip keeps what it fetched). `npm ci` removes what it finds anyway. Two set-ups never run at once, not
even when one was killed and its pip lives on: the lock is on a file that its children inherit.

Node comes from the system where there is one that is new enough, else from a PyPI package into the environment.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NODE_MAJOR_MIN = 20  # as package.json says
LAST_LINES = 15

REASONS = {  # what the tools print -> what it means
    r"No space left on device|ENOSPC": "the disk is full",
    r"ensurepip is not available|No module named (venv|ensurepip)": (
        "this Python comes without `venv`; on Debian and Ubuntu `apt install python3-venv` brings it"
    ),
    r"Failed to establish a new connection|Temporary failure in name resolution|Name or service not known|timed out|"
    r"nodename nor servname|Connection (aborted|refused|reset)|Network is unreachable|No route to host|ProxyError|"
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b": (
        "there is no network here, or none that leads there"
    ),
}


@dataclass(frozen=True)
class Step:
    """One step: what it says, what it depends on, what it makes and what it runs."""

    name: str
    says: str
    takes: str
    cannot: str  # after "Could not "
    inputs: tuple[str, ...]  # globs
    makes: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    in_environment: bool = True  # whether it writes there with pip


class SetUp:
    """The steps for one virtual environment, and which of them are done."""

    def __init__(self, environment: Path) -> None:
        self.environment = environment
        self._stamps = environment / ".set-up"
        self._unfinished = self._stamps / "unfinished"
        python = str(environment / "bin" / "python")
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        self.making = Step(
            "environment",
            f"making a virtual environment in {os.path.relpath(environment, ROOT)}",
            "ten seconds",
            "make a virtual environment",
            (),
            ("bin/python",),
            ((sys.executable, "-m", "venv", "--clear", str(environment)),),
        )
        self.packages = Step(
            "packages",
            "installing the Python packages and Glassplane itself",
            "a minute",
            "fetch the Python packages from PyPI",
            ("requirements/runtime.lock", "pyproject.toml", "hatch_build.py", "cluster_engine/rpc/*.proto"),
            (),
            ((*pip, "-r", "requirements/runtime.lock"), (*pip, "--no-deps", "--editable", ".")),
        )
        self.tools = Step(
            "tools",
            "installing the Python packages of tests and checks",
            "two minutes",
            "fetch the tests' Python packages from PyPI",
            ("requirements/development.lock",),
            (),
            ((*pip, "-r", "requirements/development.lock"),),
        )
        self.node = Step(
            "node",
            f"installing Node, as none from {NODE_MAJOR_MIN} on is here",
            "half a minute",
            "fetch Node from PyPI",
            ("requirements/node.lock",),
            ("bin/node", "bin/npm"),
            ((*pip, "-r", "requirements/node.lock"),),
        )
        self.page = Step(
            "page",
            "fetching the modules of the page",
            "ten seconds",
            "fetch the page's modules from the npm registry",
            ("package.json", "package-lock.json", "vendor.mjs"),
            (str(ROOT / "node_modules"), str(ROOT / "static" / "vendor" / "LICENSES.txt")),
            (
                ("npm", "ci", "--no-audit", "--no-fund"),
                ("node", "vendor.mjs"),
                (python, "-m", "visualizer.one_file"),
            ),
            in_environment=False,
        )

    def pending(self, purpose: str) -> list[Step]:
        """Return the steps that are to run, in their order."""
        if not self._is_sound():
            self._forget()
        steps = [self.making, self.packages]
        steps += [self.tools] if purpose != "serve" else []
        steps += [self.page] if purpose != "python" else []
        pending = [step for step in steps if not self._is_done(step)]
        if (self.page in pending or purpose == "tests") and not self._is_done(self.node) and not system_has_node():
            pending.insert(-1 if self.page in pending else len(pending), self.node)
        return pending

    def run(self, step: Step) -> None:
        """Run a step to its end. Raise `Failed`."""
        if step.in_environment and step is not self.making:
            self._unfinished.touch()
        path = os.pathsep.join([str(self.environment / "bin"), os.environ.get("PATH", os.defpath)])
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            for command in step.commands:
                try:
                    subprocess.run(
                        command,
                        cwd=ROOT,
                        env={**os.environ, "PATH": path},
                        stdin=subprocess.DEVNULL,
                        stdout=said,
                        stderr=subprocess.STDOUT,
                        check=True,
                        close_fds=False,  # the lock goes along
                    )
                except (subprocess.CalledProcessError, OSError) as problem:
                    said.seek(0)
                    raise Failed(step, said.read() or str(problem)) from problem
        self._stamps.mkdir(exist_ok=True)
        (self._stamps / step.name).write_text(self._digest(step))
        self._unfinished.unlink(missing_ok=True)

    def _is_sound(self) -> bool:
        """Whether the environment was made to its end, here, by this Python or one that is still there."""
        return not self._unfinished.exists() and self._is_done(self.making)

    def _forget(self) -> None:
        shutil.rmtree(self._stamps, ignore_errors=True)

    def _is_done(self, step: Step) -> bool:
        try:
            stamp = (self._stamps / step.name).read_text()
        except OSError:
            return False
        return stamp == self._digest(step) and all((self.environment / made).exists() for made in step.makes)

    def _digest(self, step: Step) -> str:
        if step is self.making:
            python = self.environment / "bin" / "python"
            return f"{self.environment.resolve()} {python.resolve()}"  # its programs and packages belong to both
        digest = hashlib.sha256()
        for path in sorted(path for pattern in step.inputs for path in ROOT.glob(pattern)):
            digest.update(path.read_bytes())
        return digest.hexdigest()


class Failed(Exception):  # noqa: N818
    """A step that failed, and all that it said."""

    def __init__(self, step: Step, said: str) -> None:
        reason = next((words for pattern, words in REASONS.items() if re.search(pattern, said)), None)
        if reason is None:
            lines = "\n".join(f"    {line}" for line in said.strip().splitlines()[-LAST_LINES:])
            super().__init__(f"Could not {step.cannot}; these were the last words:\n{lines}\nCall it again to go on.")
        else:
            super().__init__(
                f"Could not {step.cannot}: {reason}. Call it again when that is mended; what is done stays done."
            )


def system_has_node() -> bool:
    """Whether the PATH has npm and a Node that is new enough."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    return version is not None and int(version[1]) >= NODE_MAJOR_MIN


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock, waiting for another set-up to end; our children hold it with us."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        os.set_inheritable(folder, True)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work in this folder; waiting for its end.", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main() -> None:
    """Run what is pending, saying each step in one line."""
    parser = argparse.ArgumentParser(prog="set_up.py")
    parser.add_argument("purpose", choices=["serve", "tests", "python"])
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    set_up = SetUp(ROOT / options.environment)
    try:
        with alone():
            pending = set_up.pending(options.purpose)
            for number, step in enumerate(pending, 1):
                print(f"Set-up {number} of {len(pending)}: {step.says} (about {step.takes})", flush=True)
                set_up.run(step)
    except Failed as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("The set-up was stopped; called again, it goes on.")


if __name__ == "__main__":
    main()
