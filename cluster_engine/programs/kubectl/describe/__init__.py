"""`kubectl describe`: an object and what belongs to it, laid out for people."""
