"""The node agent: from pods bound to this node to containers that run, and back to status."""
