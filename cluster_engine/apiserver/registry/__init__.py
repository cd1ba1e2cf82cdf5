"""What happens to objects: how they are created, read, changed and deleted.

`store` has the ways that all kinds share (what is special about a kind, its `Kind` says), `deletion` how objects go;
`services`, `pods`, `scale`, `service_accounts`, `reviews` have the subresources and the resources that are not stored.
"""
