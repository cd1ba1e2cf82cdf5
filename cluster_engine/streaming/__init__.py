"""Streams over HTTP/1.1: what follows an upgrade, and the WebSocket channels that carry a command's streams."""
