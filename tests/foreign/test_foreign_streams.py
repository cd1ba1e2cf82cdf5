"""The real kubectl speaks with what runs in containers: exec, attach, logs, port-forward, proxies."""

import pytest

pytestmark = pytest.mark.foreign


@pytest.fixture
def busybox(kubectl, namespace):
    """A pod of busybox that runs, and the arguments that lead into its namespace."""
    n = ("-n", namespace)
    kubectl("run", "box", "--image=busybox", *n, "--", "sleep", "36000")
    kubectl("wait", "--for=condition=Ready", "pod/box", *n)
    return n


def test_exec_brings_output_and_exit_code(kubectl, busybox):
    assert kubectl("exec", "box", *busybox, "--", "echo", "hello").stdout == "hello\n"
    failed = kubectl("exec", "box", *busybox, "--", "sh", "-c", "exit 7", check=False)
    assert (failed.returncode, failed.stderr) == (7, "command terminated with exit code 7\n")


def test_what_cannot_be_run_is_said_in_words(kubectl, busybox):
    none = kubectl("exec", "box", *busybox, "--", "nosuch", check=False)
    assert none.returncode == 1
    assert 'exec: "nosuch": executable file not found in $PATH' in none.stderr
    wrong = kubectl("exec", "box", "-c", "side", *busybox, "--", "true", check=False)
    assert "container side is not valid for pod box" in wrong.stderr


def test_a_kubelet_is_asked_through_the_api_server(kubectl, busybox):
    assert kubectl("get", "--raw", "/api/v1/nodes/worker-1/proxy/healthz").stdout == "ok"
