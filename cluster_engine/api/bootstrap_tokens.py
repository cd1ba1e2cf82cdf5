"""Bootstrap tokens: what a machine shows that is no node yet, and by which it knows whom it talks to.

Theory of operation. A token is `id.secret`, and lies in the Secret `kube-system/bootstrap-token-<id>`. It serves two
ends. Who shows it is `system:bootstrap:<id>`, which may do little more than ask for a certificate. And what newcomers
read before they trust anybody, the ConfigMap `kube-public/cluster-info`, is signed with it: who has the token can check
that it was written by somebody who has it too (HMAC-SHA256, RFC 7515 with detached content).

    >>> parse("abcdef.0123456789abcdef")
    ('abcdef', '0123456789abcdef')
    >>> said = "Hello from the other side. I must have called a thousand times."
    >>> signature(said, "joshua", "my voice is my passcode")
    'eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8'

Modelled on k8s.io/cluster-bootstrap (token/api, token/jws, token/util, util/secrets).
"""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import TypeGuard

import msgspec

from cluster_engine.api import time
from cluster_engine.api.objects import Object

NAMESPACE = "kube-system"
TYPE = "bootstrap.kubernetes.io/token"
SECRET_PREFIX = "bootstrap-token-"
USER_PREFIX = "system:bootstrap:"
GROUP, GROUP_PREFIX = "system:bootstrappers", "system:bootstrappers:"
NODE_GROUP = "system:bootstrappers:kubeadm:default-node-token"
USAGE_PREFIX = "usage-bootstrap-"
USAGES = ("signing", "authentication")
SIGNATURE_PREFIX = "jws-kubeconfig-"
TOKEN_PATTERN, ID_PATTERN = r"\A([a-z0-9]{6})\.([a-z0-9]{16})\z", r"\A([a-z0-9]{6})\z"
ID_LENGTH, SECRET_LENGTH = 6, 16
GROUP_LENGTH_MAX = 253
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def is_id(text: str) -> bool:
    """Return whether this is a token's id."""
    return len(text) == ID_LENGTH and _LETTERS.issuperset(text)


def parse(token: str) -> tuple[str, str] | None:
    """Take a token apart into its id and its secret; None for what is no token."""
    id_, dot, secret = token.partition(".")
    is_token = dot and is_id(id_) and len(secret) == SECRET_LENGTH and _LETTERS.issuperset(secret)
    return (id_, secret) if is_token else None


def is_token_secret(secret: Object) -> TypeGuard[Object]:
    """Return whether a Secret is one that bootstrap tokens lie in."""
    return secret.get("type") == TYPE and secret["metadata"].get("namespace") == NAMESPACE


def value(secret: Object, key: str) -> str:
    """Return one of the values of a Secret as text; "" for what it has not."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "").decode()
    except ValueError:
        return ""


def seconds_left(secret: Object, now: datetime) -> float | None:
    """Return for how long a token holds; None: for ever. 0 or less: it has expired, as one whose end cannot be read."""
    end = value(secret, "expiration")
    if not end:
        return None
    try:
        return (time.parse(end) - now).total_seconds()
    except ValueError:
        return 0.0


def groups(secret: Object) -> tuple[str, ...]:
    """Return the groups of who shows a token. ValueError for a group that may not be one."""
    found = {GROUP}
    for each in filter(None, value(secret, "auth-extra-groups").split(",")):
        if problem := group_problem(each):
            raise ValueError(problem)
        found.add(each)
    return tuple(sorted(found))


def group_problem(group: str) -> str:
    """Say why a group may not be a token's, "" when it may (ValidateBootstrapGroupName)."""
    rest = group.removeprefix(GROUP_PREFIX)
    allowed = _LETTERS | {"-", ":"}
    fits = rest and allowed.issuperset(rest) and rest[0] in _LETTERS and rest[-1] in _LETTERS
    if group.startswith(GROUP_PREFIX) and fits and len(group) <= GROUP_LENGTH_MAX:
        return ""
    return f'bootstrap group "{group}" is invalid (must match \\Asystem:bootstrappers:[a-z0-9:-]{{0,255}}[a-z0-9]\\z)'


def signature(content: str, id_: str, secret: str) -> str:
    """Sign a text with a token: a JSON Web Signature in its compact form, without the text."""
    header = _base64(msgspec.json.encode({"alg": "HS256", "kid": id_}))
    signed = f"{header}.{_base64(content.encode())}"
    return f"{header}..{_base64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
