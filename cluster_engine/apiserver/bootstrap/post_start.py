"""After the start: what must be there is written if it is not, and what must be renewed is renewed.

Theory of operation. The server answers from the moment it listens, but is not ready before the system namespaces, the
RBAC policy and the `kubernetes` Service exist. A fresh cluster gets all of them in one etcd transaction; after a
restart the caches show that they are there and nothing is written. Two things go on for ever: every ten seconds the
server's identity lease, every five minutes etcd's compaction, which forgets history that is older than the mark before.

    0:00  mark 120      5:00  compact(120), mark 480      10:00  compact(480), mark 950

Modelled on pkg/controlplane (kubernetesservice, systemnamespaces, apiserver identity), rbac's post-start hook and
apiserver/pkg/storage/etcd3/compact.go. Left out: reconciling roles that somebody has changed.
"""

import asyncio
import contextlib
import hashlib

from cluster_engine.api import kinds
from cluster_engine.api.defaulting import default
from cluster_engine.api.objects import Object
from cluster_engine.api.rules.scheduling import SYSTEM
from cluster_engine.api.schema import Kind
from cluster_engine.api.status import Refusal
from cluster_engine.api.time import micro, rfc3339
from cluster_engine.apiserver.bootstrap import for_joining, policy
from cluster_engine.apiserver.registry import managed_fields
from cluster_engine.apiserver.registry.backend import Backend
from cluster_engine.apiserver.registry.managed_fields import UPDATE, Writer
from cluster_engine.apiserver.registry.store import set_entries
from cluster_engine.apiserver.storage import encode, in_order, key_of
from cluster_engine.etcd.client import get, put
from cluster_engine.etcd.errors import EtcdError
from cluster_engine.rpc import etcd_pb2 as pb

MANAGER = "kube-apiserver"
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
TXN_OPERATIONS_MAX = 128
COMPACT_SECONDS = 300.0
COMPACT_KEY = b"compact_rev_key"
IDENTITY_SECONDS = 10.0
IDENTITY_LEASE_SECONDS = 3600
RETRY_SECONDS = 1.0


