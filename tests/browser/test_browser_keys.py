"""Who can read it, as a learner finds out: keys tried on a recording, and somebody who stands in the way."""

import pytest
from browser_lesson import Learner
from browser_scenes import go_on
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NEW = "kubectl --kubeconfig=new.conf"
SHUT_OUT = (
    "kubectl -n shop delete serviceaccount deployer; kubectl -n shop create serviceaccount deployer",
    "ssh control-plane cat /etc/kubernetes/pki/ca.crt > ca.crt",
    f"{NEW} config set-cluster kubernetes --server=https://10.0.0.1:6443 --certificate-authority=ca.crt --embed-certs",
    f"{NEW} config set-credentials deployer --token=$(kubectl -n shop create token deployer)",
    f"{NEW} get secrets",
)


def test_keys_are_tried_on_a_recording(learner: Learner) -> None:
    page = learner.begin("walkthroughs/which-key-opens-what").page
    go_on(page, ".question input[value=tls12]")
    page.locator(".question input[value=tls12]").check()
    page.locator(".question [type=submit]").click()
    expect(page.locator(".lesson .feedback").first).to_contain_text("opens only the one with RSA key exchange")
    by_key = page.locator(".ran.by-lesson", has_text="rsa_keys").first
    expect(by_key).to_contain_text("GET /version?by=rsa")
    expect(by_key).not_to_contain_text("by=ecdhe")
    go_on(page, ".ran.by-lesson:has-text('keylog_file')")
    expect(page.locator(".ran.by-lesson", has_text="keylog_file")).to_contain_text("GET /version?by=tls13")


def test_somebody_in_the_way_is_found_and_shut_out(learner: Learner) -> None:
    page = learner.begin("exercises/the-man-in-the-middle").page
    learner.type_command(
        "openssl s_client -connect 10.0.0.11:8443 </dev/null 2>/dev/null | grep -A2 'Certificate chain'"
    )
    expect(page.locator(".ran", has_text="Certificate chain").last).to_contain_text("i:CN = mitmproxy")
    learner.answer_choice("Who has signed the certificate", "mitmproxy")
    learner.answer_choice("Why has it believed", "authority")
    for line in SHUT_OUT:
        learner.type_command(line)
    for check in ("Who has signed", "Why it was believed", "worth nothing", "API server itself"):
        expect(learner.check(check)).to_have_class("passed")
    expect(page.locator(".ran").last).to_contain_text("db")
