"""The shell: how a line is read, run and joined by pipes, and the terminal that it is typed into."""
