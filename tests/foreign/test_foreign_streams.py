"""The real kubectl speaks with what runs in containers: exec, attach, logs, port-forward, proxies."""

import re
import shutil
import subprocess

import httpx
import pytest
from patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.foreign


def get(url):
    return httpx.get(url, timeout=PATIENCE_SECONDS)


@pytest.fixture
def busybox(kubectl, namespace):
    """A pod of busybox that runs, and the arguments that lead into its namespace."""
    n = ("-n", namespace)
    kubectl("run", "box", "--image=busybox", *n, "--", "sleep", "36000")
    kubectl("wait", "--timeout=60s", "--for=condition=Ready", "pod/box", *n)
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


def test_standard_input_reaches_the_command_and_its_end_too(kubectl, busybox):
    assert kubectl("exec", "-i", "box", *busybox, "--", "wc", "-l", stdin="one\ntwo\n").stdout == "2\n"
    assert kubectl("exec", "-i", "box", *busybox, "--", "sh", stdin="echo hello\nexit 4\n", check=False).returncode == 4


def test_files_are_copied_there_and_back(kubectl, busybox, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.txt").write_text("hello\n")
    namespace = busybox[1]
    kubectl("cp", str(tmp_path / "here"), f"{namespace}/box:/data")
    assert kubectl("exec", "box", *busybox, "--", "cat", "/data/a.txt").stdout == "hello\n"
    kubectl("cp", f"{namespace}/box:/data/a.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "hello\n"


def test_attach_shows_what_is_written_from_now_on_until_the_end(control_plane, kubectl, namespace):
    n = ("-n", namespace)
    script = "echo before; sleep 2; until [ -e /tmp/go ]; do echo waiting; sleep 1; done; echo now; sleep 1"
    kubectl("run", "talk", "--image=busybox", "--restart=Never", *n, "--", "sh", "-c", script)
    kubectl("wait", "--timeout=60s", "--for=condition=Ready", "pod/talk", *n)
    command = ["kubectl", "--kubeconfig", control_plane.kubeconfig, "attach", "talk", *n]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as attached:
        shown = [attached.stdout.readline()]
        kubectl("exec", "talk", *n, "--", "touch", "/tmp/go")
        shown += attached.communicate(timeout=PATIENCE_SECONDS)[0].splitlines(keepends=True)
    assert shown == ["waiting\n"] * (len(shown) - 1) + ["now\n"]
    logged = kubectl("logs", "-f", "talk", *n).stdout
    assert logged == "before\n" + "waiting\n" * logged.count("waiting") + "now\n"


@pytest.fixture
def background(control_plane, tmp_path):
    """Start the real kubectl and give the process, whose first line of output has been read, and that line."""
    started = []

    def start(*arguments):
        command = [shutil.which("kubectl"), "--kubeconfig", control_plane.kubeconfig, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process, process.stdout.readline()

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_port_is_forwarded_in_kubectls_own_tunnel_or_by_spdy_alone(kubectl, namespace, background, monkeypatch):
    n = ("-n", namespace)
    kubectl("run", "web", "--image=nginx", "--port=80", *n)
    kubectl("wait", "--timeout=60s", "--for=condition=Ready", "pod/web", *n)
    for websockets in ("true", "false"):
        monkeypatch.setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets)
        _, line = background("port-forward", "pod/web", ":80", "--address=127.0.0.1", *n)
        port = re.match(r"Forwarding from 127.0.0.1:([0-9]+) -> 80\n", line)[1]
        for _ in range(2):
            assert "Welcome to nginx!" in get(f"http://127.0.0.1:{port}/").text


def test_the_proxies_lead_to_the_api_server_to_pods_and_to_services(kubectl, namespace, background):
    n = ("-n", namespace)
    kubectl("run", "web", "--image=nginx", "--port=80", *n)
    kubectl("expose", "pod", "web", "--port=8000", "--target-port=80", *n)
    kubectl("wait", "--timeout=60s", "--for=condition=Ready", "pod/web", *n)
    _, line = background("proxy", "--port=0")
    base = f"http://{line.removeprefix('Starting to serve on ').strip()}/api/v1/namespaces/{namespace}"
    assert get(f"{base}/pods/web").json()["metadata"]["name"] == "web"
    assert "Welcome to nginx!" in get(f"{base}/pods/web/proxy/").text
    until(lambda: "Welcome to nginx!" in get(f"{base}/services/web:8000/proxy/").text)
    refused = get(f"{base}/pods/web:81/proxy/")
    assert refused.status_code == 503
    assert refused.json()["message"].startswith("error trying to reach service: dial tcp ")


def test_a_kubectl_that_speaks_spdy_is_understood(kubectl, busybox, monkeypatch):
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
    assert kubectl("exec", "-i", "box", *busybox, "--", "wc", "-l", stdin="one\ntwo\n").stdout == "2\n"
    loud = kubectl("exec", "-v=8", "box", *busybox, "--", "true").stderr
    assert "X-Stream-Protocol-Version: v4.channel.k8s.io" in loud
    failed = kubectl("exec", "box", *busybox, "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (failed.returncode, failed.stdout) == (7, "out\n")
    assert failed.stderr == "err\ncommand terminated with exit code 7\n"
