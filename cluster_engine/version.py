"""Which Kubernetes this is: what every program says of its version (component-base/version), said once.

user_agent("kube-proxy")      kube-proxy/v1.32.13 (linux/amd64) kubernetes/glassplane
"""

VERSION = "v1.32.13"


def user_agent(program: str) -> str:
    """Return what a program's requests say of it (client-go's rest.DefaultKubernetesUserAgent)."""
    return f"{program}/{VERSION} (linux/amd64) kubernetes/glassplane"
