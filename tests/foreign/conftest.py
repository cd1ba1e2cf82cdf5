"""Clients that are not ours, against one cluster, through the gateway: real sockets and real programs."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from kubernetes import client, config
from patience import PATIENCE_SECONDS

from cluster_engine.deeds import Pace, Pause, Resume
from cluster_engine.thread import ControlPlane, running

PACE = 30.0
PACE_UNHURRIED = 5.0
"""At 30 a cluster's own life takes a quarter of a CPU, however little is asked of it."""

os.environ.setdefault("GOGC", "off")  # a kubectl that lives for a tenth of a second need not collect its garbage


@pytest.fixture(scope="session")
def kept() -> Iterator[ControlPlane]:
    """A cluster with its gateway open, whose time stands: tests that are not foreign share this process's CPU."""
    with running(nodes=2, pace=PACE, capture=True) as plane:
        plane.thread.put(Pause()).result()
        yield plane


@pytest.fixture(scope="module")
def control_plane(kept) -> Iterator[ControlPlane]:
    """That cluster, whose time goes thirty times faster than life."""
    kept.thread.put(Resume()).result()
    yield kept
    kept.thread.put(Pause()).result()


@pytest.fixture(scope="module")
def unhurried(control_plane) -> Iterator[ControlPlane]:
    """That cluster at a fraction of its pace, for a module whose clients wait for nothing in it."""
    control_plane.thread.put(Pace(PACE_UNHURRIED)).result()
    yield control_plane
    control_plane.thread.put(Pace(PACE)).result()


@pytest.fixture
def kubectl(control_plane, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real kubectl: `kubectl("get", "pods")`; checks the exit code unless told not to."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("NO kubectl ON THIS MACHINE: install Debian's kubernetes-client")

    def call(*arguments: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [program, "--kubeconfig", control_plane.kubeconfig, "--cache-dir", str(tmp_path), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS, input=stdin
        )
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done

    return call


@pytest.fixture
def namespace(control_plane, request) -> Iterator[str]:
    """A namespace of the test's own."""
    name = "test-" + request.node.name.removeprefix("test_").replace("_", "-").split("[")[0][:40].strip("-")
    with config.new_client_from_config(control_plane.kubeconfig) as api:
        core = client.CoreV1Api(api)
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        yield name
        core.delete_namespace(name)
