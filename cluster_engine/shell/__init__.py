"""What a learner can type on the workstation: kubectl first."""
