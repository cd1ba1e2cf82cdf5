"""The real kubectl works against a Glassplane cluster as against any other."""

import json
import socket
import ssl
import subprocess

import httpx
import pytest
import yaml
from patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.foreign

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


def test_version_names_both_sides(kubectl):
    told = json.loads(kubectl("version", "-o", "json").stdout)
    assert told["serverVersion"]["minor"] == "32"
    assert "glassplane" in told["serverVersion"]["gitVersion"]


def test_nodes_are_ready_in_a_table(kubectl):
    header, *rows = kubectl("get", "nodes").stdout.splitlines()
    assert header.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert [row.split()[:3] for row in rows] == [["worker-1", "Ready", "<none>"], ["worker-2", "Ready", "<none>"]]


def test_a_deployment_is_created_scaled_and_deleted(kubectl, namespace):
    n = ("-n", namespace)
    assert "created" in kubectl("create", "deployment", "web", "--image=nginx", *n).stdout
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", *n).stdout
    assert "scaled" in kubectl("scale", "deployment", "web", "--replicas=3", *n).stdout
    kubectl("rollout", "status", "deployment/web", *n)
    pods = json.loads(kubectl("get", "pods", "-o", "json", *n).stdout)["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    assert len({pod["status"]["podIP"] for pod in pods}) == 3
    assert 'deployment.apps "web" deleted' in kubectl("delete", "deployment", "web", *n).stdout
    until(lambda: kubectl("get", "rs,pods", *n).stderr.startswith("No resources found"))


def test_apply_creates_then_changes_nothing_then_merges(kubectl, namespace):
    n = ("-n", namespace)
    first = kubectl("apply", "-f", "-", *n, stdin=DEPLOYMENT).stdout
    assert "deployment.apps/web created" in first
    assert "service/web created" in first
    assert "deployment.apps/web unchanged" in kubectl("apply", "-f", "-", *n, stdin=DEPLOYMENT).stdout
    changed = DEPLOYMENT.replace('{name: B, value: "2"}', '{name: C, value: "3"}')
    assert "deployment.apps/web configured" in kubectl("apply", "-f", "-", *n, stdin=changed).stdout
    told = yaml.safe_load(kubectl("get", "deployment", "web", "-o", "yaml", *n).stdout)
    (container,) = told["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in container["env"]] == ["A", "C"]


def test_a_watch_shows_pods_come_to_life(control_plane, kubectl, namespace):
    n = ("-n", namespace)
    kubectl("create", "deployment", "first", "--image=nginx", *n)
    kubectl("rollout", "status", "deployment/first", *n)
    command = ["kubectl", "--kubeconfig", control_plane.kubeconfig, "get", "pods", "-w", *n]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        header, first = watch.stdout.readline(), watch.stdout.readline()
        assert (header.split()[0], first.split()[2]) == ("NAME", "Running")
        kubectl("create", "deployment", "second", "--image=nginx", *n)
        seen = []
        for line in watch.stdout:
            seen.append(line.split()[:3])
            if seen[-1][1:] == ["1/1", "Running"]:
                break
        watch.terminate()
    assert seen[0][2] == "Pending"
    assert "ContainerCreating" in {status for _, _, status in seen}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("get", "pods", "nothing"), 'Error from server (NotFound): pods "nothing" not found'),
        (("get", "unicorns"), 'the server doesn\'t have a resource type "unicorns"'),
        (("create", "namespace", "default"), "(AlreadyExists)"),
        (("create", "namespace", "Bad_Name"), "is invalid"),
        (("delete", "namespace", "kube-system"), "(Forbidden)"),
        (("get", "pods", "-l", "a in b"), "unable to parse requirement"),
    ],
)
def test_mistakes_are_told_in_kubectls_words(kubectl, arguments, words):
    done = kubectl(*arguments, check=False)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize(
    "text", ["{not json", "kind: Pod\napiVersion: v1\nmetadata: {name: x}\nspec: {containers: 3}", "a: b"]
)
def test_malformed_manifests_are_refused_and_the_cluster_goes_on(kubectl, text):
    done = kubectl("apply", "-f", "-", stdin=text, check=False)
    assert done.returncode != 0
    assert "error" in done.stderr.lower()
    kubectl("get", "nodes")


def test_a_foreign_certificate_gets_401_and_none_at_all_403(control_plane, tmp_path):
    subject = ["-subj", "/O=system:masters/CN=evil", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt")]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject]
    subprocess.run(make, capture_output=True, check=True)
    host, port = control_plane.address
    url = f"https://{host}:{port}/api/v1/pods"
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    anonymous = httpx.get(url, verify=trusting, timeout=PATIENCE_SECONDS)
    assert anonymous.status_code == 403
    assert 'User "system:anonymous" cannot list resource "pods"' in anonymous.json()["message"]
    trusting.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    assert httpx.get(url, verify=trusting, timeout=PATIENCE_SECONDS).json()["reason"] == "Unauthorized"


def test_garbage_on_the_port_harms_nobody(control_plane, kubectl):
    for garbage in (b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 2000):
        with socket.create_connection(control_plane.address, timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(garbage)
    kubectl("get", "nodes")


def test_server_side_apply_names_who_is_in_the_way(kubectl, namespace):
    n = ("-n", namespace)
    for _ in range(2):
        assert (
            "deployment.apps/web serverside-applied"
            in kubectl("apply", "--server-side", "-f", "-", *n, stdin=DEPLOYMENT).stdout
        )
    kubectl("scale", "deployment/web", "--replicas=3", *n)
    refused = kubectl("apply", "--server-side", "-f", "-", *n, stdin=DEPLOYMENT, check=False)
    assert (
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: '
        ".spec.replicas\nPlease review the fields above"
    ) in refused.stderr
    forced = kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", *n, stdin=DEPLOYMENT).stdout
    assert "deployment.apps/web serverside-applied" in forced
    shown = json.loads(kubectl("get", "deployment/web", "-o", "json", "--show-managed-fields", *n).stdout)
    found = {each["manager"]: each for each in shown["metadata"]["managedFields"]}
    assert found["kubectl"]["operation"] == "Apply"
    assert found["kube-controller-manager"]["subresource"] == "status"


def test_what_was_applied_from_the_client_can_be_applied_on_the_server(kubectl, namespace):
    n = ("-n", namespace)
    kubectl("apply", "-f", "-", *n, stdin=DEPLOYMENT)
    kubectl("apply", "--server-side", "-f", "-", *n, stdin=DEPLOYMENT)
    shown = json.loads(kubectl("get", "service/web", "-o", "json", "--show-managed-fields", *n).stdout)
    found = {(each["manager"], each["operation"]) for each in shown["metadata"]["managedFields"]}
    assert found == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}
