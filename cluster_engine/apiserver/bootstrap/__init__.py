"""What a fresh cluster begins with: system namespaces, the default RBAC policy, the `kubernetes` Service."""
