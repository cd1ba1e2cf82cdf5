"""kube-apiserver: puts the parts together and runs them until it is told to stop.

    1. etcd answers, within 20 s, or the process ends with exit code 1: its supervisor tries again
    2. the caches list and watch etcd
    3. the port opens: h1 and h2 over TLS, client certificates requested and never required
    4. namespaces, RBAC policy, Service `kubernetes` are there: /readyz says ok, the process is ready
    5. stopped: GOAWAY, watches end, requests under way finish; killed: nothing of that, and etcd has all that matters

As kubeadm starts it, with the files of `pki`; which of its flags count says `flags`.
"""

import asyncio
import ssl
from collections.abc import Iterable
from ipaddress import IPv4Network

from cluster_engine.api.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    POD,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Kinds,
)
from cluster_engine.apiserver import flags
from cluster_engine.apiserver.admission.chain import Admission
from cluster_engine.apiserver.audit import policy
from cluster_engine.apiserver.audit.event import FORMS
from cluster_engine.apiserver.audit.log import LogFile
from cluster_engine.apiserver.audit.trail import Auditor
from cluster_engine.apiserver.authentication.bootstrap import BearerTokens
from cluster_engine.apiserver.authentication.chain import Authentication
from cluster_engine.apiserver.authentication.request_headers import FrontProxies
from cluster_engine.apiserver.authentication.tokens import ServiceAccountTokens, Signer
from cluster_engine.apiserver.authentication.webhook import WebhookTokens
from cluster_engine.apiserver.authentication.x509 import ClientCertificates
from cluster_engine.apiserver.authorization import modes
from cluster_engine.apiserver.authorization.escalation import Escalation
from cluster_engine.apiserver.authorization.node import Graph, NodeAuthorizer
from cluster_engine.apiserver.authorization.rbac import RBAC, Policy
from cluster_engine.apiserver.bootstrap.policy import NODE_RULES
from cluster_engine.apiserver.bootstrap.post_start import PostStart
from cluster_engine.apiserver.caches import Caches
from cluster_engine.apiserver.chain import HandlerChain
from cluster_engine.apiserver.flags import Flags
from cluster_engine.apiserver.handlers.connect import Connections
from cluster_engine.apiserver.handlers.issuer import issuer_responses
from cluster_engine.apiserver.handlers.kubelets import Kubelets
from cluster_engine.apiserver.handlers.logs import PodLogs
from cluster_engine.apiserver.handlers.meta import Meta
from cluster_engine.apiserver.handlers.resources import Resources
from cluster_engine.apiserver.registry.backend import Backend
from cluster_engine.apiserver.registry.reviews import Reviewers
from cluster_engine.apiserver.registry.services import ServiceAllocator
from cluster_engine.apiserver.registry.store import Store
from cluster_engine.apiserver.request_metrics import RequestMetrics
from cluster_engine.apiserver.serving import suites
from cluster_engine.apiserver.serving.health import Check, Checks, well
from cluster_engine.apiserver.serving.listener import Listener
from cluster_engine.apiserver.storage import Storage
from cluster_engine.apiserver.trouble import trouble_of
from cluster_engine.apiserver.watch_cache import Event
from cluster_engine.apiserver.webhooks import Webhook
from cluster_engine.etcd.client import EtcdClient
from cluster_engine.metrics.registry import Metric
from cluster_engine.world.process import Process
from cluster_engine.world.tls import ServerTLS, client_tls

PKI = "/etc/kubernetes/pki"
PORT = 6443
SERVICE_RANGE = "10.96.0.0/12"
ETCD_CHECK_SECONDS = 2.0
POST_START_HOOKS = (
    "start-system-namespaces-controller",
    "start-kube-apiserver-identity-lease-controller",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "bootstrap-controller",
)
"""What is done once the port is open, and must be done (`bootstrap.post_start`)."""
ETCD_DIAL_SECONDS, ETCD_REDIAL_SECONDS = 20.0, 1.0
"""dialTimeout of apiserver/pkg/storage/storagebackend/factory/etcd3.go, which blocks; grpc-go's first back-off."""


async def main(
    process: Process,
    *,
    pki: str = PKI,
    port: int = PORT,
    service_range: str = SERVICE_RANGE,
    kinds: Kinds | None = None,
) -> None:
    """Serve the Kubernetes API on all of the host's addresses until cancelled; `kinds`: what, if not the usual."""
    with process.starting():
        given = flags.read(process.argv)
        etcd = EtcdClient(given.etcd_endpoints, etcd_tls(process, pki))
        server, tls = (
            Server(process, kinds or Kinds(), pki, etcd, service_range=service_range, given=given),
            api_tls(process, pki, given),
        )
    with process.until_stopped():
        try:
            with process.starting():
                await _reach(etcd)
            await server.run(port, tls)
        finally:
            await server.etcd.aclose()


