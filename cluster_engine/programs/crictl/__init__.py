"""crictl: a person's client of the container runtime, below the kubelet."""
