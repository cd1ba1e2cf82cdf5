"""kube-controller-manager: the loops that make what is into what is wanted. `manager.main` runs them all."""
