"""Signing requests: who may ask, approve and sign, what is signed, and when requests are cleared away."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster_engine.api.kinds import CERTIFICATE_SIGNING_REQUEST as CSR
from cluster_engine.api.rules.certificates import CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, USAGES, signer_problem
from cluster_engine.api.status import Forbidden, Invalid
from cluster_engine.controllers.certificates import is_over, lifetime
from cluster_engine.pki.authority import EXTENDED_USAGES, KEY_USAGES

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CLIENT, SIGNATURE = "client auth", "digital signature"


def asking(common_name, *organizations, names=()):
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())


def document(name, request, signer=CLIENT_SIGNER, usages=(CLIENT,), **spec):
    pem = request if isinstance(request, bytes) else request.public_bytes(serialization.Encoding.PEM)
    encoded = base64.b64encode(pem).decode()
    spec = {"request": encoded, "signerName": signer, "usages": list(usages), **spec}
    return {"kind": CSR.name, "apiVersion": CSR.api_version, "metadata": {"name": name}, "spec": spec}


def decided(obj, type_, **fields):
    condition = {"type": type_, "status": "True", **fields}
    known = obj.get("status") or {}
    return {**obj, "status": {**known, "conditions": [*known.get("conditions", ()), condition]}}


async def refusal(doing, kind=Invalid):
    with pytest.raises(kind) as caught:
        await doing
    return str(caught.value)


def test_what_a_person_approves_is_signed_once_for_as_long_as_was_asked_and_stays_decided(cluster):
    async def story(plane):
        client = plane.client
        made = await client.create(
            CSR, document("anna", asking("anna", "shop"), expirationSeconds=3600, username="root")
        )
        assert (made["spec"]["username"], made.get("status")) == ("kubernetes-admin", {})
        assert "kubeadm:cluster-admins" in made["spec"]["groups"]
        await client.update(CSR, decided(made, "Approved"), "approval")

        async def issued():
            return (await client.get(CSR, "anna"))["status"].get("certificate")

        certificate = x509.load_pem_x509_certificate(base64.b64decode(await plane.until(issued)))
        one = await client.get(CSR, "anna")
        both = await refusal(client.update(CSR, decided(one, "Denied"), "approval"))
        removed = await refusal(client.update(CSR, {**one, "status": {"conditions": []}}, "approval"))
        replaced = {**one, "status": {**one["status"], "certificate": base64.b64encode(b"x").decode()}}
        again = await refusal(client.update(CSR, replaced, "status"))
        by_status = await refusal(client.update(CSR, decided(made | {"metadata": one["metadata"]}, "Denied"), "status"))
        unchanged = await client.update(CSR, {**one, "spec": {**one["spec"], "signerName": "example.com/other"}})
        return certificate, one, both, removed, again, by_status, unchanged

    certificate, one, both, removed, again, by_status, unchanged = cluster(story, nodes=0)
    assert certificate.subject.rfc4514_string() == "CN=anna,O=shop"
    assert certificate.issuer.rfc4514_string() == "CN=kubernetes"
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(seconds=3600 + 300)
    assert one["status"]["conditions"][0]["lastUpdateTime"] == one["metadata"]["creationTimestamp"]
    assert 'Invalid value: "Denied": Approved and Denied conditions are mutually exclusive' in both
    assert 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"' in removed
    assert "status.certificate: Forbidden: updates may not modify existing certificate content" in again
    assert 'status.conditions: Forbidden: updates may not add a condition of type "Denied"' in by_status
    assert unchanged["spec"]["signerName"] == CLIENT_SIGNER


def test_a_signer_says_failed_of_what_it_does_not_sign_and_nothing_of_what_is_not_its_own(cluster):
    async def story(plane):
        client = plane.client
        wrong = await client.create(CSR, document("wrong", asking("a"), usages=("server auth",)))
        other = await client.create(CSR, document("other", asking("a"), "example.com/mine"))
        root = document("root", asking("a", "system:masters"))
        for each in (wrong, other):
            await client.update(CSR, decided(each, "Approved"), "approval")
        await plane.until(lambda: _failed(client, "wrong"))
        return (
            await _failed(client, "wrong"),
            await client.get(CSR, "other"),
            await refusal(client.create(CSR, root), Forbidden),
        )

    async def _failed(client, name):
        found = (await client.get(CSR, name))["status"]["conditions"]
        return next((each for each in found if each["type"] == "Failed"), None)

    failed, other, root = cluster(story, nodes=0)
    assert (failed["reason"], failed["message"]) == (
        "SignerValidationFailure",
        "invalid usage for client certificate: server auth",
    )
    assert [each["type"] for each in other["status"]["conditions"]] == ["Approved"]
    assert root.endswith(f"use of {CLIENT_SIGNER} signer with system:masters group is not allowed")


def test_only_a_request_whose_signature_holds_is_stored_and_only_for_a_signer_with_a_name(cluster):
    good = asking("a").public_bytes(serialization.Encoding.PEM)
    lines = good.splitlines()
    der = bytearray(base64.b64decode(b"".join(lines[1:-1])))
    der[-1] ^= 1
    forged = b"\n".join((lines[0], base64.b64encode(bytes(der)), lines[-1]))

    async def story(plane):
        bad = (
            document("a", b"hello"),
            document("a", forged),
            document("a", good, usages=()),
            document("a", good, usages=(CLIENT, CLIENT, "fly")),
            document("a", good, "kubernetes.io/legacy-unknown"),
            document("a", good, "Example/x"),
            document("a", good, expirationSeconds=599),
        )
        return [await refusal(plane.client.create(CSR, each)) for each in bad]

    text, signature, none, twice, legacy, name, short = cluster(story, nodes=0)
    assert "[]byte{0x68, 0x65, 0x6c, 0x6c, 0x6f}: PEM block type must be CERTIFICATE REQUEST" in text
    assert "x509: signature verification failed" in signature or "asn1: structure error" in signature
    assert "spec.usages: Required value" in none
    assert 'spec.usages[1]: Duplicate value: "client auth"' in twice
    assert 'spec.usages[2]: Unsupported value: "fly": supported values: "any", "cert sign"' in twice
    assert "the legacy signerName is not allowed via this API version" in legacy
    assert "should be a domain with at least two segments separated by dots" in name
    assert "Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)" in short


@pytest.mark.parametrize(
    ("request_", "usages", "problem"),
    [
        (asking("system:node:a", "system:nodes"), (SIGNATURE, CLIENT), ""),
        (asking("system:node:a", "system:nodes"), (SIGNATURE, "key encipherment", CLIENT), ""),
        (
            asking("system:node:a", "system:nodes"),
            (CLIENT,),
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (
            asking("system:node:a", "system:nodes", "system:masters"),
            (SIGNATURE, CLIENT),
            "subject organization is not system:nodes",
        ),
        (asking("root", "system:nodes"), (SIGNATURE, CLIENT), "subject common name does not begin with system:node:"),
        (
            asking("system:node:a", "system:nodes", names=[x509.DNSName("a")]),
            (SIGNATURE, CLIENT),
            "DNS subjectAltNames are not allowed",
        ),
    ],
)
def test_a_kubelets_client_certificate_is_for_a_node_and_for_nothing_else(request_, usages, problem):
    assert signer_problem(KUBELET_CLIENT_SIGNER, request_, usages) == problem


def test_each_use_that_a_request_may_name_is_one_that_a_certificate_can_have():
    assert set(USAGES) == {*KEY_USAGES, *EXTENDED_USAGES}


@pytest.mark.parametrize(
    ("conditions", "hours", "over"),
    [
        ((), 23.9, False),
        ((), 24.1, True),
        (("Denied",), 0.9, False),
        (("Denied",), 1.1, True),
        (("Approved",), 48, False),
    ],
)
def test_requests_are_cleared_away_an_hour_after_they_were_decided_or_after_a_day(conditions, hours, over):
    made = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"conditions": [{"type": each, "status": "True", "lastUpdateTime": made} for each in conditions]}
    request = {"metadata": {"name": "a", "creationTimestamp": made}, "status": status}
    assert is_over(request, NOW + timedelta(hours=hours)) is over


def test_a_certificate_is_signed_for_ten_minutes_at_least_and_a_year_at_most():
    assert [lifetime(each) for each in (None, 600, 86400, 2**31 - 1)] == [
        timedelta(days=365),
        timedelta(minutes=10),
        timedelta(days=1),
        timedelta(days=365),
    ]
