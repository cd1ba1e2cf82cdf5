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
kubectl create secret generic x --from-literal=a=b --type=foo --dry-run=client -o yaml
kubectl create secret generic x --from-env-file=env.txt --dry-run=client -o yaml
kubectl create cm x --from-file=config.yaml --dry-run=client -o name
kubectl create cm x --from-file=k=nofile
kubectl create cm x --from-literal=a
kubectl create service nodeport x --tcp=80:8080 --node-port=30080 --dry-run=client -o yaml
kubectl create service loadbalancer x --tcp=80 --dry-run=client -o yaml
kubectl create service externalname x --external-name=a.b.c --dry-run=client -o yaml
kubectl create service clusterip x --tcp=5678:8080 --dry-run=client -o yaml
kubectl create service clusterip x --clusterip=None --dry-run=client -o yaml
kubectl create cronjob x --image=busybox --schedule="* * * * *" --dry-run=client -o yaml
kubectl create cronjob x --image=busybox --schedule="* * * * *" --dry-run=server
kubectl create cronjob x --image=busybox --schedule="* * * *"
kubectl create ingress x --rule=foo.com/bar=svc:80 --dry-run=client -o yaml
kubectl create ingress x --rule=foo.com/bar=svc:80 --dry-run=server
kubectl create quota x --hard=pods=3 --dry-run=client -o yaml
kubectl create quota x --hard=pods=3 --dry-run=server
kubectl create pdb x --selector=app=web --min-available=1 --dry-run=client -o yaml
kubectl create pdb x --selector=app=web --min-available=1 --dry-run=server
kubectl create priorityclass x --value=1000 --dry-run=client -o yaml
kubectl create priorityclass x --value=1000 --dry-run=server
kubectl create role x --verb=get --resource=pods --dry-run=client -o yaml
kubectl create clusterrole x --verb=get --non-resource-url=/logs --dry-run=client -o yaml
kubectl create sa x --dry-run=client -o yaml
kubectl create ns x --dry-run=client -o yaml
kubectl create foo
kubectl autoscale deploy web --max=3
kubectl autoscale deploy web --max=3 --dry-run=client -o yaml
kubectl autoscale deploy web
kubectl diff -f config.yaml
kubectl diff
kubectl events --for pod/nosuch
kubectl wait --for=create pod/nosuch --timeout=1s
kubectl wait --for=delete pod/nosuch --timeout=1s
kubectl wait --for=jsonpath='{.status.replicas}'=2 deploy/web
kubectl wait --for=jsonpath='{.status.replicas}' deploy/web
kubectl wait --for=condition=Nope deploy/web --timeout=1s
kubectl wait pod/once
kubectl wait --for=foo pod/once
kubectl auth can-i '*' '*'
kubectl auth can-i list pods --as=bob -q
kubectl auth can-i get pods/log
kubectl auth can-i get pods -n nosuch
kubectl auth whoami -o yaml
kubectl config get-contexts
kubectl config get-clusters
kubectl config get-users
kubectl config current-context
kubectl config set foo bar
kubectl config view --minify -o jsonpath={.contexts[0].name}
kubectl config view --raw -o jsonpath={.clusters[0].name}
kubectl plugin list
kubectl cluster-info
kubectl api-versions
kubectl api-resources --namespaced=false
kubectl api-resources --api-group=apps -o wide
kubectl api-resources -o name
kubectl api-resources --verbs=patch --no-headers
kubectl top nodes
kubectl top pods
kubectl certificate approve nosuch
kubectl alpha
kubectl replace -f nofile.yaml
kubectl replace
kubectl explain pod --recursive=false
kubectl explain nosuch
kubectl explain pods.spec.nosuch
kubectl explain deploy.spec.strategy
kubectl version --client
kubectl set image deploy/web nginx=nginx:2 --dry-run=client
kubectl set serviceaccount deploy web default --dry-run=client
kubectl set selector svc kubernetes a=b --dry-run=client
kubectl set subject rolebinding nosuch --user=a
kubectl patch deploy web -p x
kubectl scale --replicas=2 deploy/web --current-replicas=7
kubectl rollout history deployment/web --revision=1
kubectl rollout restart ds/nosuch
kubectl get -f config.yaml
kubectl get ns -o name
kubectl get all -A
kubectl get deploy,svc -o name
kubectl get --raw /healthz
kubectl get --raw /nosuch
kubectl get cm -o wide
kubectl get secret -A
kubectl annotate deploy web a=b --dry-run=client
kubectl label deploy web a=b --dry-run=server
kubectl create secret tls x --cert=nofile --key=nofile
kubectl create job x --image=busybox --dry-run=client -o yaml -- date
kubectl create token nosuch
kubectl edit deploy nope
kubectl diff -f web.yaml
kubectl auth can-i foo pods
kubectl get job
kubectl get cronjob
kubectl get hpa
kubectl get ds -A
kubectl create -f web.yaml --dry-run=client -o name
kubectl apply -f web.yaml --dry-run=client
kubectl apply -f web.yaml --dry-run=server
kubectl delete -f config.yaml --dry-run=client
kubectl delete pod nosuch --ignore-not-found
kubectl delete pod once --dry-run=server
kubectl get ep,endpointslices
kubectl debug
kubectl debug greeter
kubectl debug --image=busybox
kubectl debug nosuch --image=busybox
kubectl debug node/nosuch --image=busybox
kubectl debug deploy/web --image=busybox
kubectl debug node/worker-1 --image=busybox --profile=foo
kubectl debug greeter --image=b --replace
kubectl debug greeter --image=b --same-node
kubectl debug greeter --image=b --set-image=a=b
kubectl debug greeter --image=B --profile=general
kubectl debug greeter --copy-to=x
kubectl debug greeter --copy-to=x -- sleep
kubectl debug greeter --copy-to=x --target=a --image=b
kubectl debug greeter --copy-to=x --set-image=a=B
kubectl debug greeter --copy-to=greeter --set-image=*=busybox --profile=general
kubectl debug greeter --attach --copy-to=x -- hi
kubectl debug greeter --image=b -t
kubectl debug greeter --image=b --image-pull-policy=foo
kubectl debug greeter --env=A --image=b
kubectl debug greeter --image=busybox -c u --custom=nofile --profile=general
kubectl debug greeter --image=busybox -c Bad_name --profile=general
kubectl debug greeter --image=busybox -c b --profile=general --target=nope
kubectl debug greeter --image=busybox -c greeter --profile=general
kubectl get cj,pdb,ing,netpol -n limited
kubectl get cj,ing,netpol -n limited -o wide
kubectl get quota,limits -n limited
kubectl get ingressclasses,pc
kubectl describe cronjob nightly -n limited
kubectl describe cronjob utc -n limited
kubectl describe pdb -n limited
kubectl describe quota -n limited
kubectl describe limits -n limited
kubectl describe ns limited
kubectl describe ns kube-public
kubectl describe pc
kubectl describe ing -n limited
kubectl describe ingressclass
kubectl describe netpol -n limited
kubectl describe job once -n limited
kubectl describe ds log -n limited
kubectl explain cronjob.spec
kubectl explain ingress.spec.rules.http
""".strip().splitlines()

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
  schedule: "@hourly"
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
def prepared(control_plane):
    """The cluster with a little in it."""
    control_plane.kubectl("create deployment web --image=nginx --replicas=2")
    control_plane.kubectl("apply -f config.yaml -f once.yaml")
    control_plane.kubectl(f"apply -f - <<'EOF'\n{KINDS}\nEOF")
    control_plane.kubectl("rollout status deployment/web")
    control_plane.kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/once")
    yield control_plane
    control_plane.kubectl("delete deployment/web pod/once pod/greeter cm/greeting ns/limited")
    control_plane.kubectl("delete pc/high pc/calm ingressclass/acme")


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
    assert (code, _unborn(_comparable("".join(out))), _comparable("".join(err))) == (
        real.returncode,
        _unborn(_comparable(real.stdout)),
        _comparable(real.stderr),
    )
