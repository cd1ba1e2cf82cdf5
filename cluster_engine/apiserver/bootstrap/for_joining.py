"""What `kubeadm init` leaves in the API for machines that join: whom to trust, how to be set up, and who may ask.

    kube-public/cluster-info      the API server's address and the cluster's authority; anybody may read it
    kube-system/kubeadm-config    how the cluster was set up; kube-system/kubelet-config: how its kubelets are

Modelled on cmd/kubeadm/app/phases/{bootstraptoken,uploadconfig,kubelet} (v1.32). Left out: the API server's endpoints
in annotations of its pod.
"""

import base64

from cluster_engine.api.bootstrap_tokens import NODE_GROUP
from cluster_engine.api.objects import Object
from cluster_engine.version import VERSION

NODES = ("Group", "system:nodes")
NEWCOMERS = ("Group", NODE_GROUP)
READERS = (
    ("kube-public", "kubeadm:bootstrap-signer-clusterinfo", "cluster-info", (("User", "system:anonymous"),)),
    ("kube-system", "kubeadm:kubelet-config", "kubelet-config", (NODES, NEWCOMERS)),
    ("kube-system", "kubeadm:nodes-kubeadm-config", "kubeadm-config", (NEWCOMERS, NODES)),
)
"""Who may read a ConfigMap by a Role of its own: namespace, role, ConfigMap, subjects."""
CLUSTER_INFO = """apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {authority}
    server: {server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {{}}
users: null
"""
CLUSTER_CONFIGURATION = f"""apiServer: {{}}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controllerManager: {{}}
dns: {{}}
encryptionAlgorithm: ECDSA-P256
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: {VERSION}
networking:
  dnsDomain: cluster.local
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
proxy: {{}}
scheduler: {{}}
"""
KUBELET_CONFIGURATION = """apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
"""


def config_maps(authority: bytes, server: str) -> list[Object]:
    """Write the three ConfigMaps; `authority` is the cluster's certificate as PEM, `server` its URL."""
    info = CLUSTER_INFO.format(authority=base64.b64encode(authority).decode(), server=server)
    return [
        _config_map("kube-public", "cluster-info", {"kubeconfig": info}),
        _config_map("kube-system", "kubeadm-config", {"ClusterConfiguration": CLUSTER_CONFIGURATION}),
        _config_map("kube-system", "kubelet-config", {"kubelet": KUBELET_CONFIGURATION}),
    ]


def _config_map(namespace: str, name: str, data: dict[str, str]) -> Object:
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }
