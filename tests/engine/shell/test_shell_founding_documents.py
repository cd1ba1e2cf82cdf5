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


def test_what_of_them_needs_no_other_program_runs(workstation):
    async def story(sh):
        await sh.ok("kubectl run nginx --image=nginx --port=80")
        raw = await sh.ok("kubectl get --raw /api/v1/pods?watch=true | head -1")
        exposed = await sh.ok("kubectl expose pod nginx --port=80")
        pki = await sh.ok("ssh control-plane 'ls -l /etc/kubernetes/pki/apiserver.*'")
        return raw, exposed, pki

    raw, exposed, pki = workstation(story)
    assert raw.startswith('{"type":"ADDED"')
    assert exposed == "service/nginx exposed\n"
    shown = [line.split() for line in pki.splitlines()]
    assert [(words[0], *words[5:]) for words in shown] == [
        ("-rw-r--r--", "Jan", "1", "10:00", "/etc/kubernetes/pki/apiserver.crt"),
        ("-rw-------", "Jan", "1", "10:00", "/etc/kubernetes/pki/apiserver.key"),
    ]
