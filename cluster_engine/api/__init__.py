"""What objects are: kinds and their schemas, and everything derived from them. Pure functions over JSON dicts.

Imports nothing of the engine but `rpc`; everything that speaks Kubernetes imports this.
"""
