"""Who calls a component's port, and may they: by client certificate or bearer token, asked of the API server.

A certificate must be of the cluster's CA; a token is asked about with a TokenReview, whose answer is remembered.
Whether somebody may do something the API server is asked with a SubjectAccessReview; a yes and a no are remembered for
so long as the component says.

    curl -k -H "Authorization: Bearer $TOKEN" https://10.0.0.11:10250/pods     TokenReview, SubjectAccessReview, 200
    the same again within two minutes                                          200, and nobody was asked

Modelled on apiserver/pkg/authentication/authenticatorfactory/delegating.go and authorizerfactory/delegating.go. Left
out: certificates of a front proxy.
"""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from cluster_engine.api.kinds import SUBJECT_ACCESS_REVIEW, TOKEN_REVIEW
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates
from cluster_engine.apiserver.serving.exchange import Request
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

REMEMBERED_MAX = 1024
BEARER = "Bearer "


class Memory(msgspec.Struct, frozen=True):
    """For how many seconds answers are remembered: of a token, that somebody may, that they may not."""

    token: float
    allowed: float
    denied: float


class Delegation:
    """Recognises callers and asks what they may. Made of the CA's certificate: ValueError when it cannot be used."""

    def __init__(self, process: "Process", client: Client, authority: bytes, memory: Memory, *, note: str) -> None:
        """`note` is the kind of the notes about what could not be found out."""
        self._process = process
        self._client = client
        self._certificates = ClientCertificates(authority)
        self._memory = memory
        self._note = note
        self._tokens: dict[bytes, tuple[User | None, float]] = {}
        self._decisions: dict[tuple[User, str], tuple[bool, str, float]] = {}

    def shows_nothing(self, request: Request) -> bool:
        """Return whether the caller says nothing of who they are."""
        return not request.peer.certificates and not request.header("authorization").startswith(BEARER)

    async def user(self, request: Request) -> User | None:
        """Tell who asks; None: nobody that is known."""
        if request.peer.certificates:
            try:
                return self._certificates.user(request.peer.certificates, self._process.now())
            except BadCertificate as error:
                self._process.note(self._note, f"unable to authenticate the request: {error}")
                return None
        said = request.header("authorization")
        return await self._owner(said.removeprefix(BEARER).strip()) if said.startswith(BEARER) else None

    async def _owner(self, token: str) -> User | None:
        key, now = sha256(token.encode()).digest(), asyncio.get_running_loop().time()
        user, until = self._tokens.get(key, (None, -1.0))
        if now < until:
            return user
        review = {"kind": "TokenReview", "apiVersion": TOKEN_REVIEW.api_version, "spec": {"token": token}}
        try:
            status = (await self._client.create(TOKEN_REVIEW, review))["status"]
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note(self._note, f"could not ask whose token that is: {error}")
            return None
        user = _user(status.get("user") or {}) if status.get("authenticated") else None
        if len(self._tokens) >= REMEMBERED_MAX:
            self._tokens.clear()
        self._tokens[key] = (user, now + self._memory.token)
        return user

    async def may(self, user: User, what: Object) -> tuple[bool, str]:
        """Return whether somebody may, and why; `what` are resourceAttributes or nonResourceAttributes, by name."""
        key, now = (user, repr(what)), asyncio.get_running_loop().time()
        allowed, reason, until = self._decisions.get(key, (False, "", -1.0))
        if now < until:
            return allowed, reason
        spec: Object = {"user": user.name, "groups": list(user.groups), **what}
        if user.extra:
            spec["extra"] = {name: list(values) for name, values in user.extra}
        review = {"kind": "SubjectAccessReview", "apiVersion": SUBJECT_ACCESS_REVIEW.api_version, "spec": spec}
        try:
            status = (await self._client.create(SUBJECT_ACCESS_REVIEW, review))["status"]
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note(self._note, f"could not ask whether {user.name} may: {error}")
            return False, ""
        allowed, reason = bool(status.get("allowed")), status.get("reason", "")
        if len(self._decisions) >= REMEMBERED_MAX:
            self._decisions.clear()
        self._decisions[key] = (allowed, reason, now + (self._memory.allowed if allowed else self._memory.denied))
        return allowed, reason


def _user(info: Object) -> User:
    extra = tuple((name, tuple(values)) for name, values in (info.get("extra") or {}).items())
    return User(info["username"], info.get("uid", ""), tuple(info.get("groups") or ()), extra)
