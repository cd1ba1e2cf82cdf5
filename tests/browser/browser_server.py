"""A server that can be killed and started again where it was: the same port, the same data."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120


class Server:
    """`manage.py serve` in a process of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        usual = {"DATA_DIR": str(folder), "WORKERS": "1", "DJANGO_SETTINGS_MODULE": "visualizer.settings"}
        self._environment = os.environ | usual | environment
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self.address = ""
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=self._environment, check=True)

    def start(self, *, set_up: bool = False) -> None:
        """Start it and wait until it is ready; `set_up` as `make run` does, else with the files of the source tree."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self._port)]
        command += [] if set_up else ["--no-set-up"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        words = (word for line in self._process.stdout for word in line.split())
        address = next((word for word in words if word.startswith("http")), None)
        assert address is not None, "the server ended before it was ready"
        self.address = address.rstrip("/")
        self._port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """Kill it as the kernel does when memory runs out: without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Have it end in order, if it is there."""
        if self._process is not None and self._process.poll() is None:
            self._end(signal.SIGTERM)

    def _end(self, with_: signal.Signals) -> None:
        assert self._process is not None and self._process.stdout is not None
        self._process.send_signal(with_)
        self._process.wait(PATIENCE_SECONDS)
        self._process.stdout.close()
