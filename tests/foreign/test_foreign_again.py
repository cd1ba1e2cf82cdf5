"""What the real kubectl and curl said through the gateway is said again when the run is played again."""

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from patience import PATIENCE_SECONDS
from recent import EPOCH

from cluster_engine import deeds
from cluster_engine.deeds import Command, FromOutside, Input
from cluster_engine.run import Run
from cluster_engine.thread import ClusterSpec, ClusterThread
from cluster_engine.world.work import REAL_EFFORT

pytestmark = pytest.mark.foreign


class Ran:
    """A cluster, what it said, and its run."""

    def __init__(self, past: list[Input] | None = None, until: float = 0.0) -> None:
        self.told: list[Any] = []
        self.entries: list[dict[str, Any]] = []
        self.run = Run(self.told.append, past=past or [], until=until, paused=True)
        spec = ClusterSpec(nodes=2, seed=3, pace=2.0, epoch=EPOCH, effort=REAL_EFFORT, secret=b"of this run")
        self.thread = ClusterThread(spec, on_entries=self.entries.extend, run=self.run)
        self.thread.start().result(PATIENCE_SECONDS)

    def stop(self) -> None:
        self.thread.stop().result(PATIENCE_SECONDS)

    def said(self) -> list[tuple[Any, ...]]:
        """What clients from outside asked, and what they were answered."""
        outside = [one for one in self.entries if "outside/client" in (one["from"], one["to"])]
        return [(one["kind"], one["label"]) for one in outside if one["kind"] in {"http.request", "http.response"}]


@pytest.fixture
def kubectl() -> str:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("NO kubectl ON THIS MACHINE: install Debian's kubernetes-client")
    return program


def test_a_run_with_a_foreign_kubectl_is_played_again(kubectl, tmp_path):
    first = Ran()
    config = tmp_path / "config"
    config.write_text(first.thread.kubeconfig().result(PATIENCE_SECONDS))

    def real(*line: str) -> str:
        command = [kubectl, "--kubeconfig", str(config), "--cache-dir", str(tmp_path / "cache"), *line]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS).stdout

    assert real("create", "configmap", "mine", "--from-literal=a=b") == "configmap/mine created\n"
    first.thread.put(Command("k1", "kubectl get configmap mine")).result(PATIENCE_SECONDS)
    real("create", "deployment", "web", "--image=nginx")
    first.stop()
    end = first.run.inputs[-1].at  # that of the last who left
    heard = [one.act for one in first.run.inputs if isinstance(one.act, FromOutside)]
    assert heard[0] == FromOutside("opened")
    assert {one.what for one in heard} == {"opened", "connected", "said", "left"}
    assert [one for one in first.told if isinstance(one, Input)] == first.run.inputs
    again = Ran(first.run.inputs, end + 1)
    again.stop()
    assert [(one.at, one.act) for one in again.run.inputs] == [(one.at, one.act) for one in first.run.inputs]
    assert len(first.said()) > 6
    assert again.said() == first.said()
    assert any(one["label"].startswith("POST") and "deployments" in one["label"] for one in again.entries)


def test_of_a_foreign_certificate_it_is_said_that_it_cannot_be_shown_again(tmp_path):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("NO curl ON THIS MACHINE")
    first = Ran()
    user = yaml.safe_load(first.thread.kubeconfig().result(PATIENCE_SECONDS))
    ca = tmp_path / "ca.crt"
    ca.write_bytes(base64.b64decode(user["clusters"][0]["cluster"]["certificate-authority-data"]))
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=eve"
    subprocess.run(make.split(), check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    url = user["clusters"][0]["cluster"]["server"]
    ask = [curl, "-s", "--cacert", str(ca), "--cert", str(certificate), "--key", str(key), f"{url}/version"]
    assert b"Unauthorized" in subprocess.run(ask, capture_output=True, check=False, timeout=PATIENCE_SECONDS).stdout
    first.stop()
    assert [one for one in first.told if isinstance(one, deeds.NotKept)]


def test_what_is_kept_of_clients_from_outside_is_bounded(kubectl, tmp_path, monkeypatch):
    monkeypatch.setattr("cluster_engine.run.OUTSIDE_MAX", 4)
    first = Ran()
    config = Path(tmp_path / "config")
    config.write_text(first.thread.kubeconfig().result(PATIENCE_SECONDS))
    line = [kubectl, "--kubeconfig", str(config), "--cache-dir", str(tmp_path / "cache"), "get", "nodes"]
    subprocess.run(line, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    first.thread.put(Command("k1", "echo people are still heard")).result(PATIENCE_SECONDS)
    first.stop()
    assert len([one for one in first.run.inputs if isinstance(one.act, FromOutside)]) == 4
    assert len([one for one in first.told if isinstance(one, deeds.NotKept)]) == 1
    assert first.run.inputs[-1].act == Command("k1", "echo people are still heard")
