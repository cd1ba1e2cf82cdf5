"""The cluster's certificates and keys, and who is who: files on the hosts, laid out as kubeadm lays them out."""
