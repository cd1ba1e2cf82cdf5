"""What a learner can type on the workstation: kubectl first."""

from cluster_engine.shell.main import run

__all__ = ["run"]
