"""Runs that their owners show to others: by a link, in a frame on another site (decision 40)."""
