"""etcd: the one place where a cluster's state lives. A multi-version store, its gRPC services and their client."""
