"""kube-controller-manager: one process, many controllers, one leader.

Theory of operation. Of all controller-managers of a cluster one works: the holder of the Lease
`kube-system/kube-controller-manager`. It then starts its controllers. They share informers, so however many of them
care about pods, pods are listed and watched once; and each writes with a token of its own service account. A controller
is a loop that compares what is wanted with what is, and makes one small step; it keeps no state that it could not lose.

    lease → tokens → LIST and WATCH of each kind → ready → each controller's workers

When the Lease cannot be renewed for ten seconds the process exits, with code 1, as the real one does; whoever started
it (a kubelet, for a static pod) starts it again.

Modelled on `cmd/kube-controller-manager/app/controllermanager.go`. Left out: the controllers of kinds that this cluster
does not have, and --controllers.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster_engine.apiserver.serving.health import Check, well
from cluster_engine.client import Client, EventRecorder, LeaderElector, Limit, SharedInformers
from cluster_engine.controllers.autoscaler import HorizontalPodAutoscalerController
from cluster_engine.controllers.bootstrap_tokens import BootstrapSigner, TokenCleaner
from cluster_engine.controllers.certificates import CertificateApprover, CertificateCleaner, CertificateSigner
from cluster_engine.controllers.configuration import configuration
from cluster_engine.controllers.context import Context, Controller
from cluster_engine.controllers.credentials import ServiceAccountToken
from cluster_engine.controllers.cron_job import CronJobController
from cluster_engine.controllers.daemon_set import DaemonSetController
from cluster_engine.controllers.deployment import DeploymentController
from cluster_engine.controllers.disruption import DisruptionController
from cluster_engine.controllers.endpoint_slices import EndpointSliceController
from cluster_engine.controllers.endpoints import EndpointsController
from cluster_engine.controllers.garbage_collector import GarbageCollector
from cluster_engine.controllers.job import JobController
from cluster_engine.controllers.namespaces import NamespaceController
from cluster_engine.controllers.node_ipam import NodeIpamController
from cluster_engine.controllers.node_lifecycle import NodeLifecycleController
from cluster_engine.controllers.pod_gc import PodGarbageCollector
from cluster_engine.controllers.replica_set import ReplicaSetController
from cluster_engine.controllers.resource_quota import ResourceQuotaController
from cluster_engine.controllers.root_ca import RootCaPublisher
from cluster_engine.controllers.service_accounts import ServiceAccountController
from cluster_engine.controllers.stateful_set import StatefulSetController
from cluster_engine.controllers.taint_eviction import TaintEvictionController
from cluster_engine.controllers.token_secrets import TokenSecretController
from cluster_engine.controllers.ttl_after_finished import TtlAfterFinishedController
from cluster_engine.secure_port.port import CONTROLLER_MANAGER, SecurePort
from cluster_engine.version import user_agent

if TYPE_CHECKING:
    from cluster_engine.world.process import Process

USER_AGENT = user_agent("kube-controller-manager")
LIMIT = Limit(20, 30)
"""Requests of each client: --kube-api-qps and --kube-api-burst."""
LIMITS = {"namespace-controller": Limit(20 * 20, 30 * 100), "generic-garbage-collector": Limit(20 * 2, 30)}
"""Of those that ask much for each object (core.go, startNamespaceController and startGarbageCollectorController)."""


CONTROLLERS: tuple[tuple[str, Callable[[Context], Controller]], ...] = (
    ("deployment-controller", DeploymentController),
    ("replicaset-controller", ReplicaSetController),
    ("daemon-set-controller", DaemonSetController),
    ("statefulset-controller", StatefulSetController),
    ("job-controller", JobController),
    ("ttl-after-finished-controller", TtlAfterFinishedController),
    ("cronjob-controller", CronJobController),
    ("horizontal-pod-autoscaler", HorizontalPodAutoscalerController),
    ("disruption-controller", DisruptionController),
    ("endpointslice-controller", EndpointSliceController),
    ("endpoint-controller", EndpointsController),
    ("node-controller", NodeIpamController),
    ("node-controller", NodeLifecycleController),
    ("node-controller", TaintEvictionController),
    ("resourcequota-controller", ResourceQuotaController),
    ("service-account-controller", ServiceAccountController),
    ("root-ca-cert-publisher", RootCaPublisher),
    ("certificate-controller", CertificateApprover),
    ("certificate-controller", CertificateSigner),
    ("certificate-controller", CertificateCleaner),
    ("bootstrap-signer", BootstrapSigner),
    ("token-cleaner", TokenCleaner),
    ("namespace-controller", NamespaceController),
    ("generic-garbage-collector", GarbageCollector),
    ("pod-garbage-collector", PodGarbageCollector),
)
"""Each with the name of its service account."""
CALLED: dict[Callable[[Context], Controller], str] = {
    DaemonSetController: "daemonset-controller",
    HorizontalPodAutoscalerController: "horizontal-pod-autoscaler-controller",
    EndpointsController: "endpoints-controller",
    NodeIpamController: "node-ipam-controller",
    NodeLifecycleController: "node-lifecycle-controller",
    TaintEvictionController: "taint-eviction-controller",
    ServiceAccountController: "serviceaccount-controller",
    RootCaPublisher: "root-ca-certificate-publisher-controller",
    CertificateApprover: "certificatesigningrequest-approving-controller",
    CertificateSigner: "certificatesigningrequest-signing-controller",
    CertificateCleaner: "certificatesigningrequest-cleaner-controller",
    BootstrapSigner: "bootstrap-signer-controller",
    TokenCleaner: "token-cleaner-controller",
    GarbageCollector: "garbage-collector-controller",
    PodGarbageCollector: "pod-garbage-collector-controller",
}
"""What health checks call those that are not called as their accounts are (cmd/kube-controller-manager/names)."""
RARE = frozenset({"bootstrap-signer", "certificate-controller", "token-cleaner"})
"""Accounts whose token is asked for when it is first needed, as all are in a real cluster."""


async def main(process: "Process", *, kubeconfig: str, secure_port: int = CONTROLLER_MANAGER) -> None:
    """Run the controller-manager. SystemExit with code 1 when leadership is lost."""
    with process.starting():
        client = Client.from_kubeconfig(process, kubeconfig, user_agent=USER_AGENT, limit=LIMIT)
    elector = LeaderElector(client.with_user_agent(f"{USER_AGENT}/leader-election"), process, "kube-controller-manager")
    checks: dict[str, Check] = {"leaderElection": elector.check}
    port = SecurePort(process, client, {"healthz": checks}, configuration(kubeconfig, LIMIT))
    async with port.open(secure_port):
        await elector.lead(_work(process, client, checks))


async def _work(process: "Process", client: Client, checks: dict[str, Check]) -> None:
    informers = SharedInformers(client.with_user_agent(f"{USER_AGENT}/shared-informers"), process)
    asking = client.with_user_agent(f"{USER_AGENT}/tokens").with_limit(None)  # so that a cluster starts within a moment
    tokens = {name: ServiceAccountToken(asking, process, name) for name, _ in CONTROLLERS}
    clients = {
        name: client.with_token(token, user_agent=f"{USER_AGENT}/{name}").with_limit(LIMITS.get(name, LIMIT))
        for name, token in tokens.items()
    }
    recorders = {name: EventRecorder(clients[name], process, name) for name in clients}
    controllers = [make(Context(process, clients[name], recorders[name], informers)) for name, make in CONTROLLERS]
    own = EventRecorder(asking, process, "kube-controller-manager")
    controllers.append(TokenSecretController(Context(process, asking, own, informers)))
    async with asyncio.TaskGroup() as tasks:
        for name, token in tokens.items():
            if name not in RARE:
                tasks.create_task(token.prepare())
        for recorder in recorders.values():
            tasks.create_task(recorder.run())
        await informers.start(tasks)
        checks |= dict.fromkeys(
            ["serviceaccount-token-controller", *(CALLED.get(make, name) for name, make in CONTROLLERS)], well
        )
        process.ready()
        for controller in controllers:
            tasks.create_task(controller.run())
