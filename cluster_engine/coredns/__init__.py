"""CoreDNS: answers for the names of a cluster. `main.main` runs it."""
