"""What the founding documents type, typed in the page where it belongs: output, lanes and arrows as a reader sees them.

`tests/engine/shell/test_shell_founding_documents.py` has the whole list, and where it maps addresses.
"""

import pytest
from browser_page import Glassplane
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"
BY_TOKEN = 'TOKEN=$(kubectl create token default); curl -sk -H "Authorization: Bearer $TOKEN" '
AS_KUBELET = f"curl -s --cert {CERTIFICATE} --key {CERTIFICATE} --cacert /etc/kubernetes/pki/ca.crt "
AT_ITS_END = """() => {
  const log = document.querySelector(".screen-log");
  return log.scrollTop + log.clientHeight >= log.scrollHeight - 1;
}"""
TYPED = [
    ("kubectl run nginx --image=nginx --port=80", "pod/nginx created"),
    ("kubectl wait --for=condition=Ready pod/nginx --timeout=60s", "condition met"),
    ("kubectl expose pod nginx --port=80", "service/nginx exposed"),
    ("sudo openssl s_client -connect 10.0.0.1:6443 </dev/null", "TLSv1.3, Cipher is TLS_AES_"),
    (f"{BY_TOKEN}https://10.0.0.1:6443/api/v1/namespaces/default/pods", "system:serviceaccount:default:default"),
    ("kubectl exec nginx -- curl -s localhost", "<title>Welcome to nginx!</title>"),
    ("ssh control-plane", ""),
    ("ls -l /etc/kubernetes/pki/apiserver.*", "-rw------- 1 root root"),
    ("sudo ss -tanp | grep 6443", 'users:(("kube-scheduler",pid='),
    ("exit", "Connection to control-plane closed."),
    ("ssh worker-1", ""),
    ("sudo netstat -tunp | grep kube", "/kubelet"),
    (f"openssl x509 -in {CERTIFICATE} -text | grep Subject", "CN = system:node:worker-1"),
    (f"{AS_KUBELET}https://10.0.0.1:6443/api/v1/nodes", 'cannot list resource \\"nodes\\"'),
]


def test_the_founding_documents_commands_are_typed_where_they_belong_and_seen(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    for line, kernel in TYPED:
        expect(glassplane.type_command(line)).to_contain_text(kernel)
    command = page.locator("#command")
    for line, kernel in (
        ('sudo tcpdump -i eth0 port 6443 -A | grep "GET /api/v1/pods"', "listening on eth0"),
        ("sudo tcpdump -i eth0 port 6443 -c 2", "IP worker-1."),
    ):
        command.fill(line)
        command.press("Enter")
        expect(page.locator(".ran").last).to_contain_text(kernel)
        assert "GET /api" not in page.locator(".ran pre").last.inner_text(), "what crosses is ciphertext"
        command.press("Control+c")
        page.locator(".line .stop").wait_for(state="detached")
    expect(page.locator("label.prompt")).to_have_text("worker-1:~$")
    page.wait_for_function(AT_ITS_END)

    hosts = page.locator(".host-name").all_inner_texts()
    assert len(hosts) == len(set(hosts)), "a machine's lanes are together, and so are a namespace's pods"
    names = [name.split()[0] for name in page.locator(".lane-name").all_inner_texts()]
    assert names[names.index("containerd") : names.index("containerd") + 3] == ["containerd", "kube-proxy", "terminal"]
    assert "nginx" in names

    glassplane.find("worker-1's curl asks kube-apiserver for the list of nodes")
    glassplane.open_last()
    expect(page.locator(".drawer .explanation")).to_contain_text("GET of a collection lists it.")
