"""What whoever is shown a service account's token needs to check it: who issues them, and with which keys.

    GET /.well-known/openid-configuration     {"issuer": "https://kubernetes.default.svc.cluster.local", "jwks_uri": …}
    GET /openid/v1/jwks                       {"keys": [{"kty": "EC", "crv": "P-256", "kid": …, "x": …, "y": …}]}

A token names its key by `kid`. RBAC lets service accounts read both, through system:service-account-issuer-discovery.

Modelled on pkg/serviceaccount/openidmetadata.go and pkg/routes/openidmetadata.go.
"""

import base64

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from cluster_engine.apiserver.authentication.tokens import ALGORITHM, COORDINATE_BYTES, Signer, key_id
from cluster_engine.apiserver.serving.exchange import Response

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"
CACHED = (("cache-control", "public, max-age=3600"),)


def issuer_responses(signer: Signer, address: str) -> dict[str, Response]:
    """Make the answers, by path; `address` is host and port at which the server is reached."""
    configuration = {
        "issuer": signer.issuer,
        "jwks_uri": f"https://{address}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }
    keys = {"keys": [_key(signer.public_key)]}
    return {
        CONFIGURATION: Response(200, "application/json", msgspec.json.encode(configuration), CACHED),
        KEYS: Response(200, "application/jwk-set+json", msgspec.json.encode(keys), CACHED),
    }


def _key(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    point = key.public_numbers()
    named = {"use": "sig", "kty": "EC", "kid": key_id(key), "crv": "P-256", "alg": ALGORITHM}
    return named | {"x": _coordinate(point.x), "y": _coordinate(point.y)}


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES, "big")).rstrip(b"=").decode()
