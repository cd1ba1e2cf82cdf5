"""Certificates and tokens: what is taken, what is refused, and that a refusal is a 401 and never a TLS alert."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from cluster_engine.apiserver.authentication.tokens import (
    BadToken,
    Grant,
    ServiceAccountTokens,
    Signer,
    claims_for,
)
from cluster_engine.apiserver.authentication.users import authenticated
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates
from cluster_engine.pki.authority import Usage, key_pair_for_tokens

NOW = datetime.now(UTC)
GRANT = Grant(
    namespace="kube-system",
    account="proxy",
    account_uid="u1",
    audiences=("https://kubernetes.default.svc.cluster.local",),
    expiration_seconds=3600,
)


def der(pair):
    return (x509.load_pem_x509_certificate(pair.certificate).public_bytes(Encoding.DER),)


@pytest.fixture
def authority(pki_files):
    return pki_files[1]


@pytest.fixture
def certificates(authority):
    return ClientCertificates(authority.pair.certificate)


def test_the_subject_of_a_certificate_is_the_user(authority, certificates):
    pair = authority.issue("system:node:worker-1", organizations=["system:nodes"], usage=Usage.CLIENT)
    user = certificates.user(der(pair), authority.now)
    assert user.name == "system:node:worker-1"
    assert user.groups == ("system:nodes", "system:authenticated")
    assert user.node == "worker-1"
    assert dict(user.extra)["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")


def test_a_certificate_of_another_authority_proves_nothing(authority, certificates, foreign_authority):
    pair = foreign_authority.issue("admin", organizations=["system:masters"], usage=Usage.CLIENT)
    with pytest.raises(BadCertificate, match="unknown authority"):
        certificates.user(der(pair), authority.now)


def test_a_certificate_for_servers_only_proves_nothing(authority, certificates):
    pair = authority.issue("admin", organizations=["system:masters"], usage=Usage.SERVER, names=["admin"])
    with pytest.raises(BadCertificate, match="incompatible key usage"):
        certificates.user(der(pair), authority.now)


def test_a_certificate_of_another_day_proves_nothing_by_the_process_clock(authority, certificates):
    pair = authority.issue("admin", usage=Usage.CLIENT)
    with pytest.raises(BadCertificate, match="has expired or is not yet valid"):
        certificates.user(der(pair), authority.now + timedelta(days=400))
    with pytest.raises(BadCertificate, match="has expired or is not yet valid"):
        certificates.user(der(pair), authority.now - timedelta(days=400))


class Accounts:
    """What exists: looked up as the watch caches would be."""

    def __init__(self):
        self.objects = {("serviceaccounts", "kube-system", "proxy"): "u1", ("pods", "kube-system", "p"): "u2"}

    def __call__(self, resource, namespace, name):
        uid = self.objects.get((resource, namespace, name))
        return None if uid is None else {"metadata": {"uid": uid}}


@pytest.fixture
def accounts():
    return Accounts()


@pytest.fixture(scope="module")
def keys():
    return key_pair_for_tokens()


@pytest.fixture
def tokens(keys, accounts):
    made = ServiceAccountTokens(keys[1], accounts, elapsed=lambda: made.seconds)
    made.seconds = 0.0
    return made


@pytest.fixture
def token(keys):
    signer = Signer(keys[0])

    def make(grant=GRANT, now=NOW, **changed):
        return signer.sign(claims_for(grant, signer.issuer, now, "id-1") | changed)

    return make


def test_a_token_says_which_service_account_asks(tokens, token):
    user = tokens.user(token(), NOW)
    assert user.name == "system:serviceaccount:kube-system:proxy"
    assert user.uid == "u1"
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
    )
    assert dict(user.extra) == {"authentication.kubernetes.io/credential-id": ("JTI=id-1",)}


def test_a_token_ends_when_its_time_is_over_and_a_minute_by_which_clocks_may_differ(tokens, token):
    made = token()
    assert tokens.user(made, NOW + timedelta(seconds=3600 + 59))
    tokens.seconds = 11.0  # else it is remembered
    with pytest.raises(BadToken, match="expired"):
        tokens.user(made, NOW + timedelta(seconds=3600 + 71))


def test_a_token_from_a_clock_that_is_a_minute_ahead_is_taken(tokens, token):
    assert tokens.user(token(now=NOW + timedelta(seconds=59)), NOW)
    with pytest.raises(BadToken, match="not valid yet"):
        tokens.user(token(now=NOW + timedelta(seconds=61)), NOW)


def test_a_token_from_the_future_is_refused(tokens, token):
    with pytest.raises(BadToken, match="not valid yet"):
        tokens.user(token(now=NOW + timedelta(hours=1)), NOW)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://elsewhere"}, "another issuer"),
        ({"aud": ["vault"]}, "audiences"),
        ({"sub": "system:serviceaccount:kube-system:other"}, "subject"),
    ],
)
def test_a_token_that_claims_something_else_is_refused(tokens, token, changed, why):
    with pytest.raises(BadToken, match=why):
        tokens.user(token(**changed), NOW)


def test_a_token_of_another_key_is_refused(tokens):
    forged = Signer(key_pair_for_tokens()[0])
    with pytest.raises(BadToken, match="a key that is not ours"):
        tokens.user(forged.sign(claims_for(GRANT, forged.issuer, NOW, "x")), NOW)


@pytest.mark.parametrize("garbage", ["", "a", "a.b", "a.b.c", "....", "e30.e30.e30", "é.é.é"])
def test_what_is_no_token_is_refused(tokens, garbage):
    with pytest.raises(BadToken):
        tokens.user(garbage, NOW)


def test_a_token_with_changed_claims_does_not_fit_its_signature(tokens, token):
    header, claims, signature = token().split(".")
    other = token(jti="id-2").split(".")[1]
    assert other != claims
    with pytest.raises(BadToken, match="signature"):
        tokens.user(f"{header}.{other}.{signature}", NOW)


def test_a_token_dies_with_its_account_or_its_pod(tokens, token, accounts):
    bound = token(replace(GRANT, bound={"pod": {"name": "p", "uid": "u2"}}))
    assert tokens.user(bound, NOW)
    del accounts.objects["pods", "kube-system", "p"]
    tokens.seconds = 9.0
    assert tokens.user(bound, NOW + timedelta(seconds=9)), "remembered for ten seconds"
    tokens.seconds = 11.0
    with pytest.raises(BadToken, match="pods kube-system/p has been deleted"):
        tokens.user(bound, NOW - timedelta(seconds=20))  # the wall clock was set back meanwhile
    accounts.objects["serviceaccounts", "kube-system", "proxy"] = "u9"
    with pytest.raises(BadToken, match="re-created"):
        tokens.user(token(), NOW + timedelta(seconds=11))


def test_a_pod_token_that_a_kubelet_asks_for_lasts_a_year_and_says_when_to_warn():
    grant = replace(GRANT, expiration_seconds=3607, bound={"pod": {"name": "p", "uid": "u2"}})
    claims = claims_for(grant, GRANT.audiences[0], NOW, "x")
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607


def test_everyone_who_is_recognised_is_authenticated_but_anonymous_is_not():
    assert authenticated("jane").groups == ("system:authenticated",)
    assert authenticated("system:anonymous").groups == ()


def test_bad_credentials_are_401_on_every_path_and_the_handshake_succeeds(run_api, foreign_authority):
    async def story(plane):
        masters = ["system:masters"]
        foreign = plane.stranger(foreign_authority.issue("root", organizations=masters, usage=Usage.CLIENT))
        server_only = plane.authority.issue("root", organizations=masters, usage=Usage.SERVER, names=["root"])
        for bad in (foreign, plane.stranger(server_only), plane.stranger(token="nonsense")):
            for path in ("/version", "/api/v1/pods", "/nowhere"):
                answer = await bad.get(path)
                assert answer.code == 401
                assert answer.body == {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Failure",
                    "message": "Unauthorized",
                    "reason": "Unauthorized",
                    "code": 401,
                }
                assert "www-authenticate" not in answer.headers

    run_api(story)


def test_a_good_token_counts_where_the_certificate_does_not(run_api, foreign_authority):
    async def story(plane):
        admin = plane.person()
        path = "/api/v1/namespaces/kube-system/serviceaccounts/kube-proxy/token"
        made = await admin.post(path, {"spec": {"expirationSeconds": 600}})
        assert made.code == 201
        token = made.body["status"]["token"]
        pair = foreign_authority.issue("root", usage=Usage.CLIENT)
        assert (await plane.stranger(pair, token=token).get("/api/v1/services")).code == 200
        assert (await plane.stranger(token=token).get("/api/v1/services")).code == 200
        assert (await plane.stranger(token=token).get("/api/v1/secrets")).code == 403

    run_api(story)


def test_anonymous_may_ask_for_the_version_and_is_told_403_before_404(run_api):
    async def story(plane):
        nobody = plane.stranger()
        assert (await nobody.get("/version")).code == 200
        assert (await nobody.get("/healthz")).raw == b"ok"
        answer = await nobody.get("/apis/no.such/v1/things")
        assert answer.code == 403
        assert 'User "system:anonymous" cannot list resource "things"' in answer.body["message"]

    run_api(story)


def test_who_may_impersonate_is_served_as_somebody_else(run_api):
    async def story(plane):
        admin = plane.person()
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        answer = await admin.post(path, {}, headers=[("Impersonate-User", "jane"), ("Impersonate-Group", "dev")])
        assert answer.body["status"]["userInfo"] == {"username": "jane", "groups": ["dev", "system:authenticated"]}
        jane = plane.person("jane", [])
        refused = await jane.post(path, {}, headers=[("Impersonate-User", "root")])
        assert refused.code == 403
        assert 'cannot impersonate resource "users"' in refused.body["message"]
        half = await admin.post(path, {}, headers=[("Impersonate-Group", "dev")])
        assert half.code == 500

    run_api(story)


def test_a_certificate_that_runs_out_on_an_open_connection_is_a_401_from_then_on(run_api):
    async def story(plane):
        admin = plane.person()
        assert (await admin.get("/api/v1/pods")).code == 200
        plane.host.skew = timedelta(days=400)
        assert (await admin.get("/api/v1/pods")).code == 401
        plane.host.skew = timedelta(0)
        assert (await admin.get("/api/v1/pods")).code == 200

    run_api(story)
