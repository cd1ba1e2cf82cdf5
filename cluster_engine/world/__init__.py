"""The event loop as a world: virtual time, hosts with addresses and names, a network that can be watched and broken.

Ordinary asyncio programs run here and do not know it. `clock` decides when time moves, `timers` in which order what is
due at one time comes. `sockets` are what programs hold, `tcp` is a connection as its two ends, which go through
`tcp_states`; `process` is a program on a host, `network` joins the hosts, and `loop` leads asyncio's own calls
(`create_connection`, `create_server`, `getaddrinfo`) into it, with TLS on top from `tls`; `world` is all of it
together, `bugs` who pays for a mistake of ours; `tap` is what may be overheard; `gateway` lets a real program on this
machine in.
"""
