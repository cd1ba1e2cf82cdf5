"""curl, as Debian has it (7.88.1): requests over HTTP/1.1 and HTTP/2, in the clear or over TLS, told as they happen.

    arguments.py   the table of options, and what a command line says
    url.py         addresses, as curl reads them
    connecting.py  a connection: name, TCP, TLS, and which are used again
    tls.py         certificates and keys from files, the handshake line by line, what went wrong
    http1.py       one request over HTTP/1.1, http2.py over HTTP/2
    transfer.py    one address: requests, redirects, retries
    output.py      where heads and bodies go, and what -w says
    main.py        the program

Modelled on curl 7.88.1 (src/tool_*.c, lib/). Left out: proxies, cookies that are kept, uploads by form, every protocol
but http and https, the meter's lines before its last, and the sizes of data that -v adds where it is no terminal's.
"""
