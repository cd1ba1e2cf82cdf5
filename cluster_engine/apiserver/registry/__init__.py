"""What happens to objects: how they are created, read, changed and deleted, and what each kind adds to that.

`store` has the ways that all kinds share, `strategies` what is special about a kind, `deletion` how objects go;
`services`, `pods`, `scale`, `service_accounts`, `reviews` have the subresources and the resources that are not stored.
"""
