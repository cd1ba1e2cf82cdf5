"""An audit log from the start: the flags, a policy to begin with, and the paths that the API server's pod mounts.

What a person would write into kubeadm's configuration (`apiServer.extraArgs`, `extraVolumes`), and into the policy's
file, which may be changed: the API server reads it when it is started again.

    cat /etc/kubernetes/audit-policy.yaml                             on the control plane
    tail -f /var/log/kubernetes/audit/audit.log | jq .requestURI
"""

import posixpath
from collections.abc import Iterator, Sequence

from cluster_engine.kubeadm.mounts import Mount
from cluster_engine.world.files import FileSystem

POLICY_FILE = "/etc/kubernetes/audit-policy.yaml"
LOG_FILE = "/var/log/kubernetes/audit/audit.log"
FLAGS = (
    f"--audit-log-path={LOG_FILE}",
    "--audit-log-maxage=30",
    "--audit-log-maxbackup=4",
    "--audit-log-maxsize=4",
    f"--audit-policy-file={POLICY_FILE}",
)
POLICY = b"""\
# Who did what, when and from where: of each request one line, once it is answered.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages:
- RequestReceived
rules:
# Leases are renewed every few seconds, by every component: nobody needs to know.
- level: None
  verbs: [get, update]
  resources:
  - group: coordination.k8s.io
    resources: [leases]
# Whether the API server is well and what it can do is asked often too.
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/api", "/apis", "/api/*", "/apis/*"]
- level: Metadata
"""


def write_policy(files: FileSystem) -> None:
    """Lay the policy where the flags say that it is."""
    files.write(POLICY_FILE, POLICY)


def mounts(argv: Sequence[str]) -> Iterator[Mount]:
    """Name what an API server with such a command line needs of its host beside what every one does."""
    said = dict(word.partition("=")[::2] for word in argv)
    if path := said.get("--audit-policy-file"):
        yield Mount("audit-policy", path, "File")
    if path := said.get("--audit-log-path"):
        yield Mount("audit-log", posixpath.dirname(path), read_only=False)
