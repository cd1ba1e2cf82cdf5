"""openssl, as Debian has it (3.0): what stands in certificates and keys, making them, and TLS by hand.

    options.py       command lines: -name, or -name value
    loading.py       certificates, requests and keys of the host's files, and what is said where there are none
    x509.py verify.py req.py keys.py small.py      one subcommand each, or a few that belong together
    s_client.py      a TLS connection, reported; then what is typed goes through it
    main.py          the program, and the table of its subcommands

Modelled on OpenSSL 3.0 (apps/*.c). Left out: configuration files, DER files, encrypted keys' questions, everything that
is not in main.py's table. Keys are made by the same library as everywhere here, and bounded in size.
"""
