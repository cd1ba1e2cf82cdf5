"""The fault of a bootstrap token that has expired: whoever shows it is nobody, and what it signed is no longer signed.

An administrator dates the token's end back, by an ordinary request; all else follows from it as after 24 hours. The
controllers delete the Secret and take its signature out of `cluster-info`, so a machine that wants to join finds
nothing that it could trust, and one that is in the middle of it gets 401. Healing gives the Secret back as it was.

    BootstrapTokenExpired(target="abcdef")     kubeadm join … --token abcdef.…: no JWS signature for token ID "abcdef"
"""

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from cluster_engine.api import bootstrap_tokens, time
from cluster_engine.cast import CONTROL_PLANE
from cluster_engine.faults.ground import Ground
from cluster_engine.faults.permissions import KUBECTL, REGISTRY, bare, insist
from cluster_engine.faults.record import Fault, FaultError, Heal, Text, bounded

ALL = "all"
SECRETS = f"{REGISTRY}/secrets/{bootstrap_tokens.NAMESPACE}/"
AGO = timedelta(hours=1)
NAMESPACE = f"-n {bootstrap_tokens.NAMESPACE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapTokenExpired(Fault):
    """`target` is a token's id, what stands before the dot; or "all" that there are now."""

    name: ClassVar[str] = "bootstrap-token-expired"

    target: str = field(default=ALL, metadata=bounded(Text(bootstrap_tokens.ID_LENGTH)))

    def claims(self) -> str:
        """Taken and given back by one."""
        return "the bootstrap tokens"

    def check(self, ground: Ground) -> None:
        """Raise FaultError also when there is no such token."""
        Fault.check(self, ground)
        self._secrets(ground)

    async def begin(self, ground: Ground, id_: str) -> Heal:
        """Let the tokens have expired an hour ago."""
        secrets = self._secrets(ground)
        data = {"expiration": base64.b64encode(time.rfc3339(ground.world.now() - AGO).encode()).decode()}
        patch = msgspec.json.encode({"data": data}).decode()
        for secret in secrets:
            name = secret["metadata"]["name"]
            await insist(ground, f"{KUBECTL} patch secret {name} {NAMESPACE} --type=merge -p '{patch}'", "NotFound")
        path = f"/root/{id_}.json"
        again = {"kind": "List", "apiVersion": "v1", "items": [bare(secret) for secret in secrets]}
        ground.world.host(CONTROL_PLANE).files.write(path, msgspec.json.encode(again))

        async def give_back() -> None:
            await insist(ground, f"{KUBECTL} delete -f {path} --ignore-not-found", "NotFound")
            await insist(ground, f"{KUBECTL} create -f {path}", "AlreadyExists")

        return give_back

    def _secrets(self, ground: Ground) -> list[dict[str, Any]]:
        tokens = {
            bootstrap_tokens.value(secret, "token-id"): secret
            for secret in ground.objects(SECRETS)
            if bootstrap_tokens.is_token_secret(secret)
        }
        if not tokens:
            raise FaultError("there are no bootstrap tokens; `kubeadm token create` on the control plane makes one")
        if self.target != ALL and self.target not in tokens:
            raise FaultError(f"there is no bootstrap token {self.target}; there are {', '.join(tokens)}")
        return [secret for id_, secret in tokens.items() if self.target in (ALL, id_)]
