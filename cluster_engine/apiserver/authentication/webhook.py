"""Tokens that somebody else's server knows: each asked about with a TokenReview, each answer remembered for a while.

    Authorization: Bearer abc      POST … {spec: {token: abc}} → {authenticated: true, user: {username: jane}}
    the same within two minutes    nobody is asked

Asked about is what no other authenticator takes. Modelled on apiserver/plugin/pkg/authenticator/token/webhook (v1.32).
Left out: audiences.
"""

import asyncio
from hashlib import sha256

from cluster_engine.apiserver.authentication.users import User, authenticated
from cluster_engine.apiserver.webhooks import REMEMBERED_MAX, Webhook, WebhookError
from cluster_engine.world.process import Process


class WebhookTokens:
    """Asks a webhook whose tokens are. `api_version` is v1 or v1beta1; answers hold for so many seconds."""

    def __init__(self, process: Process, webhook: Webhook, api_version: str, seconds: float) -> None:
        self._process = process
        self._webhook = webhook
        self._version = api_version
        self._seconds = seconds
        self._known: dict[bytes, tuple[User | None, float]] = {}

    def user(self, token: str) -> User | None:
        """Tell whose a token is, as far as that was asked; None: nobody's that is known."""
        user, until = self._known.get(sha256(token.encode()).digest(), (None, -1.0))
        return user if asyncio.get_running_loop().time() <= until else None

    async def prepare(self, token: str) -> None:
        """Ask, unless the answer is known still."""
        key, now = sha256(token.encode()).digest(), asyncio.get_running_loop().time()
        if now < self._known.get(key, (None, -1.0))[1]:
            return
        try:
            status = await self._webhook.review(
                "TokenReview", f"authentication.k8s.io/{self._version}", {"token": token}
            )
        except WebhookError as error:
            self._process.note("apiserver.webhook", f"Failed to make webhook authenticator request: {error}")
            return
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[key] = (_user(status), asyncio.get_running_loop().time() + self._seconds)


def _user(status: dict[str, object]) -> User | None:
    said = status.get("user")
    if status.get("authenticated") is not True or not isinstance(said, dict) or not said.get("username"):
        return None
    groups, extra = said.get("groups") or [], said.get("extra") or {}
    return authenticated(
        str(said["username"]),
        uid=str(said.get("uid") or ""),
        groups=tuple(map(str, groups)) if isinstance(groups, list) else (),
        extra=tuple((str(key), tuple(map(str, values))) for key, values in extra.items() if isinstance(values, list))
        if isinstance(extra, dict)
        else (),
    )
