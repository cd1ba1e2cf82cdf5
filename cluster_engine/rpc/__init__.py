"""Remote procedure calls: the protobuf text of every gRPC service in the cluster, and gRPC from its descriptors."""
