"""Who did what: the audit log of an API server. Off unless a policy and a path are given, and then it costs nothing."""
