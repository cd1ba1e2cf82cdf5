"""Service-account tokens: JSON Web Tokens that the API server signs and later recognises as its own.

Theory of operation. A token is `header.claims.signature`, each base64url (RFC 7515, 7519). The signature says that the
claims are ours; whether they still hold is asked of the cluster: the service account must exist with the same uid, and
so must the pod (or node) the token is bound to. So deleting a pod ends its tokens, although nobody can take them back.

    {"alg":"ES256","kid":"…"} . {"iss":…, "sub":"system:serviceaccount:kube-system:kube-proxy", "exp":…} . signature

Modelled on pkg/serviceaccount/{jwt,claims}.go. Keys here are ECDSA P-256, hence ES256 where kubeadm's RSA keys give
RS256. Tokens in Secrets, the form from before 1.24, have an issuer of their own and no end; they hold as long as their
Secret holds them. Left out: external signers.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from cluster_engine.api.documents import read_json
from cluster_engine.apiserver.authentication.users import (
    CREDENTIAL_ID,
    NODE_NAME,
    NODE_UID,
    POD_NAME,
    POD_UID,
    SERVICE_ACCOUNT_PREFIX,
    User,
    service_account_user,
)

ISSUER = "https://kubernetes.default.svc.cluster.local"
SECRET_ISSUER = "kubernetes/serviceaccount"
_OF_SECRETS = f"{SECRET_ISSUER}/"
ALGORITHM = "ES256"
COORDINATE_BYTES = 32
WARN_AFTER_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600
LEEWAY_SECONDS = 60
"""By how much clocks may differ (go-jose's `jwt.DefaultLeeway`, which pkg/serviceaccount leaves as it is)."""
REMEMBERED_SECONDS = 10
REMEMBERED_MAX = 1000

Claims = dict[str, Any]
Lookup = Callable[[str, str, str], dict[str, Any] | None]
"""(resource, namespace, name) → the object, from the watch caches."""


_SECRET_CLAIMS = ("namespace", "secret.name", "service-account.name", "service-account.uid")


class BadToken(Exception):  # noqa: N818, a refusal, told to the log and not to the client
    """A bearer token that proves nothing here; says why."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Name a key by what it is: base64url(sha256(SubjectPublicKeyInfo))."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _encode(hashlib.sha256(der).digest())


class Signer:
    """Makes tokens."""

    def __init__(self, key: bytes, issuer: str = ISSUER) -> None:
        private = serialization.load_pem_private_key(key, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey), "service-account keys are ECDSA P-256 here"
        self._key = private
        self.public_key = private.public_key()
        self.issuer = issuer
        self._header = _encode(msgspec.json.encode({"alg": ALGORITHM, "kid": key_id(self.public_key)}))

    def sign(self, claims: Claims) -> str:
        """Make the compact form of a JSON Web Signature."""
        signed = f"{self._header}.{_encode(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encode(r.to_bytes(COORDINATE_BYTES, 'big') + s.to_bytes(COORDINATE_BYTES, 'big'))}"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is to say: for which account, bound to what, for whom and how long."""

    namespace: str
    account: str
    account_uid: str
    audiences: tuple[str, ...]
    expiration_seconds: int
    bound: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """`{"pod": {"name", "uid"}, "node": {…}}`"""


def claims_for(grant: Grant, issuer: str, now: datetime, identifier: str) -> Claims:
    """Write the claims of a new token.

    A kubelet asks for 3607 seconds for a pod's token: that gets a year, with the time after which a use is suspicious
    in `warnafter` (pkg/serviceaccount/claims.go), so that old clients that never re-read the file go on working.
    """
    issued = int(now.timestamp())
    private: dict[str, Any] = {"namespace": grant.namespace}
    private |= {kind: dict(reference) for kind, reference in sorted(grant.bound.items())}
    private["serviceaccount"] = {"name": grant.account, "uid": grant.account_uid}
    expires = issued + grant.expiration_seconds
    if grant.expiration_seconds == WARN_AFTER_SECONDS and "pod" in grant.bound and issuer in grant.audiences:
        private["warnafter"] = expires
        expires = issued + EXTENDED_SECONDS
    return {
        "aud": list(grant.audiences),
        "exp": expires,
        "iat": issued,
        "iss": issuer,
        "jti": identifier,
        "kubernetes.io": private,
        "nbf": issued,
        "sub": f"{SERVICE_ACCOUNT_PREFIX}{grant.namespace}:{grant.account}",
    }


def claims_of_secret(namespace: str, secret: str, account: str, uid: str) -> Claims:
    """Write the claims of a token that lies in a Secret (pkg/serviceaccount/legacy.go)."""
    return {
        "iss": SECRET_ISSUER,
        f"{_OF_SECRETS}namespace": namespace,
        f"{_OF_SECRETS}secret.name": secret,
        f"{_OF_SECRETS}service-account.name": account,
        f"{_OF_SECRETS}service-account.uid": uid,
        "sub": f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{account}",
    }


class ServiceAccountTokens:
    """Recognises tokens. A success is remembered for ten seconds, as the real token cache does.

    Those are seconds that have passed (`elapsed`), as Go's monotonic clock counts them, and not the date's: a wall
    clock that is set back makes nobody remember for longer.
    """

    def __init__(
        self,
        public_key: bytes,
        lookup: Lookup,
        *,
        elapsed: Callable[[], float],
        issuer: str = ISSUER,
        audiences: tuple[str, ...] = (),
    ) -> None:
        key = serialization.load_pem_public_key(public_key)
        assert isinstance(key, ec.EllipticCurvePublicKey), "service-account keys are ECDSA P-256 here"
        self._key = key
        self._key_id = key_id(key)
        self._lookup = lookup
        self._issuer = issuer
        self._audiences = frozenset(audiences or (issuer,))
        self._elapsed = elapsed
        self._remembered: dict[str, tuple[float, User]] = {}

    def user(self, token: str, now: datetime) -> User:
        """Tell whose token this is. Raises BadToken."""
        known = self._remembered.get(token)
        if known is not None and self._elapsed() < known[0]:
            return known[1]
        self._remembered.pop(token, None)
        claims = self._verified(token)
        if claims.get("iss") == SECRET_ISSUER:
            user = self._check_secret(claims, token)
        else:
            self._check_times(claims, now)
            user = self._check_subject(claims)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[token] = (self._elapsed() + REMEMBERED_SECONDS, user)
        return user

    def _verified(self, token: str) -> Claims:
        try:
            header_text, claims_text, signature_text = token.split(".")
            header = read_json(_decode(header_text))
            claims = read_json(_decode(claims_text))
            signature = _decode(signature_text)
        except ValueError as error:
            raise BadToken("the token is not a JSON Web Token") from error
        if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != ALGORITHM:
            raise BadToken(f"the token is not signed with {ALGORITHM}")
        if header.get("kid") not in (None, self._key_id):
            raise BadToken("the token is signed with a key that is not ours")
        r, s = signature[:COORDINATE_BYTES], signature[COORDINATE_BYTES:]
        try:
            der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
            self._key.verify(der, f"{header_text}.{claims_text}".encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise BadToken("the token's signature does not fit") from error
        return claims

    def _check_times(self, claims: Claims, now: datetime) -> None:
        if claims.get("iss") != self._issuer:
            raise BadToken("the token comes from another issuer")
        if not self._audiences.intersection(claims.get("aud") or ()):
            raise BadToken(f"token audiences {claims.get('aud')} is invalid for the target audiences")
        seconds = now.timestamp()
        if seconds > claims.get("exp", 0) + LEEWAY_SECONDS:
            raise BadToken("service account token has expired")
        if seconds < claims.get("nbf", 0) - LEEWAY_SECONDS:
            raise BadToken("service account token is not valid yet")

    def _check_subject(self, claims: Claims) -> User:
        private = claims.get("kubernetes.io") or {}
        namespace, account = private.get("namespace", ""), private.get("serviceaccount") or {}
        name, uid = account.get("name", ""), account.get("uid", "")
        if claims.get("sub") != f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}":
            raise BadToken("the token's subject and its account differ")
        self._must_live("serviceaccounts", namespace, name, uid)
        extra: list[tuple[str, tuple[str, ...]]] = [(CREDENTIAL_ID, (f"JTI={claims.get('jti', '')}",))]
        if node := private.get("node"):
            extra += [(NODE_NAME, (node.get("name", ""),)), (NODE_UID, (node.get("uid", ""),))]
        if secret := private.get("secret"):
            self._must_live("secrets", namespace, secret.get("name", ""), secret.get("uid", ""))
        if pod := private.get("pod"):
            self._must_live("pods", namespace, pod.get("name", ""), pod.get("uid", ""))
            extra += [(POD_NAME, (pod.get("name", ""),)), (POD_UID, (pod.get("uid", ""),))]
        return service_account_user(namespace, name, uid, tuple(extra))

    def _check_secret(self, claims: Claims, token: str) -> User:
        """A Secret must hold just this token, and its account be the one that it was made for."""
        said = {name: str(claims.get(f"{_OF_SECRETS}{name}", "")) for name in _SECRET_CLAIMS}
        namespace, account, uid = said["namespace"], said["service-account.name"], said["service-account.uid"]
        secret = self._lookup("secrets", namespace, said["secret.name"])
        if secret is None or "deletionTimestamp" in secret["metadata"]:
            raise BadToken(f"service account token has been invalidated: secret {said['secret.name']} is gone")
        if (secret.get("data") or {}).get("token") != base64.b64encode(token.encode()).decode():
            raise BadToken("token does not match server's copy")
        self._must_live("serviceaccounts", namespace, account, uid)
        return service_account_user(namespace, account, uid, ())

    def _must_live(self, resource: str, namespace: str, name: str, uid: str) -> None:
        found = self._lookup(resource, namespace, name)
        if found is None:
            raise BadToken(f"{resource} {namespace}/{name} has been deleted")
        if found["metadata"].get("uid") != uid:
            raise BadToken(f"{resource} {namespace}/{name} has been re-created since the token was made")
