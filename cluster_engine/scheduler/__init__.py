"""kube-scheduler: which node for which pod. `main.main` runs it."""
