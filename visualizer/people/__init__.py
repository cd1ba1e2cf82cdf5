"""Accounts, and what people have done in which lesson."""
