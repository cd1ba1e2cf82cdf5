"""The container runtime: sandboxes, containers and images of one node, behind CRI gRPC on a unix socket."""
