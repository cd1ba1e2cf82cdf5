"""A Kubernetes control plane that can be watched, stepped and broken, in one Python process.

`cluster` is the one door; `thread` opens it from any thread, `python -m cluster_engine up` from a shell.
ARCHITECTURE.md has the map of the rooms.
"""
