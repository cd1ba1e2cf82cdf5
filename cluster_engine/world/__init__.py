"""The event loop as a world: virtual time, hosts with addresses and names, a network that can be watched and broken.

Ordinary asyncio programs run here and do not know it. `clock` decides when time moves, `loop` leads asyncio's own
calls (`create_connection`, `create_server`, `getaddrinfo`) into `network`, whose connections are the `tcp` ends,
with TLS on top from `tls`; `process` and `world` say which program runs where; `tap` is what may be overheard;
`gateway` lets a real program on this machine in.
"""