class PostStart:
    """The work beside serving. `address` and `port` are where clients reach this server; `authority` is the cluster's
    certificate.
    """

    def __init__(self, backend: Backend, address: str, port: int, service_address: str, authority: bytes) -> None:
        self._backend = backend
        self._address = address
        self._port = port
        self._service_address = service_address
        self._url = f"https://{address}:{port}"
        self._authority = authority

    async def ensure(self) -> None:
        """Write what is missing; waits until etcd can be reached."""
        while True:
            try:
                for kind in sorted({kind for kind, _ in self._wanted()}, key=lambda kind: kind.plural):
                    await self._backend.caches[kind].ready.wait()
                await self._write_missing()
            except Refusal:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _write_missing(self) -> None:
        missing = []
        for kind, obj in self._wanted():
            metadata = obj["metadata"]
            key = key_of(kind, metadata.get("namespace", ""), metadata["name"])
            if self._backend.caches[kind].get(key) is None:
                missing.append((key, encode(self._complete(kind, obj))))
        for start in range(0, len(missing), TXN_OPERATIONS_MAX):
            batch = missing[start : start + TXN_OPERATIONS_MAX]
            if not await self._backend.storage.create_all(batch):
                for key, value in batch:  # some were written by a server that did not finish
                    await self._backend.storage.create(key, value)

    def _complete(self, kind: Kind, obj: Object) -> Object:
        metadata = obj["metadata"]
        metadata["uid"] = self._backend.process.uuid()
        metadata["creationTimestamp"] = rfc3339(self._backend.process.now())
        if kind.has_generation:
            metadata["generation"] = 1
        default(kind, obj)
        metadata["managedFields"] = managed_fields.created(kind, obj, self._writer(kind))
        if kind.prepare_create:
            kind.prepare_create(obj)
        return in_order(obj)

    def _writer(self, kind: Kind) -> Writer:
        return Writer(MANAGER, UPDATE, kind.api_version, "", self._backend.process.now())

    def _wanted(self) -> list[tuple[Kind, Object]]:
        wanted = [(kinds.NAMESPACE, _object(kinds.NAMESPACE, name)) for name in NAMESPACES]
        wanted += [(kinds.CLUSTER_ROLE, role) for role in policy.cluster_roles()]
        wanted += [(kinds.CLUSTER_ROLE_BINDING, binding) for binding in policy.cluster_role_bindings()]
        wanted += [(kinds.ROLE, role) for role in policy.roles()]
        wanted += [(kinds.ROLE_BINDING, binding) for binding in policy.role_bindings()]
        wanted += [(kinds.CONFIG_MAP, one) for one in for_joining.config_maps(self._authority, self._url)]
        wanted += [(kinds.PRIORITY_CLASS, _priority_class(name)) for name in SYSTEM]
        wanted.append((kinds.SERVICE_ACCOUNT, _object(kinds.SERVICE_ACCOUNT, "kube-proxy", "kube-system")))
        wanted.append((kinds.SERVICE, self._service()))
        wanted.append((kinds.ENDPOINTS, self._endpoints()))
        wanted.append((kinds.ENDPOINT_SLICE, self._endpoint_slice()))
        return wanted

    def _service(self) -> Object:
        service = _object(kinds.SERVICE, "kubernetes", "default")
        service["metadata"]["labels"] = {"component": "apiserver", "provider": "kubernetes"}
        service["spec"] = {
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": self._port}],
            "clusterIP": self._service_address,
            "clusterIPs": [self._service_address],
            "type": "ClusterIP",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
        }
        service["status"] = {"loadBalancer": {}}
        return service

    def _endpoints(self) -> Object:
        endpoints = _object(kinds.ENDPOINTS, "kubernetes", "default")
        endpoints["metadata"]["labels"] = {"endpointslice.kubernetes.io/skip-mirror": "true"}
        port = {"name": "https", "port": self._port, "protocol": "TCP"}
        endpoints["subsets"] = [{"addresses": [{"ip": self._address}], "ports": [port]}]
        return endpoints

    def _endpoint_slice(self) -> Object:
        endpoint_slice = _object(kinds.ENDPOINT_SLICE, "kubernetes", "default")
        endpoint_slice["metadata"]["labels"] = {"kubernetes.io/service-name": "kubernetes"}
        endpoint_slice["addressType"] = "IPv4"
        endpoint_slice["endpoints"] = [{"addresses": [self._address], "conditions": {"ready": True}}]
        endpoint_slice["ports"] = [{"name": "https", "protocol": "TCP", "port": self._port}]
        return endpoint_slice

    # -- for ever --------------------------------------------------------------------------------------------------

    async def renew_identity(self) -> None:
        """Keep the Lease that says which API servers there are."""
        host = self._backend.process.host.name
        name = f"apiserver-{hashlib.sha256(host.encode()).hexdigest()[:26]}"
        holder = f"{name}_{self._backend.process.uuid()}"
        while True:
            with contextlib.suppress(Refusal):  # the next time will do: the lease lasts an hour
                await self._renew(name, holder, host)
            await asyncio.sleep(IDENTITY_SECONDS)

    async def _renew(self, name: str, holder: str, host: str) -> None:
        storage, kind = self._backend.storage, kinds.LEASE
        now = self._backend.process.now()
        key = key_of(kind, "kube-system", name)
        cached = self._backend.caches[kind].get(key)
        spec = {"holderIdentity": holder, "leaseDurationSeconds": IDENTITY_LEASE_SECONDS, "renewTime": micro(now)}
        if cached is not None:
            new = {**cached.object, "metadata": dict(cached.object["metadata"]), "spec": spec}
            set_entries(new, managed_fields.updated(kind, cached.object, new, self._writer(kind)))
            await storage.replace(kind, key, cached.revision, encode(new))
            return
        lease = _object(kind, name, "kube-system")
        labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": host}
        lease["metadata"]["labels"] = labels
        lease["spec"] = spec
        await storage.create(key, encode(self._complete(kind, lease)))

    async def compact(self) -> None:
        """Let etcd forget, every five minutes, what is older than the mark before."""
        version, mark = 0, 0
        while True:
            await asyncio.sleep(COMPACT_SECONDS)
            try:
                version, mark = await self._compact_once(version, mark)
            except (OSError, EtcdError):
                continue

    async def _compact_once(self, version: int, mark: int) -> tuple[int, int]:
        etcd = self._backend.storage.etcd
        unchanged = pb.Compare(key=COMPACT_KEY, target=pb.Compare.VERSION, result=pb.Compare.EQUAL, version=version)
        answer = await etcd.txn([unchanged], [put(COMPACT_KEY, str(mark).encode())], [get(COMPACT_KEY)])
        if not answer.succeeded:  # another server, or this one before its restart, has counted on
            return answer.responses[0].response_range.kvs[0].version, answer.header.revision
        if mark:
            await etcd.compact(mark)
        return version + 1, answer.header.revision


_CRITICAL = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but can be moved to "
    "another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}


def _priority_class(name: str) -> Object:
    return {**_object(kinds.PRIORITY_CLASS, name), "value": SYSTEM[name], "description": _CRITICAL[name]}


def _object(kind: Kind, name: str, namespace: str = "") -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}
