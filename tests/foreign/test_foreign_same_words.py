"""The workstation's kubectl says what the real one (1.32) says: both run the same line against one cluster."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster_engine.shell import examples

pytestmark = pytest.mark.foreign

LINES = """
kubectl get pods
kubectl get nodes -o wide
kubectl get deploy,rs -o wide
kubectl get all
kubectl get pods -A -o wide
kubectl get pods nosuch
kubectl get foo
kubectl get deploy/web svc/kubernetes
kubectl get pods -o foo
kubectl get pods --show-labels --show-kind
kubectl get pods -l "app in (web,x)" --no-headers
kubectl get pods -l "a b"
kubectl get deploy web -o yaml
kubectl get deploy -o json
kubectl get nodes -o jsonpath="{range .items[*]}{.metadata.name}{'\\t'}{.status.nodeInfo.osImage}{'\\n'}{end}"
kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.capacity.cpu,X:.nope
kubectl get pods --sort-by=.metadata.name
kubectl get pods --as=bob
kubectl get node worker-1 nope
kubectl get
kubectl describe deployment web
kubectl describe rs
kubectl describe node worker-2
kubectl describe svc kubernetes
kubectl describe cm greeting
kubectl describe pod greeter
kubectl describe pod once
kubectl describe pod web
kubectl describe pod nope
kubectl describe clusterrole system:discovery
kubectl describe lease worker-1 -n kube-node-lease
kubectl explain pod.spec.restartPolicy
kubectl explain deployment.spec
kubectl api-resources
kubectl version
kubectl auth can-i create pods --as=bob
kubectl auth whoami
kubectl auth can-i --list
kubectl describe ep kubernetes
kubectl describe endpointslices
kubectl describe clusterrole cluster-admin
kubectl describe clusterrolebinding cluster-admin
kubectl auth can-i get /healthz
kubectl wait --for=condition=Available deploy/web
kubectl taint node worker-1 a=b:Foo
kubectl config view
kubectl rollout history deployment/web
kubectl rollout status deployment/web
kubectl rollout undo deployment/web
kubectl logs once
kubectl logs nosuch
kubectl scale deploy nope --replicas=2
kubectl set image deploy/web nope=x
kubectl label node worker-1
kubectl delete pods
kubectl delete ns kube-system
kubectl expose deploy web
kubectl run y --image=busybox --restart=Never --port=80 --env=A=b --dry-run=client -o yaml --command -- sleep 5
kubectl create deployment d --image=nginx --replicas=3 --port=80 --dry-run=client -o yaml -- sleep 5
kubectl create deployment web --image=nginx
kubectl create deployment Web_1 --image=nginx
kubectl create cm x --from-literal=a=b --dry-run=client -o yaml
kubectl create service clusterip x
kubectl create clusterrolebinding x --clusterrole=view --user=b --group=g --serviceaccount=n:s --dry-run=client -o yaml
kubectl create rolebinding x --role=r --user=ben --dry-run=client -o yaml
kubectl create rolebinding x --clusterrole=a --serviceaccount=b --dry-run=client
kubectl apply -f nofile.yaml
kubectl apply -f config.yaml
kubectl create -f config.yaml
kubectl get pods --foo
kubectl get pods -n
""".strip().splitlines()


@pytest.fixture(scope="module")
def prepared(control_plane):
    """The cluster with a little in it."""
    control_plane.kubectl("create deployment web --image=nginx --replicas=2")
    control_plane.kubectl("apply -f config.yaml -f once.yaml")
    control_plane.kubectl("rollout status deployment/web")
    control_plane.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/once")
    yield control_plane
    control_plane.kubectl("delete deployment/web pod/once pod/greeter cm/greeting")


@pytest.fixture
def in_examples(tmp_path, monkeypatch):
    """The manifests of the workstation, in the real program's working directory."""
    for name, text in examples.FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def real_kubectl():
    """The path of a kubectl 1.32; beside Google's dispatcher lies the program itself."""
    found = shutil.which("kubectl")
    beside = Path(found).resolve().parent / "kubectl.1.32" if found else None
    program = str(beside) if beside is not None and beside.exists() else found
    if program is None:
        pytest.skip("NO kubectl ON THIS MACHINE: the two cannot be compared")
    told = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    if json.loads(told.stdout)["clientVersion"]["minor"] != "32":
        pytest.skip("kubectl IS NOT 1.32 ON THIS MACHINE: its words are not the ones to compare with")
    return program


def _comparable(text):
    """Leave out what differs for good reasons: the time that goes by, the server's address, kubectl's patch level."""
    text = re.sub(r"\b\d+(?:d|h|m|s)(?:\d+(?:h|m|s))?\b|<invalid>", "AGE", text)
    text = re.sub(r"(?:https://)?(?:127\.0\.0\.1|10\.0\.0\.1):\d+", "SERVER", text)
    text = re.sub(r"v1\.32\.\d+(?:-\w+)?(?:\+glassplane)?", "v1.32.N", text)
    text = re.sub(r"(?m)^\s*(?:RenewTime|Renew Time|resourceVersion|Resource Version|\"resourceVersion\").*$", "", text)
    text = re.sub(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000", "DATE", text)
    text = re.sub(r"X509SHA256=\w+", "X509SHA256", text)
    text = text.replace("kubectl.1.32", "kubectl")
    return re.sub(r"(?m) +$", "", re.sub(r"-{2,}|  +", " ", text))


def _end_of_flags(command):
    """Give the place before `--`, or the first after the program's name: an unfinished flag must stay the last word."""
    return command.index("--") if "--" in command else 1


@pytest.mark.parametrize("line", LINES)
@pytest.mark.usefixtures("in_examples")
def test_both_print_the_same(prepared, real_kubectl, tmp_path, line):
    out, err = [], []
    code = prepared.thread.command(
        line, lambda stream, text: (out if stream == "stdout" else err).append(text)
    ).result()
    connection = ["--kubeconfig", prepared.kubeconfig, "--cache-dir", str(tmp_path / "cache")]
    command = [real_kubectl, *shlex.split(line)[1:]]
    command[_end_of_flags(command) : _end_of_flags(command)] = connection
    real = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (code, _comparable("".join(out)), _comparable("".join(err))) == (
        real.returncode,
        _comparable(real.stdout),
        _comparable(real.stderr),
    )
