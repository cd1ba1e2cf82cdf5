"""What the scheduler is set to, as `/configz` tells it (`secure_port/configz`).

Modelled on pkg/scheduler/apis/config/types.go. Left out: what nothing here heeds, plugins among it.
"""

from cluster_engine.api.objects import Object
from cluster_engine.client.rate_limits import Limit
from cluster_engine.scheduler.queue import BACKOFF_SECONDS, BACKOFF_SECONDS_MAX
from cluster_engine.secure_port.configz import client_connection, leader_election


def configuration(kubeconfig: str, limit: Limit, scheduler_name: str) -> Object:
    """Return the configuration by the name under which it is registered."""
    told = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "LeaderElection": leader_election("kube-scheduler"),
        "ClientConnection": client_connection(kubeconfig, limit),
        "PodInitialBackoffSeconds": int(BACKOFF_SECONDS),
        "PodMaxBackoffSeconds": int(BACKOFF_SECONDS_MAX),
        "Profiles": [{"SchedulerName": scheduler_name}],
    }
    return {"componentconfig": told}
