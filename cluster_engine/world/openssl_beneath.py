"""What OpenSSL can do and pyOpenSSL has no public word for: groups, sessions kept outside of a connection.

    set_groups(context, "X25519:P-256")             SSL_CTX_set1_groups_list(3), which groups and in which order
    session_bytes(connection)  -> b"0\\x82…"         i2d_SSL_SESSION(3): what `openssl s_client -sess_out` writes down
    offer_session(connection, raw)                  d2i_SSL_SESSION(3), SSL_set_session(3): to be resumed
    is_resumed(connection)                          SSL_session_reused(3)

The only place where pyOpenSSL's private library handle is touched; the functions themselves are OpenSSL's public ones.
"""

import ssl
from typing import Any

from OpenSSL import SSL

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]
SESSION_BYTES_MAX = 64 * 1024


def set_groups(context: SSL.Context, names: str) -> None:
    """Let a context agree on keys with these groups alone, colons between them. ssl.SSLError when one is unknown."""
    if _lib.SSL_CTX_set1_curves_list(context._context, names.encode()) != 1:
        _lib.ERR_clear_error()
        raise ssl.SSLError(f"tls: unusable groups: {names[:200]}")


def session_bytes(connection: SSL.Connection) -> bytes:
    """Return the session that could be resumed, as DER; b"" where there is none."""
    session = _lib.SSL_get1_session(connection._ssl)
    if session == _ffi.NULL:
        return b""
    session = _ffi.gc(session, _lib.SSL_SESSION_free)
    length = _lib.i2d_SSL_SESSION(session, _ffi.NULL)
    if length <= 0:
        return b""
    buffer = _ffi.new("unsigned char[]", length)
    _lib.i2d_SSL_SESSION(session, _ffi.new("unsigned char **", buffer))
    return bytes(_ffi.buffer(buffer, length))


def offer_session(connection: SSL.Connection, raw: bytes) -> None:
    """Offer to resume a session. ValueError when the bytes are none."""
    if len(raw) > SESSION_BYTES_MAX:
        raise ValueError("too long for a session")
    buffer = _ffi.new("unsigned char[]", raw)
    session = _lib.d2i_SSL_SESSION(_ffi.NULL, _ffi.new("unsigned char **", buffer), len(raw))
    if session == _ffi.NULL:
        _lib.ERR_clear_error()
        raise ValueError("not a session")
    session = _ffi.gc(session, _lib.SSL_SESSION_free)
    if _lib.SSL_set_session(connection._ssl, session) != 1:
        _lib.ERR_clear_error()
        raise ValueError("a session that cannot be used here")


def is_resumed(connection: SSL.Connection) -> bool:
    """Whether an earlier session goes on."""
    return bool(_lib.SSL_session_reused(connection._ssl) == 1)
