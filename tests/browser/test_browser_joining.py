"""A machine joins, as a learner has it join: with openssl and a token, and, beat by beat, with `kubeadm join`."""

import pytest
from browser_lesson import Learner
from browser_scenes import go_on
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SERVER = "--server=https://10.0.0.1:6443 --certificate-authority=/etc/kubernetes/pki/ca.crt"
PIN = "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256"
INFO = "curl -sk https://10.0.0.1:6443/api/v1/namespaces/kube-public/configmaps/cluster-info | jq -r .data.kubeconfig"
REQUEST = (
    '{apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: {name: $name}, '
    'spec: {request: $csr, signerName: "kubernetes.io/kube-apiserver-client-kubelet", '
    'usages: ["digital signature", "client auth"]}}'
)
CURRENT = "/var/lib/kubelet/pki/kubelet-client-current.pem"
KUBELET_CONF = (
    f"kubectl config --kubeconfig=/etc/kubernetes/kubelet.conf set-cluster cluster {SERVER}",
    "kubectl config --kubeconfig=/etc/kubernetes/kubelet.conf set-credentials node "
    f"--client-certificate={CURRENT} --client-key={CURRENT}",
    "kubectl config --kubeconfig=/etc/kubernetes/kubelet.conf set-context join --cluster=cluster --user=node",
    "kubectl config --kubeconfig=/etc/kubernetes/kubelet.conf use-context join",
)


def test_a_machine_is_joined_with_openssl_after_a_request_that_nobody_signs(learner: Learner) -> None:
    page = learner.begin("exercises/join-a-node-by-hand").page
    learner.answer_choice("In whose name is its request recorded?", "node")
    token = learner.type_command("ssh control-plane kubeadm token create").locator("pre").first.inner_text().strip()
    learner.type_command(f"ssh control-plane '{PIN.format('/etc/kubernetes/pki/ca.crt')}'")
    trust(learner)
    ask(learner, token, "first", "/CN=worker-2")
    expect(page.locator(".debrief")).to_contain_text("Approved, and not signed")
    ask(learner, token, "second", "/O=system:nodes/CN=system:node:worker-2")
    expect(learner.check("the certificate is issued")).to_have_class("passed")
    expect(learner.asked("In whose name").locator(".feedback.wrong")).to_contain_text("as a wish")
    learner.type_command("ssh worker-2")
    learner.type_command(f"kubectl {SERVER} --token={token} get csr second -o json > csr.json")
    learner.type_command(f"jq -r .status.certificate csr.json | base64 -d | cat - node.key > {CURRENT}")
    for line in (*KUBELET_CONF, "systemctl start kubelet"):
        learner.type_command(line)
    expect(learner.check("in its own name")).to_have_class("passed")
    expect(learner.check("the pod runs there")).to_have_class("passed")
    question = learner.asked("What makes the authority")
    for option in ("signature", "pin"):
        question.locator(f"input[value={option}]").check()
    question.locator("[type=submit]").click()
    expect(page.locator(".solved")).to_contain_text("Without a hint.")


def trust(learner: Learner) -> None:
    """The authority comes over a connection that nobody verified; its hash does not."""
    pin = learner.page.locator(".ran").last.inner_text().split("= ")[1].strip()
    learner.type_command("ssh worker-2")
    learner.type_command(f"mkdir -p /etc/kubernetes/pki /var/lib/kubelet/pki; {INFO} > info")
    found = "kubectl config view --kubeconfig=info --raw -o jsonpath='{..certificate-authority-data}'"
    learner.type_command(f"{found} | base64 -d > /etc/kubernetes/pki/ca.crt")
    expect(learner.type_command(PIN.format("/etc/kubernetes/pki/ca.crt"))).to_contain_text(pin)
    learner.type_command("openssl ecparam -genkey -name prime256v1 -noout -out node.key")
    learner.type_command("exit")


def ask(learner: Learner, token: str, name: str, subject: str) -> None:
    """A request, made on the machine and posted with the token; whoever may approves it."""
    learner.type_command("ssh worker-2")
    learner.type_command(f"openssl req -new -key node.key -subj {subject} -out csr")
    made = f"jq -n --arg name {name} --arg csr $(base64 -w0 csr) '{REQUEST}'"
    posted = learner.type_command(f"{made} | kubectl {SERVER} --token={token} create -f -")
    expect(posted).to_contain_text(f"{name} created")
    learner.type_command("exit")
    expect(learner.type_command(f"kubectl certificate approve {name}")).to_contain_text("approved")


def test_kubeadm_join_is_told_from_a_stranger_s_question_to_a_token_that_is_over(learner: Learner) -> None:
    page = learner.begin("walkthroughs/a-node-joins").page
    expect(learner.title).to_have_text("A Secret with a date")
    go_on(page, ".question input[value=signature]")
    page.locator(".question input[value=signature]").check()
    page.locator(".question [type=submit]").click()
    expect(page.locator(".lesson .feedback").first).to_contain_text("against whoever knows the token")
    expect(learner.title).to_have_text("The same question, over verified TLS")
    go_on(page, ".question input[value=controller]")
    page.locator(".question input[value=controller]").check()
    page.locator(".question [type=submit]").click()
    expect(page.locator(".lesson .feedback").first).to_contain_text("one of two controllers")
    go_on(page, ".lesson-body h2:text('The token is over')")
    expect(page.locator(".ran.by-lesson", has_text="Bearer").first).to_contain_text("Unauthorized")
