"""Raft, the algorithm alone: messages and ticks go in, messages and entries come out."""
