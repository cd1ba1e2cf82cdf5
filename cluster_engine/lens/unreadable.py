"""The one error of the lens: bytes that are not what they were taken for."""


class Unreadable(Exception):  # noqa: N818  a finding, not a failure
    """Bytes do not follow the protocol that was seen before them; the text says what is wrong.

    Raised by the parsers, caught where a connection's bytes are handed on: the connection is shown from there on as
    what it is, bytes. It never leaves the lens.
    """
