"""HTTP as the API server speaks it: HTTP/1.1 and HTTP/2 on one port, chosen by ALPN.

`exchange` says what a request and a response are, `wire` what both versions share; `http2` and `http1` put them on the
wire, `connection` keeps one connection's time, `listener` owns the port and ends all connections well. What a request
*means* is not known here.
"""
