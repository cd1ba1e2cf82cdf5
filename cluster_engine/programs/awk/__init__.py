"""awk: a small interpreter of the language for lines and fields."""
