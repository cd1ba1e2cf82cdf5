"""Who a client says it is, by what it shows on the wire: the certificate of its connection, or a token with a request.

    user_of(reader, request)   -> "system:kube-scheduler"
    claims("eyJh….eyJz….…")    -> {"sub": "system:serviceaccount:default:builder", "exp": 1764348815, …}

A token is read, never shown, and not verified: whether the API server believed it is told by its answer.
"""

import base64
import binascii

import msgspec

from cluster_engine.api.objects import Object
from cluster_engine.journal import Entry
from cluster_engine.state.reading import Reader

BEARER = "bearer "
TOKEN_BYTES_MAX = 64 * 1024


def user_of(reader: Reader, request: Entry) -> str | None:
    """Say who makes a request, None where it does not show it."""
    subject = request["fields"].get("certificate", "")
    if subject:
        return common_name(subject)
    shown = token_claims(reader, request["seq"])
    return str(shown["sub"]) if shown and "sub" in shown else None


def common_name(subject: str) -> str:
    """Return the common name of a subject: "CN=system:node:a,O=system:nodes" is system:node:a."""
    parts = dict(part.partition("=")[::2] for part in subject.split(","))
    return parts.get("CN", subject)


def token_claims(reader: Reader, seq: int) -> Object | None:
    """Return what the token of a request claims, None when it brings none that says anything."""
    evidence = reader.evidence(seq)
    for name, value in evidence.headers if evidence is not None else ():
        if name == "authorization" and value[: len(BEARER)].lower() == BEARER:
            return claims(value[len(BEARER) :].strip())
    return None


def claims(token: str) -> Object | None:
    """Read the claims of a JSON Web Token, None when it is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > TOKEN_BYTES_MAX:
        return None
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return None
    return found if isinstance(found, dict) else None