async def _reach(etcd: EtcdClient) -> None:
    """Connect to etcd. TimeoutError, in the words of Go's context, when that takes too long."""
    try:
        async with asyncio.timeout(ETCD_DIAL_SECONDS):
            while True:
                try:
                    return await etcd.connect()
                except OSError:
                    await asyncio.sleep(ETCD_REDIAL_SECONDS)
    except TimeoutError:
        raise TimeoutError("context deadline exceeded") from None


def etcd_tls(process: Process, pki: str) -> ssl.SSLContext:
    """Return the context with which this server shows itself to etcd."""
    read = process.files.read
    return client_tls(
        ca=read(f"{pki}/etcd/ca.crt"),
        certificate=read(f"{pki}/apiserver-etcd-client.crt"),
        key=read(f"{pki}/apiserver-etcd-client.key"),
        alpn=("h2",),
    )


def kubelet_tls(process: Process, pki: str) -> ssl.SSLContext:
    """Return the context with which this server shows itself to kubelets, whose certificates it does not verify."""
    read = process.files.read
    certificate, key = (read(f"{pki}/apiserver-kubelet-client.{end}") for end in ("crt", "key"))
    return unverifying(client_tls(ca=read(f"{pki}/ca.crt"), certificate=certificate, key=key, alpn=("http/1.1",)))


