"""The tokens controller: Secrets of type kubernetes.io/service-account-token are filled in.

Theory of operation. Since 1.24 nobody makes such Secrets but people. One that names an account which exists gets that
account's token, the cluster's certificate and its namespace; one whose account is gone is deleted. It works as the
controller-manager itself, for it is what gives the other controllers their accounts; and it signs with the key whose
public half the API server knows.

    POST secrets {annotations: {kubernetes.io/service-account.name: ci}}   →   PUT secrets/… {token, ca.crt, namespace}
    DELETE serviceaccounts/ci                                              →   DELETE secrets/…

Modelled on `pkg/controller/serviceaccount/tokens_controller.go`.
"""

import base64
import contextlib

from cluster_engine.api.kinds import SECRET, SERVICE_ACCOUNT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict, NotFound
from cluster_engine.apiserver.authentication.tokens import Signer, claims_of_secret
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.root_ca import ROOT_CA_FILE

KEY_FILE = "/etc/kubernetes/pki/sa.key"
TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME, ACCOUNT_UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class TokenSecretController:
    """Fills in token Secrets, and deletes those whose account is gone."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._files = context.process.files
        self._secrets = context.informers.informer(SECRET)
        self._accounts = context.informers.informer(SERVICE_ACCOUNT)
        self._queue = WorkQueue[str]("serviceaccount_tokens_secret")
        self._secrets.on(add=self._seen, update=lambda _, new: self._seen(new))
        self._accounts.on(add=self._account_seen, delete=self._account_seen)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync, workers=5)

    def _seen(self, secret: Object) -> None:
        if secret.get("type") == TYPE:
            self._queue.add(key_of(secret))

    def _account_seen(self, account: Object) -> None:
        for secret in self._secrets.items():
            if secret.get("type") == TYPE and secret["metadata"]["namespace"] == account["metadata"]["namespace"]:
                self._queue.add(key_of(secret))

    async def _sync(self, key: str) -> None:
        secret = self._secrets.get(key)
        if secret is None:
            return
        metadata = secret["metadata"]
        annotations = metadata.get("annotations") or {}
        name, uid = annotations.get(ACCOUNT_NAME, ""), annotations.get(ACCOUNT_UID, "")
        with contextlib.suppress(NotFound, Conflict):
            account = await self._account(metadata["namespace"], name)
            if account is None or uid not in ("", account["metadata"]["uid"]):
                options = {"preconditions": {"uid": metadata["uid"]}}
                await self._client.delete(SECRET, metadata["name"], metadata["namespace"], options=options)
                return
            filled = self._filled(secret, account)
            if filled != secret:
                await self._client.update(SECRET, filled)

    async def _account(self, namespace: str, name: str) -> Object | None:
        """Find an account; the server is asked before it is taken to be gone."""
        known = self._accounts.get(f"{namespace}/{name}")
        if known is not None:
            return known
        try:
            return await self._client.get(SERVICE_ACCOUNT, name, namespace)
        except NotFound:
            return None

    def _filled(self, secret: Object, account: Object) -> Object:
        metadata, owner = secret["metadata"], account["metadata"]
        data = dict(secret.get("data") or {})
        data["ca.crt"] = base64.b64encode(self._files.read(ROOT_CA_FILE)).decode()
        data.setdefault("namespace", base64.b64encode(metadata["namespace"].encode()).decode())
        if not data.get("token"):
            claims = claims_of_secret(metadata["namespace"], metadata["name"], owner["name"], owner["uid"])
            data["token"] = base64.b64encode(Signer(self._files.read(KEY_FILE)).sign(claims).encode()).decode()
        said = {**(metadata.get("annotations") or {}), ACCOUNT_NAME: owner["name"], ACCOUNT_UID: owner["uid"]}
        return {**secret, "metadata": {**metadata, "annotations": said}, "data": data}
