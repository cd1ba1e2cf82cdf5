"""Through the gateway: how fast real clients are served, on HTTP/1.1 with TLS, beside a real control plane.

One cluster runs in a process of its own (`python -m cluster_engine up`, without capture unless asked for), clients
here, watchers in another process. Each `…_ratio` is ours over the reference (for times the reference over ours: above
1 is ahead), corrected by how slow the machine is now.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.calibration import around
from tests.bench.outside_clients import Client, Door, in_turns, object_named
from tests.bench.references import REFERENCE, TIMES

CREATES = 400
EVENTS_A_RUN = 6000
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS_TRIED = 5


@contextlib.contextmanager
def control_plane(*, capture: bool = False, pace: float = 1.0) -> Iterator[tuple[str, int]]:
    """Run a cluster of two nodes; give its kubeconfig and its process."""
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = str(Path(folder) / "kubeconfig")
        command = [sys.executable, "-m", "cluster_engine", "up", "--gateway", "127.0.0.1:0", "--kubeconfig", kubeconfig]
        command += ["--pace", str(pace), *(["--journal", os.devnull] if capture else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            json.loads(process.stdout.readline())
            try:
                yield kubeconfig, process.pid
            finally:
                process.terminate()


def measure(*, capture: bool = False) -> dict[str, Any]:
    """Measure all rows once; CPU of the cluster's process an operation stands beside each."""
    figures: dict[str, Any] = {}
    with control_plane(capture=capture) as (kubeconfig, process):
        bench = Bench(kubeconfig, process)
        _note(figures, "deployment", bench.deployments)
        _note(figures, "creates_one_at_a_time", lambda: bench.creates(1))
        _note(figures, "creates_eight_at_a_time", lambda: bench.creates(8))
        for watchers in (1, 10, 100, 240, 500):
            _note(figures, f"fan_out_to_{watchers}", lambda n=watchers: bench.fan_out(n))
    return figures


def _note(figures: dict[str, Any], name: str, take: Any) -> None:
    """Take a figure (or several) and put it beside its reference."""
    taken, slowness = around(take)
    for key, value in taken.items():
        name_of_row = f"{name}{key}"
        figures[name_of_row] = value
        if name_of_row in TIMES:
            figures[f"{name_of_row}_ratio"] = REFERENCE[name_of_row] / value * slowness
        elif name_of_row in REFERENCE:
            figures[f"{name_of_row}_ratio"] = value / REFERENCE[name_of_row] * slowness
    figures[f"{name}_slowness"] = slowness


class Bench:
    """The clients, and the cluster's process, whose CPU is read from the kernel."""

    def __init__(self, kubeconfig: str, process: int) -> None:
        self.kubeconfig, self.process = kubeconfig, process
        self.door = Door(kubeconfig)
        self.client = Client(self.door)
        self._names = 0

    def _cpu(self) -> float:
        return int(Path(f"/proc/{self.process}/schedstat").read_text().split()[0]) / 1e9

    def creates(self, at_a_time: int) -> dict[str, float]:
        """Create ConfigMaps for a while: a second's count, and milliseconds of CPU for one."""
        clients = [Client(self.door) for _ in range(at_a_time)]
        self._names += 1
        prefix = f"made-{self._names}"
        requests = [("POST", CONFIG_MAPS, object_named(f"{prefix}-{n}", {"key": "value"})) for n in range(CREATES)]
        cpu, began = self._cpu(), time.monotonic()
        in_turns(clients, requests, 201)
        took = time.monotonic() - began
        return {"": CREATES / took, "_cpu_ms_each": (self._cpu() - cpu) / CREATES * 1e3}

    def fan_out(self, watchers: int) -> dict[str, float]:
        """Update one object, again and again, before watchers: events that arrive in a second, CPU of one."""
        updates = max(12, min(200, EVENTS_A_RUN // watchers))
        self._names += 1
        name = f"seen-{self._names}"
        self.client.ask("POST", CONFIG_MAPS, object_named(name, {"n": "0"}), status=201)
        path = f"{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3D{name}"
        command = [sys.executable, "-m", "tests.bench.outside_clients", self.kubeconfig, path]
        with subprocess.Popen([*command, str(watchers), str(updates)], stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            cpu, began = self._cpu(), time.monotonic()
            for number in range(1, updates + 1):
                self.client.ask("PUT", f"{CONFIG_MAPS}/{name}", object_named(name, {"n": str(number)}))
            told = json.loads(watching.stdout.readline())
        assert not told["closed"] and not told["left"], f"watches were ended: {told}"
        events = updates * watchers
        return {"": events / (told["at"] - began), "_cpu_us_each": (self._cpu() - cpu) / events * 1e6}

    def deployments(self) -> dict[str, float]:
        """Create Deployments of three: median ms to the answer, and to all their pods having nodes."""
        answered, bound = [], []
        for number in range(DEPLOYMENTS_TRIED):
            name = f"web-{number}"
            watching = Client(self.door)
            watching.socket.sendall(
                f"GET {PODS}?watch=1&labelSelector=app%3D{name} HTTP/1.1\r\nHost: b\r\n\r\n".encode()
            )
            seen = watching._more()
            began = time.monotonic()
            self.client.ask("POST", DEPLOYMENTS, _deployment(name), status=201)
            answered.append((time.monotonic() - began) * 1e3)
            names: dict[bytes, None] = {}
            while len(names) < 3:
                seen += watching._more()
                *lines, seen = seen.split(b"\n")
                names.update({_pod(line): None for line in lines if b'"nodeName"' in line})
            bound.append((time.monotonic() - began) * 1e3)
            self.client.ask("DELETE", f"{DEPLOYMENTS}/{name}")
            time.sleep(0.5)
        return {"_answered": sorted(answered)[len(answered) // 2], "_of_three_bound": sorted(bound)[len(bound) // 2]}


def _pod(line: bytes) -> bytes:
    return line.partition(b'"name":"')[2].partition(b'"')[0]


def _deployment(name: str) -> bytes:
    labels = {"app": name}
    spec = {
        "replicas": 3,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
        },
    }
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    return json.dumps(made).encode()


if __name__ == "__main__":
    for row, figure in measure(capture="capture" in sys.argv[1:]).items():
        print(f"{row:<44} {figure:>10.4g}")
