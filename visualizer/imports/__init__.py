"""Captures and audit logs of other clusters, read into recordings of their owners (decision 40)."""
