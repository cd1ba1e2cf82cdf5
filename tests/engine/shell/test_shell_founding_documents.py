"""The command lines that the founding documents type are lines of this shell: each is read, word by word.

The documents are five notes on how components watch the API server. What they leave to the reader, "<apiserver-ip>",
is filled in here, since the shell would take it for redirections.
"""

import pytest

from cluster_engine.shell.syntax import parse
from cluster_engine.shell.syntax_tree import Literal, Substitution, Variable, Word

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
LINES = {
    'sudo tcpdump -i eth0 port 6443 -A | grep "GET /api/v1/pods"': [
        ["sudo", "tcpdump", "-i", "eth0", "port", "6443", "-A"],
        ["grep", "GET /api/v1/pods"],
    ],
    "sudo ss -tanp | grep 6443": [["sudo", "ss", "-tanp"], ["grep", "6443"]],
    "sudo openssl s_client -connect 10.0.0.1:6443": [["sudo", "openssl", "s_client", "-connect", "10.0.0.1:6443"]],
    "openssl x509 -in /var/lib/kubelet/pki/kubelet-client.crt -text | grep Subject": [
        ["openssl", "x509", "-in", "/var/lib/kubelet/pki/kubelet-client.crt", "-text"],
        ["grep", "Subject"],
    ],
    "kubectl get --raw /api/v1/pods?watch=true | head": [
        ["kubectl", "get", "--raw", "/api/v1/pods?watch=true"],
        ["head"],
    ],
    "curl --cert /var/lib/kubelet/kubelet.crt \\\n     --key /var/lib/kubelet/kubelet.key \\\n"
    "     --cacert /etc/kubernetes/pki/ca.crt \\\n     https://10.0.0.1:6443/api/v1/nodes": [
        ["curl", "--cert", "/var/lib/kubelet/kubelet.crt", "--key", "/var/lib/kubelet/kubelet.key", "--cacert",
         "/etc/kubernetes/pki/ca.crt", "https://10.0.0.1:6443/api/v1/nodes"],
    ],
    f'curl -H "Authorization: Bearer $(cat {TOKEN}/token)" \\\n     --cacert {TOKEN}/ca.crt \\\n'
    "     https://10.0.0.1:6443/api/v1/services?watch=true": [
        ["curl", "-H", "Authorization: Bearer $()", "--cacert", f"{TOKEN}/ca.crt",
         "https://10.0.0.1:6443/api/v1/services?watch=true"],
    ],
    "sudo netstat -tunp | grep kube": [["sudo", "netstat", "-tunp"], ["grep", "kube"]],
    "kubectl proxy": [["kubectl", "proxy"]],
    "kubectl get pods --field-selector spec.nodeName=node1 --watch": [
        ["kubectl", "get", "pods", "--field-selector", "spec.nodeName=node1", "--watch"]
    ],
    "kubectl expose pod nginx --port=80": [["kubectl", "expose", "pod", "nginx", "--port=80"]],
    'curl -k -H "Authorization: Bearer $TOKEN" \\\n'
    '  "https://10.0.0.1:6443/api/v1/namespaces/default/pods?watch=true"': [
        ["curl", "-k", "-H", "Authorization: Bearer $TOKEN",
         "https://10.0.0.1:6443/api/v1/namespaces/default/pods?watch=true"],
    ],
    "ls -l /etc/kubernetes/pki/apiserver.*": [["ls", "-l", "/etc/kubernetes/pki/apiserver.*"]],
}  # fmt: skip


def shown(word: Word) -> str:
    texts = {Variable: lambda part: f"${part.name}", Substitution: lambda _: "$()", Literal: lambda part: part.text}
    return "".join(texts[type(part)](part) for part in word.parts)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:40])
def test_a_line_of_the_founding_documents_is_read_word_by_word(line):
    (item,) = parse(line)
    (pipeline,) = item.and_or.pipelines
    assert [[shown(word) for word in command.words] for command in pipeline.commands] == LINES[line]


