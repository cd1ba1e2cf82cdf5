"""The descriptions of the kinds, by API group. `cluster_engine.api.kinds` is their index."""
