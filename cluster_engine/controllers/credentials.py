"""One service account for each controller: what --use-service-account-credentials means.

Theory of operation. The controller-manager's certificate may do little; each controller has a service account of its
own in kube-system and a ClusterRole that names what it needs (`system:controller:<name>`). The manager makes the
account if it is missing, asks for a token (`POST serviceaccounts/<name>/token`), and asks again when 80 % of its life
is over.

    POST /api/v1/namespaces/kube-system/serviceaccounts                          201 (or 409: it is there)
    POST /api/v1/namespaces/kube-system/serviceaccounts/replicaset-controller/token   201 {status: {token, expiration…}}

Modelled on `staging/src/k8s.io/controller-manager/pkg/clientbuilder/client_builder_dynamic.go`. There the account is
looked up first (GET, then POST) and the token is asked for at the first request; here both happen before the
controllers start, so that a learner's first command is not mixed with them.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from cluster_engine.api import time
from cluster_engine.api.kinds import SERVICE_ACCOUNT, TOKEN_REQUEST
from cluster_engine.api.status import AlreadyExists, NotFound, Refusal
from cluster_engine.client import Client

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

NAMESPACE = "kube-system"
EXPIRATION_SECONDS = 3600
USED_SHARE_MAX = 0.8


class ServiceAccountToken:
    """The token of one account, fresh whenever asked."""

    def __init__(self, client: Client, process: "Process", name: str) -> None:
        self._client = client
        self._process = process
        self._name = name
        self._token = ""
        self._refresh_at = 0.0
        self._asking = asyncio.Lock()

    async def __call__(self) -> str:
        """Return a token that is valid; ask for another when this one is old."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._refresh_at:
            async with self._asking:
                if loop.time() >= self._refresh_at:
                    await self._ask()
        return self._token

    async def prepare(self) -> None:
        """Have a token before it is needed; trouble is left to the first request."""
        with contextlib.suppress(Refusal, ConnectionError, TimeoutError):
            await self()

    async def _ask(self) -> None:
        try:
            status = await self._request()
        except NotFound:
            await self._create()
            status = await self._request()
        left = time.parse(status["expirationTimestamp"]) - self._process.now()
        self._token = status["token"]
        self._refresh_at = asyncio.get_running_loop().time() + left.total_seconds() * USED_SHARE_MAX

    async def _request(self) -> dict[str, str]:
        request = {
            "kind": "TokenRequest",
            "apiVersion": TOKEN_REQUEST.api_version,
            "spec": {"expirationSeconds": EXPIRATION_SECONDS},
        }
        answer = await self._client.create(SERVICE_ACCOUNT, request, NAMESPACE, name=self._name, subresource="token")
        status: dict[str, str] = answer["status"]
        return status

    async def _create(self) -> None:
        metadata = {"name": self._name, "namespace": NAMESPACE}
        account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata}
        with contextlib.suppress(AlreadyExists):
            await self._client.create(SERVICE_ACCOUNT, account)
