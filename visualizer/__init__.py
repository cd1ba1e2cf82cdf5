"""Glassplane's web tier: people, clusters, and the way to the browser. It decides nothing about a cluster."""
