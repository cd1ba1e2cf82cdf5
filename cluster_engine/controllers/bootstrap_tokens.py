"""Bootstrap tokens at the control plane: `cluster-info` is signed with each of them, and old ones are deleted.

    Secret bootstrap-token-abcdef comes, for signing   PUT kube-public/cluster-info {jws-kubeconfig-abcdef: eyJ…}
    it expires                                         DELETE it; PUT cluster-info, without that signature

What both look at are Secrets of type bootstrap.kubernetes.io/token in kube-system. Modelled on pkg/controller/bootstrap
(bootstrapsigner.go, tokencleaner.go). There they have informers of their own for that namespace; here they share those
that other controllers follow.
"""

import contextlib

from cluster_engine.api import bootstrap_tokens
from cluster_engine.api.bootstrap_tokens import SIGNATURE_PREFIX, is_token_secret, value
from cluster_engine.api.kinds import CONFIG_MAP, SECRET
from cluster_engine.api.objects import Object
from cluster_engine.api.status import Conflict, NotFound
from cluster_engine.client import WorkQueue, key_of
from cluster_engine.controllers.context import Context

CLUSTER_INFO = "kube-public/cluster-info"


class BootstrapSigner:
    """Keeps the signatures in cluster-info: one for each token that is for signing."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._process = context.process
        self._secrets = context.informers.informer(SECRET)
        self._maps = context.informers.informer(CONFIG_MAP)
        self._queue = WorkQueue[str]("bootstrap_signer_queue")
        self._secrets.on(add=self._secret_seen, update=lambda _, new: self._secret_seen(new), delete=self._secret_seen)
        self._maps.on(add=self._map_seen, update=lambda _, new: self._map_seen(new))

    def _secret_seen(self, secret: Object) -> None:
        if is_token_secret(secret):
            self._queue.add(CLUSTER_INFO)

    def _map_seen(self, config_map: Object) -> None:
        if key_of(config_map) == CLUSTER_INFO:
            self._queue.add(CLUSTER_INFO)

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    async def _sync(self, key: str) -> None:
        info = self._maps.get(key)
        content = ((info or {}).get("data") or {}).get("kubeconfig")
        if info is None or content is None:
            return
        data = {name: text for name, text in info["data"].items() if not name.startswith(SIGNATURE_PREFIX)}
        for id_, secret in self._tokens():
            data[f"{SIGNATURE_PREFIX}{id_}"] = bootstrap_tokens.signature(content, id_, secret)
        if data != info["data"]:
            with contextlib.suppress(Conflict, NotFound):  # what is newer is on its way
                await self._client.update(CONFIG_MAP, {**info, "data": data})

    def _tokens(self) -> list[tuple[str, str]]:
        """Return the tokens to sign with."""
        found = []
        for secret in filter(is_token_secret, self._secrets.items()):
            id_, text = value(secret, "token-id"), value(secret, "token-secret")
            left = bootstrap_tokens.seconds_left(secret, self._process.now())
            named = secret["metadata"]["name"] == f"{bootstrap_tokens.SECRET_PREFIX}{id_}"
            signs = value(secret, f"{bootstrap_tokens.USAGE_PREFIX}signing") == "true"
            if id_ and text and named and signs and (left is None or left > 0):
                found.append((id_, text))
        return found


class TokenCleaner:
    """Deletes tokens that have expired."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._process = context.process
        self._secrets = context.informers.informer(SECRET)
        self._queue = WorkQueue[str]("token_cleaner")
        self._secrets.on(add=self._seen, update=lambda _, new: self._seen(new))

    def _seen(self, secret: Object) -> None:
        if is_token_secret(secret):
            self._queue.add(key_of(secret))

    async def run(self) -> None:
        """Work for ever."""
        await self._queue.run(self._sync)

    async def _sync(self, key: str) -> None:
        secret = self._secrets.get(key)
        left = None if secret is None else bootstrap_tokens.seconds_left(secret, self._process.now())
        if secret is None or left is None:
            return
        if left > 0:
            self._queue.add_after(key, left)
            return
        metadata = secret["metadata"]
        options = {"preconditions": {"uid": metadata["uid"]}}
        with contextlib.suppress(Conflict, NotFound):
            await self._client.delete(SECRET, metadata["name"], metadata["namespace"], options=options)
