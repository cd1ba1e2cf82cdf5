"""What the controller-manager is set to, as `/configz` tells it (`secure_port/configz`).

Modelled on pkg/controller/apis/config/types.go and the controllers' own types.go. Left out: what nothing here heeds,
above all how many workers a controller has.
"""

from cluster_engine.api.durations import go_duration
from cluster_engine.api.objects import Object
from cluster_engine.client.rate_limits import Limit
from cluster_engine.controllers import autoscaler, node_ipam, node_lifecycle, pod_gc, resource_quota
from cluster_engine.secure_port.configz import client_connection, leader_election


def configuration(kubeconfig: str, limit: Limit) -> Object:
    """Return the configuration by the name under which it is registered."""
    told = {
        "Generic": {
            "ClientConnection": client_connection(kubeconfig, limit),
            "LeaderElection": leader_election("kube-controller-manager"),
            "Controllers": ["*"],
        },
        "KubeCloudShared": {
            "UseServiceAccountCredentials": True,
            "NodeMonitorPeriod": go_duration(node_lifecycle.MONITOR_PERIOD_SECONDS),
            "ClusterCIDR": str(node_ipam.CLUSTER_CIDR),
            "AllocateNodeCIDRs": True,
        },
        "HPAController": {"HorizontalPodAutoscalerSyncPeriod": go_duration(autoscaler.PERIOD_SECONDS)},
        "NodeLifecycleController": {
            "NodeEvictionRate": 1 / node_lifecycle.EVICTION_INTERVAL_SECONDS,
            "NodeStartupGracePeriod": go_duration(node_lifecycle.STARTUP_GRACE_SECONDS),
            "NodeMonitorGracePeriod": go_duration(node_lifecycle.MONITOR_GRACE_SECONDS),
        },
        "PodGCController": {"TerminatedPodGCThreshold": pod_gc.TERMINATED_PODS_MAX},
        "ResourceQuotaController": {"ResourceQuotaSyncPeriod": go_duration(resource_quota.RESYNC_SECONDS)},
    }
    return {"kubecontrollermanager.config.k8s.io": told}
