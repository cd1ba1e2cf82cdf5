"""jq: a small interpreter of the language for JSON."""
