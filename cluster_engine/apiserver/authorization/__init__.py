"""May they: the Node authorizer and RBAC, asked in turn (`--authorization-mode=Node,RBAC`).

Each may allow or have no opinion; nobody can forbid what another allows. Members of `system:masters` are let through
before either is asked.
"""
