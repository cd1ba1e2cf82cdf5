"""Who calls a kubelet's port, and may they: by client certificate or bearer token, asked of the API server.

Nobody is anonymous here: who shows neither gets 401. A certificate must be of the cluster's CA; a token is asked about
with a TokenReview, whose answer is remembered for TOKEN_SECONDS. Whoever it is must be allowed to by the API server:
the kubelet asks it with a SubjectAccessReview whether that user may `get` (or `create`) the subresource `nodes/proxy`
of this node, and remembers a yes for 5 minutes, a no for 30 seconds.

    curl -k https://10.0.0.11:10250/pods                                    401 Unauthorized
    curl -k -H "Authorization: Bearer $TOKEN" https://10.0.0.11:10250/pods    403 until that account may get nodes/proxy

Modelled on pkg/kubelet/server/auth.go and cmd/kubelet/app/auth.go, with the settings that kubeadm writes.
"""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from cluster_engine.api.kinds import SUBJECT_ACCESS_REVIEW, TOKEN_REVIEW
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Refusal
from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.authentication.x509 import BadCertificate, ClientCertificates
from cluster_engine.apiserver.serving.exchange import Request
from cluster_engine.client.rest import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

TOKEN_SECONDS = 120.0
ALLOW_SECONDS, DENY_SECONDS = 300.0, 30.0
REMEMBERED_MAX = 1024
SUBRESOURCES = {"logs": "log", "stats": "stats", "metrics": "metrics", "checkpoint": "checkpoint"}
"""By the first part of a path; all others are `proxy`."""
BEARER = "Bearer "


class Callers:
    """Recognises callers and asks what they may. Made of the CA's certificate: ValueError when it cannot be used."""

    def __init__(self, process: "Process", client: Client, authority: bytes) -> None:
        self._process = process
        self._client = client
        self._certificates = ClientCertificates(authority)
        self._tokens: dict[bytes, tuple[User | None, float]] = {}
        self._decisions: dict[tuple[User, str, str], tuple[bool, float]] = {}

    async def user(self, request: Request) -> User | None:
        """Tell who asks; None: nobody that is known."""
        if request.peer.certificates:
            try:
                return self._certificates.user(request.peer.certificates, self._process.now())
            except BadCertificate as error:
                self._process.note("kubelet.server", f"unable to authenticate the request: {error}")
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
            self._process.note("kubelet.server", f"could not ask whose token that is: {error}")
            return None
        user = _user(status.get("user") or {}) if status.get("authenticated") else None
        if len(self._tokens) >= REMEMBERED_MAX:
            self._tokens.clear()
        self._tokens[key] = (user, now + TOKEN_SECONDS)
        return user

    async def refusal(self, user: User, request: Request) -> str:
        """Say why somebody may not ask this, "" if they may."""
        subresource = SUBRESOURCES.get(request.path.split("/")[1], "proxy")
        verb = "get" if request.method in ("GET", "HEAD") else "create"
        if await self._may(user, verb, subresource):
            return ""
        node = self._process.host.name
        return f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource={subresource}, name={node})"

    async def _may(self, user: User, verb: str, subresource: str) -> bool:
        key, now = (user, verb, subresource), asyncio.get_running_loop().time()
        allowed, until = self._decisions.get(key, (False, -1.0))
        if now < until:
            return allowed
        attributes = {
            "verb": verb,
            "version": "v1",
            "resource": "nodes",
            "subresource": subresource,
            "name": self._process.host.name,
        }
        spec: Object = {"user": user.name, "groups": list(user.groups), "resourceAttributes": attributes}
        if user.extra:
            spec["extra"] = {name: list(values) for name, values in user.extra}
        review = {"kind": "SubjectAccessReview", "apiVersion": SUBJECT_ACCESS_REVIEW.api_version, "spec": spec}
        try:
            answer = await self._client.create(SUBJECT_ACCESS_REVIEW, review)
        except (Refusal, ConnectionError, TimeoutError) as error:
            self._process.note("kubelet.server", f"could not ask whether {user.name} may: {error}")
            return False
        allowed = bool(answer["status"].get("allowed"))
        if len(self._decisions) >= REMEMBERED_MAX:
            self._decisions.clear()
        self._decisions[key] = (allowed, now + (ALLOW_SECONDS if allowed else DENY_SECONDS))
        return allowed


def _user(info: Object) -> User:
    extra = tuple((name, tuple(values)) for name, values in (info.get("extra") or {}).items())
    return User(info["username"], info.get("uid", ""), tuple(info.get("groups") or ()), extra)
