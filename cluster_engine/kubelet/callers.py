"""Who calls a kubelet's port, and may they: recognised and asked about as `secure_port.delegation` says.

Nobody is anonymous here: who shows neither certificate nor token gets 401. Whoever it is must be allowed to `get` (or
`create`) the subresource `nodes/proxy` of this node; an answer is remembered, a yes for 5 minutes, a no for 30 seconds.

    curl -k https://10.0.0.11:10250/pods                                    401 Unauthorized
    curl -k -H "Authorization: Bearer $TOKEN" https://10.0.0.11:10250/pods    403 until that account may get nodes/proxy

Modelled on pkg/kubelet/server/auth.go and cmd/kubelet/app/auth.go, with the settings that kubeadm writes.
"""

from typing import TYPE_CHECKING

from cluster_engine.apiserver.authentication.users import User
from cluster_engine.apiserver.serving.exchange import Request
from cluster_engine.client.rest import Client
from cluster_engine.secure_port.delegation import Delegation, Memory

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

MEMORY = Memory(token=120.0, allowed=300.0, denied=30.0)
SUBRESOURCES = {"logs": "log", "stats": "stats", "metrics": "metrics", "checkpoint": "checkpoint"}
"""By the first part of a path; all others are `proxy`."""


class Callers:
    """Recognises callers and asks what they may. Made of the CA's certificate: ValueError when it cannot be used."""

    def __init__(self, process: "Process", client: Client, authority: bytes) -> None:
        self._node = process.host.hostname
        self._delegation = Delegation(process, client, authority, MEMORY, note="kubelet.server")

    async def user(self, request: Request) -> User | None:
        """Tell who asks; None: nobody that is known."""
        return await self._delegation.user(request)

    async def refusal(self, user: User, request: Request) -> str:
        """Say why somebody may not ask this, "" if they may."""
        subresource = SUBRESOURCES.get(request.path.split("/")[1], "proxy")
        verb = "get" if request.method in ("GET", "HEAD") else "create"
        what = {"verb": verb, "version": "v1", "resource": "nodes", "subresource": subresource, "name": self._node}
        allowed, _ = await self._delegation.may(user, {"resourceAttributes": what})
        if allowed:
            return ""
        return (
            f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource={subresource}, name={self._node})"
        )
