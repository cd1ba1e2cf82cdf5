"""Clients that are not ours, against one cluster, through the gateway: real sockets and real programs."""

import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from kubernetes import client, config

from cluster_engine.thread import ControlPlane, running

PACE = 30.0


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A running cluster with its gateway open, thirty times faster than life."""
    with running(nodes=2, pace=PACE, capture=True) as plane:
        yield plane


@pytest.fixture
def kubectl(control_plane, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real kubectl: `kubectl("get", "pods")`; checks the exit code unless told not to."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("NO kubectl ON THIS MACHINE: install Debian's kubernetes-client")

    def call(*arguments: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [program, "--kubeconfig", control_plane.kubeconfig, "--cache-dir", str(tmp_path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input=stdin)
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
