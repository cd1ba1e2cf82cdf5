"""The workstation's kubectl says what the real one (1.32) says: both run the same line against one cluster."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from patience import PATIENCE_SECONDS

from cluster_engine.shell import examples

pytestmark = [pytest.mark.foreign, pytest.mark.long]

LINES = (Path(__file__).parent / "kubectl_lines.txt").read_text().splitlines()
KINDS = """
{apiVersion: v1, kind: Namespace, metadata: {name: limited}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: limited, labels: {a: b}}
spec: &cron
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [date]}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: utc, namespace: limited}
spec:
  schedule: "@yearly"
  timeZone: Etc/UTC
  startingDeadlineSeconds: 30
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      parallelism: 2
      completions: 3
      activeDeadlineSeconds: 60
      template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: busybox, command: [date]}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: limited}
spec:
  suspend: true
  completionMode: Indexed
  completions: 2
  ttlSecondsAfterFinished: 1000
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [date]}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: log, namespace: limited}
spec:
  selector: {matchLabels: {app: log}}
  template:
    metadata: {labels: {app: log}}
    spec: {nodeSelector: {here: nowhere}, containers: [{name: c, image: busybox, command: [sleep, "1000"]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: limited}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: busybox, command: [sleep, "1000"]}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: db, namespace: limited}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: db}
  maxReplicas: 4
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 100Mi}}}
  - {type: Pods, pods: {metric: {name: packets}, target: {type: AverageValue, averageValue: 1k}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: some, namespace: limited}
spec: {maxUnavailable: 50%, selector: {matchLabels: {app: log}, matchExpressions: [{key: x, operator: Exists}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: least, namespace: limited}
spec: {minAvailable: 2, selector: {matchLabels: {app: nothing}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: sum, namespace: limited}
spec: {hard: {pods: "7", requests.cpu: "2", limits.memory: 1Gi, count/jobs.batch: "3"}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: idle, namespace: limited}
spec: {hard: {pods: "5"}, scopes: [BestEffort, NotTerminating]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: each, namespace: limited}
spec:
  limits:
  - {type: Container, max: {cpu: "1"}, min: {cpu: 10m}, default: {cpu: 200m}, defaultRequest: {cpu: 100m}}
  - {type: Pod, max: {cpu: "2"}, maxLimitRequestRatio: {cpu: "10"}}
---
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: asked, labels: {a: b}}
spec:
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
  expirationSeconds: 86400
  request: "\\
    LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkZqQ0J2UUlCQURBdU1RMHdDd1lEVlFRS0RBUnphRzl3TVE0d0RBWURWUV\\
    FLREFWaGRXUnBkREVOTUFzRwpBMVVFQXd3RVlXNXVZVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCTk5Wa0wvcnFKSzZGT05K\\
    CitzUVduREsvaWNmdnErRE5pVHB2Z1cwNUIyUXEwRmwyOGpSOVhGTlA3WVY3aENWNWVsd2h4L3ZzbmhoSC9OS3QKcTRtcUh5ZWdMVEFyQmdrcW\\
    hraUc5dzBCQ1E0eEhqQWNNQm9HQTFVZEVRUVRNQkdDQTJFdVlvSURZeTVrZ1FWaApRR0l1WXpBS0JnZ3Foa2pPUFFRREFnTklBREJGQWlFQWxq\\
    L2hPSkoyOU8wTnFIeXM0aEZneGlUTWU1dHlhajdvCk5xbGsxeWY3cHhRQ0lGVXFLODFRRVNCZEFIZmxyMWhCS0dJRCtUUTlRYURsbmJVMkEveE\\
    05bzRmCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000, description: More.}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: calm}, value: 5, preemptionPolicy: Never}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: acme}
spec: {controller: acme.io/ingress, parameters: {apiGroup: acme.io, kind: Settings, name: all}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: limited, annotations: {a.b/c: d}}
spec:
  ingressClassName: acme
  tls: [{hosts: [a.example.com], secretName: cert}, {hosts: [b.example.com]}]
  rules:
  - host: a.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: nosuch, port: {number: 80}}}}
      - {path: /x, pathType: Exact, backend: {service: {name: nosuch, port: {name: http}}}}
  - {http: {paths: [{pathType: ImplementationSpecific, backend: {resource: {kind: Bucket, name: all}}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: rest, namespace: limited}
spec: {defaultBackend: {service: {name: nosuch, port: {number: 8080}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: some, namespace: limited}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from:
    - {podSelector: {matchLabels: {a: b}}, namespaceSelector: {}}
    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
    ports: [{port: 80}, {port: 1000, endPort: 2000, protocol: UDP}]
  - {}
  egress: [{to: [{namespaceSelector: {matchLabels: {c: d}}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: none, namespace: limited}
spec: {podSelector: {}}
"""


@pytest.fixture(scope="module")
def prepared(unhurried):
    """The cluster with a little in it."""
    unhurried.kubectl("create deployment web --image=nginx --replicas=2")
    unhurried.kubectl("apply -f config.yaml -f once.yaml")
    unhurried.kubectl(f"apply -f - <<'EOF'\n{KINDS}\nEOF")
    unhurried.kubectl("rollout status deployment/web")
    unhurried.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/once")
    yield unhurried
    unhurried.kubectl("delete deployment/web pod/once pod/greeter cm/greeting ns/limited")
    unhurried.kubectl("delete pc/high pc/calm ingressclass/acme")


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
    text = re.sub(r"(LIVE|MERGED)-\d+", r"\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d [\d:]{8}\.\d{9} \+0000", "WHEN", text)
    text = text.replace("kubectl.1.32", "kubectl")
    return re.sub(r"(?m) +$", "", re.sub(r"-{2,}|  +", " ", text))


def _unborn(text):
    """Leave out what two dry runs give a new object each: its uid, its time, its address."""
    text = re.sub(r"uid: [\w-]+|\"\d{4}-[\d-]+T[\d:]+Z\"", "NEW", text)
    return re.sub(r"\b10\.(?:9[6-9]|10\d|11[01])\.\d+\.\d+\b", "ADDRESS", text)


def _end_of_flags(command):
    """Give the place before `--`, or the first after the program's name: an unfinished flag must stay the last word."""
    return command.index("--") if "--" in command else 1


@pytest.fixture(scope="module")
def discovered(tmp_path_factory):
    """Where the real kubectl keeps what it has discovered, from one line to the next, as at home."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.usefixtures("in_examples")
def test_both_print_the_same(prepared, real_kubectl, discovered, line):
    out, err = [], []
    code = prepared.thread.command(
        line, lambda stream, text: (out if stream == "stdout" else err).append(text)
    ).result()
    connection = ["--kubeconfig", prepared.kubeconfig, "--cache-dir", discovered]
    command = [real_kubectl, *shlex.split(line)[1:]]
    command[_end_of_flags(command) : _end_of_flags(command)] = connection
    real = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert (code, _unborn(_comparable("".join(out))), _comparable("".join(err))) == (
        real.returncode,
        _unborn(_comparable(real.stdout)),
        _comparable(real.stderr),
    )
