"""The programs a person can type, each in a room or file of its own: argv in, an exit code back."""
