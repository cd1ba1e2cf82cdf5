"""How components speak to the API server: client-go's parts, each in its own module.

`rest.Client` sends requests and opens watches, `informer` keeps local copies, `workqueue` orders the work, `leases`
elects a leader, `events` tells humans; below them `http2`, `transport`, `rate_limits` and `kubeconfig`.
"""

from cluster_engine.client.events import EventRecorder
from cluster_engine.client.informer import Informer, SharedInformers, key_of
from cluster_engine.client.kubeconfig import KubeConfig, KubeConfigError
from cluster_engine.client.leases import LeaderElector, LeadershipLost
from cluster_engine.client.rate_limits import Limit
from cluster_engine.client.rest import Client, Incoming, Response
from cluster_engine.client.workqueue import WorkQueue

__all__ = [
    "Client",
    "EventRecorder",
    "Incoming",
    "Informer",
    "KubeConfig",
    "KubeConfigError",
    "LeaderElector",
    "LeadershipLost",
    "Limit",
    "Response",
    "SharedInformers",
    "WorkQueue",
    "key_of",
]