# What the documents leave open or call otherwise than a cluster made by kubeadm has it, and what stands here for it.
ADDRESSES = {
    "spec.nodeName=node1": "spec.nodeName=worker-1",
    "/var/lib/kubelet/pki/kubelet-client.crt": "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/kubelet.crt": "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/kubelet.key": "/var/lib/kubelet/pki/kubelet-client-current.pem",
}
# Where each is typed, after what, for how long (None: to its end), and what must be in its output.
TYPED = [
    ("worker-1", 'sudo tcpdump -i eth0 port 6443 -A | grep "GET /api/v1/pods"', 5, ""),
    ("worker-1", "sudo ss -tanp | grep 6443", None, 'users:(("kubelet",pid='),
    ("control-plane", "sudo ss -tanp | grep 6443", None, 'users:(("kube-scheduler",pid='),
    ("workstation", "sudo openssl s_client -connect 10.0.0.1:6443 </dev/null", None, "TLSv1.3, Cipher is TLS_AES_"),
    ("worker-1", "openssl x509 -in /var/lib/kubelet/pki/kubelet-client.crt -text | grep Subject", None,
     "Subject: O = system:nodes, CN = system:node:worker-1"),
    ("workstation", "kubectl get --raw /api/v1/pods?watch=true | head", 5, '{"type":"ADDED","object":{"kind":"Pod"'),
    # Since 1.32 a node may list no other nodes (AuthorizeNodeWithSelectors): the document's answer is an older one's.
    ("worker-1", "curl --cert /var/lib/kubelet/kubelet.crt --key /var/lib/kubelet/kubelet.key --cacert "
     "/etc/kubernetes/pki/ca.crt https://10.0.0.1:6443/api/v1/nodes", None,
     'User \\"system:node:worker-1\\" cannot list resource \\"nodes\\"'),
    ("worker-1", f'curl -H "Authorization: Bearer $(cat {TOKEN}/token)" --cacert {TOKEN}/ca.crt '
     "https://10.0.0.1:6443/api/v1/services?watch=true", 5, '{"type":"ADDED","object":{"kind":"Service"'),
    ("worker-1", "sudo netstat -tunp | grep kube", None, "/kubelet"),
    ("workstation", "kubectl proxy", 5, "Starting to serve on 127.0.0.1:8001"),
    ("workstation", "kubectl get pods --field-selector spec.nodeName=node1 --watch", 5, "nginx"),
    ("workstation", "kubectl expose pod nginx --port=80", None, "service/nginx exposed"),
    ("workstation", 'TOKEN=$(kubectl create token default); curl -k -H "Authorization: Bearer $TOKEN" '
     '"https://10.0.0.1:6443/api/v1/namespaces/default/pods?watch=true"', 5,
     '\\"system:serviceaccount:default:default\\"'),
    ("control-plane", "ls -l /etc/kubernetes/pki/apiserver.*", None, "-rw------- 1 root root"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "line", "seconds", "kernel"), TYPED, ids=lambda each: str(each)[:40])
def test_a_line_of_the_documents_does_what_they_say_or_what_is_true(shared_workstation, host, line, seconds, kernel):
    for theirs, ours in ADDRESSES.items():
        line = line.replace(theirs, ours)

    async def story(sh):
        await sh("kubectl apply -f - <<'EOF'\n" + NGINX + "\nEOF")
        await sh.ok("kubectl wait --for=condition=Ready pod/nginx --timeout=60s")
        await sh.ok(f"ssh {host} true")
        there = line if host == "workstation" else f"ssh {host} <<'EOF'\n{line}\nEOF"
        return await sh(there, interrupt_after=seconds)

    done = shared_workstation(story)
    assert "command not found" not in done.err
    assert kernel in done.out
    if not kernel:
        assert done.out == "", "what crosses is ciphertext"


NGINX = """
apiVersion: v1
kind: Pod
metadata: {name: nginx, labels: {run: nginx}}
spec:
  nodeName: worker-1
  containers: [{name: nginx, image: nginx, ports: [{containerPort: 80}]}]
"""
