"""Who sends this request: certificate, token, or anonymous; and on whose behalf.

    Authorization: Bearer eyJ…        a service account, or 401; Bearer abcdef.012…: a bootstrap token's bearer
    a client certificate              its subject, or 401 when the chain does not hold
    X-Remote-User: jane               jane, if the certificate is a front proxy's (`request_headers`)
    neither                           system:anonymous
    Impersonate-User: jane            the above must be allowed to `impersonate` jane; from here on it is jane

A certificate is checked once for a connection, and again when its time is over. When it fails and there is a token, the
token decides, as in the real union of authenticators: the first success wins, and only if there is none does a failure
count.

Modelled on apiserver/pkg/endpoints/filters/{authentication,impersonation}.go. Left out: OIDC, webhooks.
"""

import contextlib
from datetime import datetime

from cluster_engine.api.status import Forbidden, Refusal, Unauthorized
from cluster_engine.apiserver.authentication.bootstrap import BearerTokens
from cluster_engine.apiserver.authentication.request_headers import FrontProxies
from cluster_engine.apiserver.authentication.tokens import BadToken
from cluster_engine.apiserver.authentication.users import (
    ANONYMOUS,
    NOBODY,
    SERVICE_ACCOUNT_PREFIX,
    Extra,
    User,
    authenticated,
    service_account_user,
)
from cluster_engine.apiserver.authentication.webhook import WebhookTokens
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates, Identity
from cluster_engine.apiserver.authorization.attributes import Attributes, Chain, refusal_text
from cluster_engine.apiserver.serving.exchange import Request

EXTRA_PREFIX = "impersonate-extra-"


class Authentication:
    """The authenticators of one API server."""

    def __init__(
        self,
        certificates: ClientCertificates,
        tokens: BearerTokens,
        front_proxies: FrontProxies | None = None,
        *,
        elsewhere: WebhookTokens | None = None,
    ) -> None:
        """`elsewhere` is who knows tokens that nobody here knows."""
        self._certificates = certificates
        self._tokens = tokens
        self._front_proxies = front_proxies
        self._elsewhere = elsewhere

    async def prepare(self, request: Request, now: datetime) -> None:
        """Have `user` know what somebody elsewhere must be asked for first."""
        token = _bearer(request)
        if self._elsewhere is None or not token:
            return
        try:
            self._tokens.user(token, now)
        except BadToken:
            await self._elsewhere.prepare(token)

    def user(self, request: Request, now: datetime) -> User:
        """Tell who asks. Unauthorized, caused by what was wrong."""
        problem: Exception | None = None
        if request.peer.certificates:
            with contextlib.suppress(BadCertificate):  # then these headers are nobody's word
                if self._front_proxies is not None and (told := self._front_proxies.user(request, now)) is not None:
                    return told
            try:
                return self._by_certificate(request, now)
            except BadCertificate as bad:
                problem = bad
        if token := _bearer(request):
            try:
                return self._tokens.user(token, now)
            except BadToken as bad:
                problem = bad
            if self._elsewhere is not None and (user := self._elsewhere.user(token)) is not None:
                return user
        if problem is not None:
            raise Unauthorized() from problem
        return NOBODY

    def _by_certificate(self, request: Request, now: datetime) -> User:
        memory = request.peer.memory
        known: Identity | None = memory.get("x509")
        if known is None or not known.valid_from <= now <= known.valid_until:
            known = memory["x509"] = self._certificates.identity(request.peer.certificates, now)
        return known.user


def _bearer(request: Request) -> str:
    """Return the bearer token that a request shows, "" where it shows none."""
    scheme, _, token = request.header("authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def impersonated(request: Request, user: User, authorizer: Chain) -> User:
    """Return the user that the request is to be served as: `user`, or whoever the Impersonate headers name."""
    headers = request.headers
    name = request.header("impersonate-user")
    wants_more = any(key in ("impersonate-group", "impersonate-uid") or key.startswith(EXTRA_PREFIX) for key in headers)
    if not name:
        if wants_more:
            text = "requested impersonation without impersonating a user"
            raise Refusal(f"Internal error occurred: {text}", code=500, reason="InternalError")
        return user
    groups = headers.get("impersonate-group", ())
    uid = request.header("impersonate-uid")
    extra = tuple((key.removeprefix(EXTRA_PREFIX), headers[key]) for key in headers if key.startswith(EXTRA_PREFIX))
    for attributes in _impersonations(user, name, uid, groups, extra):
        decision = await authorizer.ask(attributes)
        if not decision.allowed:
            raise Forbidden(refusal_text(attributes, decision.reason))
    if name.startswith(SERVICE_ACCOUNT_PREFIX) and not groups:
        namespace, _, account = name.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
        return service_account_user(namespace, account, uid, extra)
    if name == ANONYMOUS:
        return User(name, uid, groups or NOBODY.groups, extra)
    return authenticated(name, uid=uid, groups=groups, extra=extra)


def _impersonations(user: User, name: str, uid: str, groups: tuple[str, ...], extra: Extra) -> list[Attributes]:
    asked = []
    if name.startswith(SERVICE_ACCOUNT_PREFIX):
        namespace, _, account = name.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
        asked.append(Attributes(user, "impersonate", resource="serviceaccounts", namespace=namespace, name=account))
    else:
        asked.append(Attributes(user, "impersonate", resource="users", name=name))
    asked += [Attributes(user, "impersonate", resource="groups", name=group) for group in groups]
    group = "authentication.k8s.io"
    if uid:
        asked.append(Attributes(user, "impersonate", group=group, resource="uids", name=uid))
    for key, values in extra:
        asked += [
            Attributes(user, "impersonate", group=group, resource="userextras", subresource=key, name=value)
            for value in values
        ]
    return asked
