"""What components of the control plane are set to, as `/configz` tells it: the parts that all of them have.

    curl … https://127.0.0.1:10259/configz     {"componentconfig":{"LeaderElection":{"LeaderElect":true,…},…}}

The scheduler and the controller-manager register the type that they compute with, whose fields have no names for JSON;
so they are spelled as in Go. The kubelet converts to its versioned type first (`kubelet/configuration`). Told are the
values that a component here really has, and nothing that it does not heed.

Modelled on k8s.io/component-base/config/types.go and component-base/configz.
"""

from cluster_engine.api.durations import go_duration
from cluster_engine.api.objects import Object
from cluster_engine.client.leases import LEASE_DURATION_SECONDS, RENEW_DEADLINE_SECONDS, RETRY_PERIOD_SECONDS
from cluster_engine.client.rate_limits import Limit


def client_connection(kubeconfig: str, limit: Limit) -> Object:
    """Return a ClientConnectionConfiguration."""
    return {"Kubeconfig": kubeconfig, "QPS": limit.per_second, "Burst": limit.burst}


def leader_election(name: str) -> Object:
    """Return a LeaderElectionConfiguration, of who is elected by the Lease of this name."""
    return {
        "LeaderElect": True,
        "LeaseDuration": go_duration(LEASE_DURATION_SECONDS),
        "RenewDeadline": go_duration(RENEW_DEADLINE_SECONDS),
        "RetryPeriod": go_duration(RETRY_PERIOD_SECONDS),
        "ResourceLock": "leases",
        "ResourceName": name,
        "ResourceNamespace": "kube-system",
    }
