"""Manifests that lie in the workstation's home directory, to be read and tried."""

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_engine.world.files import FileSystem

from cluster_engine.programs.invocation import HOME

WEB = """\
# Three web servers, and a Service in front of them.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports:
        - containerPort: 80
        readinessProbe:
          httpGet:
            path: /
            port: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: 80
"""
POD = """\
# The smallest thing that runs: one pod, one container, on no one's behalf.
apiVersion: v1
kind: Pod
metadata:
  name: hello
spec:
  containers:
  - name: hello
    image: busybox:1.36
    command: ["sh", "-c", "echo hello from $(hostname); sleep 3600"]
"""
CRASH = """\
# A container that fails again and again: watch the back-off grow with `kubectl get pods -w`.
apiVersion: v1
kind: Pod
metadata:
  name: crash
spec:
  containers:
  - name: crash
    image: busybox:1.36
    command: ["sh", "-c", "echo about to fail; sleep 3; exit 1"]
"""
ONCE = """\
# A pod that does its work and is done; the init container goes first.
apiVersion: v1
kind: Pod
metadata:
  name: once
spec:
  restartPolicy: Never
  initContainers:
  - name: prepare
    image: busybox:1.36
    command: ["sh", "-c", "echo preparing; sleep 2"]
  containers:
  - name: work
    image: busybox:1.36
    command: ["sh", "-c", "echo working; sleep 5; echo done"]
"""
CONFIG = """\
# A ConfigMap, and a pod that reads its environment from it. Apply the pod before the map and see it wait.
apiVersion: v1
kind: ConfigMap
metadata:
  name: greeting
data:
  GREETING: hello
---
apiVersion: v1
kind: Pod
metadata:
  name: greeter
spec:
  containers:
  - name: greeter
    image: busybox:1.36
    command: ["sh", "-c", "echo $GREETING; sleep 3600"]
    envFrom:
    - configMapRef:
        name: greeting
"""
LIVENESS = """\
# Healthy for thirty seconds, then not: the kubelet kills the container and starts it again.
apiVersion: v1
kind: Pod
metadata:
  name: liveness
spec:
  containers:
  - name: liveness
    image: busybox:1.36
    command: ["sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"]
    livenessProbe:
      exec:
        command: ["cat", "/tmp/healthy"]
      initialDelaySeconds: 5
      periodSeconds: 5
"""
READER = """\
# Somebody who may look at pods and nothing else:  kubectl get pods --as=ann
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: pod-reader
rules:
- apiGroups: [""]
  resources: ["pods"]
  verbs: ["get", "list", "watch"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ann-reads-pods
subjects:
- kind: User
  name: ann
  apiGroup: rbac.authorization.k8s.io
roleRef:
  kind: Role
  name: pod-reader
  apiGroup: rbac.authorization.k8s.io
"""

FILES = {
    "config.yaml": CONFIG,
    "crash.yaml": CRASH,
    "liveness.yaml": LIVENESS,
    "once.yaml": ONCE,
    "pod.yaml": POD,
    "reader.yaml": READER,
    "web.yaml": WEB,
}
_MARKER = "/var/lib/glassplane/examples"


def provide(files: "FileSystem") -> None:
    """Put the manifests there, once: what somebody has changed or removed stays so."""
    if files.exists(_MARKER):
        return
    with contextlib.suppress(OSError):  # no room left on this disk: then without
        files.write(_MARKER, b"")
        for name, text in FILES.items():
            files.write(f"{HOME}/{name}", text.encode())
