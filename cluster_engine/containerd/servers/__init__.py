"""Servers that containers run: small asyncio programs that answer on the pod's address."""
