"""etcdctl: etcd's own client, for people."""
