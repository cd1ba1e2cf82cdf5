"""HTTP as the API server speaks it: HTTP/1.1 and HTTP/2 on one port, chosen by ALPN.

`exchange` says what a request and a response are; `http2` and `http1` put them on the wire, `listener` owns the port
and the connections, and ends them well. What a request *means* is not known here.
"""
