"""What `kubeadm init` makes: static pods' manifests before anything runs, the node's marks and addons after."""
