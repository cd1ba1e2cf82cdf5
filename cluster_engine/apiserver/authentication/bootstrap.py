"""Bootstrap tokens as bearer tokens, beside those of service accounts.

    Authorization: Bearer abcdef.0123456789abcdef   ──►   User("system:bootstrap:abcdef", ("system:bootstrappers", …))

The Secret must be there, of the right type, with that secret and that id, not expired and meant for authentication. The
client learns nothing of why it is refused; the log does. Modelled on
plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go.
"""

import hmac
from datetime import datetime

from cluster_engine.api import bootstrap_tokens
from cluster_engine.apiserver.authentication.tokens import BadToken, Lookup, ServiceAccountTokens
from cluster_engine.apiserver.authentication.users import User, authenticated


class BearerTokens:
    """Recognises whose a bearer token is, whatever kind of token."""

    def __init__(self, service_accounts: ServiceAccountTokens, lookup: Lookup) -> None:
        self._service_accounts = service_accounts
        self._lookup = lookup

    def user(self, token: str, now: datetime) -> User:
        """Tell whose token this is. Raises BadToken."""
        parts = bootstrap_tokens.parse(token)
        return self._service_accounts.user(token, now) if parts is None else self._bootstrapper(*parts, now)

    def _bootstrapper(self, id_: str, secret: str, now: datetime) -> User:
        name = f"{bootstrap_tokens.SECRET_PREFIX}{id_}"
        found = self._lookup("secrets", bootstrap_tokens.NAMESPACE, name)
        if found is None:
            raise BadToken(f"No secret of name {name} to match bootstrap bearer token")
        about = f"Bootstrap secret {bootstrap_tokens.NAMESPACE}/{name} matching bearer token"
        if "deletionTimestamp" in found["metadata"]:
            raise BadToken(f"{about} is deleted and awaiting removal")
        if not bootstrap_tokens.is_token_secret(found):
            raise BadToken(f"{about} has invalid type, expected {bootstrap_tokens.TYPE}.")
        if not hmac.compare_digest(bootstrap_tokens.value(found, "token-secret").encode(), secret.encode()):
            raise BadToken(f"{about} has invalid value for key token-secret.")
        if bootstrap_tokens.value(found, "token-id") != id_:
            raise BadToken(f"{about} has invalid value for key token-id, expected {id_}.")
        left = bootstrap_tokens.seconds_left(found, now)
        if left is not None and left <= 0:
            raise BadToken(f"{about} has expired.")
        if bootstrap_tokens.value(found, f"{bootstrap_tokens.USAGE_PREFIX}authentication") != "true":
            raise BadToken(f"{about} not marked usage-bootstrap-authentication=true.")
        try:
            groups = bootstrap_tokens.groups(found)
        except ValueError as problem:
            raise BadToken(f"{about} has invalid value for key auth-extra-groups: {problem}.") from problem
        return authenticated(f"{bootstrap_tokens.USER_PREFIX}{id_}", groups=groups)
