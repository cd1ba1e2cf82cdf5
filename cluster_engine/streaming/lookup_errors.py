"""A name that was not found, in the words of a program in Go.

    in_words("web", socket.gaierror(socket.EAI_NONAME, "Name or …"))    dial tcp: lookup web: no such host

Modelled on net.DNSError behind cgo's resolver, which also names no server. A module of its own, so that clients can
say it without loading what `dialling` needs.
"""

import socket


def in_words(name: str, error: socket.gaierror) -> str:
    """Say that a name was not found, or could not be looked up just now."""
    why = "no such host" if error.errno == socket.EAI_NONAME else error.strerror
    return f"dial tcp: lookup {name}: {why}"
