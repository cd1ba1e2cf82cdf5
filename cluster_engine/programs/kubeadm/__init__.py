"""kubeadm: what makes a machine a node of a cluster, and what an administrator does about that."""
