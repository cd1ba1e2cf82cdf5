"""What reaches whoever signs certificates and who joins: signing requests, tokens' Secrets, a forged cluster-info."""

import base64
import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fuzz import making

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = base64.b64decode(
    "MIIBEDCBtwIBADAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFjAUBgNVBAMMDXN5c3RlbTpub2RlOmEwWTATBgcqhkjOPQIBBggqhkjOPQMBBw"
    "NCAAQaQ7hEIH2upXKe2y7vIEB0aZJHLMQZaqA4kEvgcwaw960GocUMuu5Dxi6PgSzw84vl49FDueMe7P1TbTmzbH2OoCYwJAYJKoZIhvcNAQkO"
    "MRcwFTATBgNVHREEDDAKggFhgQVhQGIuYzAKBggqhkjOPQQDAgNIADBFAiEAlsR2zCgjzyyG/MACEG1OAqJppAji0EJtc1ghtanAx6wCICRNj8"
    "E94ax3EaezSxl6iDXCVVQVpB/owPhCtheZEjuT"
)
"""A good one: O=system:nodes, CN=system:node:a, two alternative names, a key on P-256."""
USAGES = ("client auth", "digital signature", "encipher only", "any", "fly", "key agreement")
INFO = """apiVersion: v1
clusters:
- cluster: {certificate-authority-data: TUU=, server: "https://10.0.0.1:6443"}
  name: ""
kind: Config
"""
INFO_PIECES = ("clusters", "cluster:", "- ", "{", "}", "[", "]", "server: ", "&a", "*a", "null", "TUU", "\n", "  ", '"')
TOKEN: dict[str, Any] = {
    "metadata": {"name": "bootstrap-token-abcdef", "namespace": "kube-system"},
    "type": "bootstrap.kubernetes.io/token",
    "data": {
        "token-id": "YWJjZGVm",
        "token-secret": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "expiration": "MjAyNi0wMS0wMVQwMDowMDowMFo=",
        "usage-bootstrap-authentication": "dHJ1ZQ==",
        "auth-extra-groups": "c3lzdGVtOmJvb3RzdHJhcHBlcnM6YQ==",
    },
}


def make_request(rng: random.Random) -> tuple[bytes, str, list[str]]:
    """A request as PEM, mostly with bytes changed; the signer; the usages."""
    from cluster_engine.api.rules import certificates

    der = making.spoiled_bytes(rng, REQUEST) if rng.random() < 0.95 else REQUEST
    label = b"CERTIFICATE REQUEST"
    pem = b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label, base64.b64encode(der), label)
    signers = (certificates.CLIENT_SIGNER, certificates.KUBELET_CLIENT_SIGNER, certificates.KUBELET_SERVING_SIGNER)
    signer = rng.choice((*signers, making.text(rng)))
    return (
        making.spoiled_bytes(rng, pem) if rng.random() < 0.2 else pem,
        signer,
        rng.choices(USAGES, k=rng.randrange(4)),
    )


def take_request(case: tuple[bytes, str, list[str]]) -> None:
    """What validation lets pass can be described, judged and signed, or is refused in words."""
    from cluster_engine.api.rules import certificates
    from cluster_engine.pki.authority import Authority
    from cluster_engine.programs.kubectl.describe.certificates import describe_signing_request
    from cluster_engine.programs.kubectl.describe.lines import Lines

    pem, signer, usages = case
    spec = {"request": base64.b64encode(pem).decode(), "signerName": signer, "usages": usages}
    causes: list[Any] = []
    certificates.spec(spec, "spec", causes)
    try:
        request = certificates.read(pem)
    except ValueError:
        assert causes, "what cannot be read is not stored"
        return
    for each in (certificates.KUBELET_SERVING_SIGNER, certificates.KUBELET_CLIENT_SIGNER, signer):
        certificates.signer_problem(each, request, usages)
    lines = Lines(NOW)
    describe_signing_request(lines, {"metadata": {"name": "a"}, "spec": spec}, [])
    lines.text()
    if not causes:
        try:
            Authority("ca", now=NOW).sign_request(request, usages, timedelta(hours=1), NOW)
        except ValueError:
            return


def make_token(rng: random.Random) -> tuple[str, str, str]:
    """A Secret as JSON, what is shown as a token, and what somebody wrote into cluster-info."""
    keys = tuple(TOKEN["data"])
    secret = making.as_json(rng, making.spoiled_value(rng, TOKEN, keys))
    shown = making.spoiled_text(rng, "abcdef.0123456789abcdef", (".", "é", "\0"))
    return secret, shown, making.spoiled_text(rng, INFO, INFO_PIECES)


def take_token(case: tuple[str, str, str]) -> None:
    """A Secret that may be stored makes somebody of its bearer or nobody; a cluster-info is read or refused."""
    from cluster_engine.api import documents, kinds, strict
    from cluster_engine.api.status import Refusal
    from cluster_engine.apiserver.authentication.bootstrap import BearerTokens
    from cluster_engine.apiserver.authentication.tokens import BadToken, ServiceAccountTokens
    from cluster_engine.pki.authority import key_pair_for_tokens
    from cluster_engine.programs.kubeadm import discovery, pins
    from cluster_engine.programs.kubeadm.errors import KubeadmError

    secret, shown, info = case
    with contextlib.suppress(KubeadmError, ValueError):
        pins.pin_of(discovery._cluster(info).authority)
    with contextlib.suppress(KubeadmError):
        pins.read([info[:80], f"sha256:{shown}"])
    try:
        _, found = strict.check(kinds.SECRET, documents.read_json(secret))
    except (documents.Unreadable, Refusal, AttributeError):
        return
    accounts = ServiceAccountTokens(key_pair_for_tokens()[1], lambda *_: None, elapsed=lambda: 0.0)
    tokens = BearerTokens(accounts, lambda *_: found if "metadata" in found else None)
    for each in (shown, "abcdef.0123456789abcdef"):
        try:
            tokens.user(each, NOW)
        except BadToken:
            continue
