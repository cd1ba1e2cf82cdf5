"""kube-proxy: what a node's packet filter must know of Services. `main.main` runs it."""
