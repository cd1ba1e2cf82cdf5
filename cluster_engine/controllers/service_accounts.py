"""The service-account controller: every namespace has an account named `default`.

Pods that name no account run as `default`, so it must be there before the first of them; it is made when a namespace
appears and made again when somebody deletes it.

    namespace shop appears → POST /api/v1/namespaces/shop/serviceaccounts {"metadata": {"name": "default"}}

Modelled on `pkg/controller/serviceaccount/serviceaccounts_controller.go`. No Secret is made: since 1.24 tokens are
asked for (TokenRequest).
"""

import contextlib

from cluster_engine.api.kinds import NAMESPACE, SERVICE_ACCOUNT
from cluster_engine.api.objects import Object
from cluster_engine.api.status import AlreadyExists, Forbidden, NotFound
from cluster_engine.client import WorkQueue
from cluster_engine.controllers.context import Context
from cluster_engine.controllers.ownership import is_deleting

ACCOUNT = "default"


class ServiceAccountController:
    """Keeps the account `default` in every living namespace."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._namespaces = context.informers.informer(NAMESPACE)
        self._accounts = context.informers.informer(SERVICE_ACCOUNT)
        self._queue = WorkQueue[str]("serviceaccount")
        self._namespaces.on(add=self._namespace_seen, update=lambda _, new: self._namespace_seen(new))
        self._accounts.on(delete=self._account_gone)

    def _namespace_seen(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        if self._accounts.get(f"{name}/{ACCOUNT}") is None:
            self._queue.add(name)

    def _account_gone(self, account: Object) -> None:
        if account["metadata"]["name"] == ACCOUNT:
            self._queue.add(account["metadata"]["namespace"])

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    async def _sync(self, name: str) -> None:
        namespace = self._namespaces.get(name)
        if namespace is None or is_deleting(namespace) or self._accounts.get(f"{name}/{ACCOUNT}") is not None:
            return
        account = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": ACCOUNT, "namespace": name}}
        with contextlib.suppress(AlreadyExists, NotFound, Forbidden):  # Forbidden: the namespace has begun to end
            await self._client.create(SERVICE_ACCOUNT, account)
