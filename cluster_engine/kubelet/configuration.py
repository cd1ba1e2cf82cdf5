"""What a kubelet is set to, as `/configz` tells it: a KubeletConfiguration of the values that this one really has.

    curl … https://10.0.0.11:10250/configz      {"kubeletconfig":{"port":10250,"healthzPort":10248,"maxPods":110,…}}

Modelled on k8s.io/kubelet/config/v1beta1, with what kubeadm writes into it. Left out: what nothing here heeds.
"""

from cluster_engine.api.durations import go_duration
from cluster_engine.api.objects import Object
from cluster_engine.client.rate_limits import Limit
from cluster_engine.kubelet.cri_config import CLUSTER_DNS
from cluster_engine.kubelet.image_gc import HIGH_PERCENT, LOW_PERCENT, MINIMUM_AGE_SECONDS
from cluster_engine.kubelet.node_lease import DURATION_SECONDS
from cluster_engine.kubelet.node_status import CAPACITY, KUBELET_PORT

HEALTHZ_PORT = 10248
LIMIT = Limit(50, 100)
"""Requests of each client, and of that which writes Events."""


def configuration(address: str) -> Object:
    """Return the configuration of a kubelet that serves on this address."""
    return {
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "address": address,
        "port": KUBELET_PORT,
        "authentication": {
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
            "webhook": {"enabled": True, "cacheTTL": "2m0s"},
            "anonymous": {"enabled": False},
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"},
        },
        "healthzPort": HEALTHZ_PORT,
        "healthzBindAddress": "127.0.0.1",
        "clusterDomain": "cluster.local",
        "clusterDNS": [CLUSTER_DNS],
        "nodeStatusUpdateFrequency": "10s",
        "nodeStatusReportFrequency": "5m0s",
        "nodeLeaseDurationSeconds": DURATION_SECONDS,
        "imageMinimumGCAge": go_duration(MINIMUM_AGE_SECONDS),
        "imageGCHighThresholdPercent": HIGH_PERCENT,
        "imageGCLowThresholdPercent": LOW_PERCENT,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%", "pid.available": "10%"},
        "evictionPressureTransitionPeriod": "5m0s",
        "eventRecordQPS": LIMIT.per_second,
        "eventBurst": LIMIT.burst,
        "kubeAPIQPS": LIMIT.per_second,
        "kubeAPIBurst": LIMIT.burst,
        "maxPods": int(CAPACITY["pods"]),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "enableServer": True,
        "featureGates": {"EventedPLEG": True},
    }
