"""What a program counts, and how Prometheus is told. It imports nothing: whoever counts something may use it."""