def unverifying(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context take any server's certificate."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def api_tls(process: Process, pki: str, given: Flags) -> ServerTLS:
    """Return what TLS on the API server's port is: a certificate is asked for, whatever comes is let in.

    SuitesError for suites with which Go's HTTP/2 server does not start.
    """
    read = process.files.read
    authorities = read(f"{pki}/ca.crt")
    if process.files.exists(f"{pki}/front-proxy-ca.crt"):
        authorities += read(f"{pki}/front-proxy-ca.crt")
    least = suites.VERSIONS[given.tls_min_version]
    for name in suites.insecure(given.tls_cipher_suites):
        process.note("apiserver.tls", f"Use of insecure cipher '{name}' detected.")
    return ServerTLS(
        read(f"{pki}/apiserver.crt"),
        read(f"{pki}/apiserver.key"),
        client_ca=authorities,
        client_auth="request",
        alpn=("http/1.1",) if given.disable_http2_serving else ("h2", "http/1.1"),
        ciphers=suites.ciphers(given.tls_cipher_suites, serves_http2=not given.disable_http2_serving, least=least),
        least=least,
    )


def auditor(process: Process, given: Flags) -> Auditor | None:
    """Return what puts requests on record; None where nothing is to be. OSError, PolicyError."""
    if not given.audit_policy_file:
        return None
    path = given.audit_policy_file
    try:
        text = process.files.read(path)
    except OSError as error:
        what = f"open {path}: {(error.strerror or '').lower()}"
        raise policy.PolicyError(f'loading audit policy file: failed to read file path "{path}": {what}') from error
    found = policy.load(text, path)
    if found.warnings:
        warning = f"Audit policy contains errors, falling back to lenient decoding: {found.warnings}"
        process.note("apiserver.audit", warning)
    if not given.audit_log_path:
        return None
    log = LogFile(
        process,
        given.audit_log_path,
        bytes_max=given.audit_bytes_max,
        backups=given.audit_backups,
        days=given.audit_log_maxage,
    )
    log.open()
    return Auditor(process, found, log, FORMS[given.audit_log_format])


def front_proxies(process: Process, given: Flags) -> FrontProxies | None:
    """Return who may say by headers who asks; None where nobody may. OSError."""
    if not given.requestheader_client_ca_file:
        return None
    return FrontProxies(
        process.files.read(given.requestheader_client_ca_file),
        allowed=given.requestheader_allowed_names,
        users=given.requestheader_username_headers,
        groups=given.requestheader_group_headers,
        extras=given.requestheader_extra_headers_prefix,
    )


def tokens_elsewhere(process: Process, given: Flags) -> WebhookTokens | None:
    """Return who is asked about tokens that nobody here knows; None: nobody. OSError, ValueError."""
    path = given.authentication_token_webhook_config_file
    if not path:
        return None
    version, seconds = given.authentication_token_webhook_version, given.authentication_token_webhook_cache_ttl
    return WebhookTokens(process, Webhook(process, path), version, seconds)


class Server:
    """All parts of one API server."""

    def __init__(
        self, process: Process, kinds: Kinds, pki: str, etcd: EtcdClient, *, service_range: str, given: Flags
    ) -> None:
        read = process.files.read
        self.process = process
        self.etcd = etcd
        storage = Storage(etcd, trouble_of(process.disk), process.metrics)
        self.caches = Caches(kinds, storage)
        storage.trouble.on_drop = self.caches.drop_watches
        self.backend = Backend(process, kinds, storage, self.caches)
        rbac = self._rbac()
        authorizer = modes.authorizer(process, given, NodeAuthorizer(self._graph(), NODE_RULES), rbac)
        accounts = ServiceAccountTokens(read(f"{pki}/sa.pub"), self._lookup, elapsed=asyncio.get_running_loop().time)
        tokens = BearerTokens(accounts, self._lookup)
        self._authority = read(f"{pki}/ca.crt")
        certificates, proxies = ClientCertificates(self._authority), front_proxies(process, given)
        authentication = Authentication(certificates, tokens, proxies, elsewhere=tokens_elsewhere(process, given))
        admission = Admission(self.backend, Escalation(authorizer, rbac), authorizer)
        store = Store(self.backend, admission, ServiceAllocator(self.backend, service_range))
        kubelets = Kubelets(self.backend, kubelet_tls(process, pki))
        connections = Connections(self.backend, kubelets, unverifying(client_tls(ca=b"", alpn=("http/1.1",))))
        reviewers = Reviewers(authorizer, rbac, tokens)
        signer, logs = Signer(read(f"{pki}/sa.key")), PodLogs(kubelets)
        resources = Resources(store, admission, reviewers, signer, logs=logs, connections=connections)
        meta = Meta(process, kinds, self._probes(), issuer_responses(signer, f"{process.host.address}:{PORT}"))
        metrics = RequestMetrics(process.metrics, kinds)
        process.metrics.compute(self._stored)
        self.chain = HandlerChain(
            process, authentication, authorizer, resources, meta, metrics=metrics, auditor=auditor(process, given)
        )
        self._service_address = str(IPv4Network(service_range)[1])
        self._started = False

    def _rbac(self) -> RBAC:
        caches = self.caches
        rbac = RBAC(
            Policy(
                roles=caches[ROLE].objects,
                role_bindings=caches[ROLE_BINDING].objects,
                cluster_roles=caches[CLUSTER_ROLE].objects,
                cluster_role_bindings=caches[CLUSTER_ROLE_BINDING].objects,
            )
        )
        for kind in (ROLE, ROLE_BINDING, CLUSTER_ROLE, CLUSTER_ROLE_BINDING):
            caches[kind].listen(lambda _: rbac.changed())
        return rbac

    def _graph(self) -> Graph:
        graph = Graph()

        def follow(event: Event) -> None:
            if event.now is not None:
                graph.pod_changed(event.now.object)
            elif event.before is not None:
                graph.pod_deleted(event.before.object)

        self.caches[POD].listen(follow)
        return graph

    def _lookup(self, resource: str, namespace: str, name: str) -> dict[str, object] | None:
        kind = {"serviceaccounts": SERVICE_ACCOUNT, "pods": POD, "secrets": SECRET}[resource]
        return self.backend.find(kind, namespace, name)

    async def run(self, port: int, tls: ServerTLS) -> None:
        """Serve until cancelled."""
        address = self.process.host.address
        post_start = PostStart(self.backend, address, port, self._service_address, self._authority)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.caches.run())
            async with Listener(self.process, self.chain.serve) as listener:
                await listener.listen("0.0.0.0", port, tls)
                await self.caches.ready()
                await post_start.ensure()
                self._started = True
                tasks.create_task(post_start.renew_identity())
                tasks.create_task(post_start.compact())
                self.process.ready()
                await asyncio.get_running_loop().create_future()

    def _probes(self) -> dict[str, Checks]:
        """Return what is looked at, in the order and with the names of the real server's that there are here."""
        live: dict[str, Check] = {"ping": well, "log": well, "etcd": self._check_etcd}
        hooks = {f"poststarthook/{name}": self._check_started for name in POST_START_HOOKS}
        ready = {
            **live,
            "etcd-readiness": self._check_etcd,
            "informer-sync": self._check_synced,
            **hooks,
            "shutdown": well,
        }
        return {"healthz": {**live, **hooks}, "livez": {**live, **hooks}, "readyz": ready}

    async def _check_etcd(self) -> str | None:
        try:
            async with asyncio.timeout(ETCD_CHECK_SECONDS):
                await self.etcd.get(b"health")
        except (OSError, TimeoutError) as error:
            return str(error)
        return None

    async def _check_started(self) -> str | None:
        return None if self._started else "not finished"

    async def _check_synced(self) -> str | None:
        waiting = self.caches.waiting()
        return f"{len(waiting)} informers not started yet: [{' '.join(waiting)}]" if waiting else None

    def _stored(self) -> Iterable[Metric]:
        text = (
            "[STABLE] Number of stored objects at the time of last check split by kind. In case of a fetching error, "
            "the value will be -1."
        )
        yield (
            "apiserver_storage_objects",
            "gauge",
            text,
            [
                ({"resource": f"{kind.plural}.{kind.group}" if kind.group else kind.plural}, count)
                for kind, count in self.caches.counts()
            ],
        )
