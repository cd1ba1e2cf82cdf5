"""The fields of TLS's extensions (RFC 8446 section 4.2), some of which are written otherwise in another message.

00 10 │ 00 05 │ 00 03 │ 02 68 32      application_layer_protocol_negotiation, 5 bytes: a list of 3, in it "h2"
"""

from collections.abc import Callable

from cluster_engine.fields.stretch import Stretch
from cluster_engine.fields.tls_values import numbers, opaque, scheme
from cluster_engine.fields.x509 import distinguished_name
from cluster_engine.lens import handshake as messages
from cluster_engine.lens.tls_names import EXTENSIONS, GROUPS, SIGNATURES, VERSIONS

RETRY = -messages.SERVER_HELLO
"""A HelloRetryRequest, which is a ServerHello but for its extensions."""
POINT_FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}
PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}
COMPRESSIONS = {1: "zlib", 2: "brotli", 3: "zstd"}

Read = Callable[[Stretch, int], None]


def extensions(stretch: Stretch, message: int) -> None:
    """Read the extensions at the end of a message; where nothing follows there are none (TLS 1.2)."""
    if not stretch:
        return
    with stretch.within("tls.extensions", stretch.number("tls.length", 2)) as inner:
        while inner:
            _extension(inner, message)


def signature_scheme(stretch: Stretch) -> None:
    """Read the algorithm with which something is signed."""
    stretch.number("tls.signature_scheme", 2, SIGNATURES, hexadecimal=True)


def authority(stretch: Stretch) -> None:
    """Read the name of one authority whose certificates are accepted."""
    with stretch.within("tls.certificate_authority", stretch.number("tls.length", 2)) as inner:
        inner.value = distinguished_name(inner, "x509.name")


def _extension(stretch: Stretch, message: int) -> None:
    start = stretch.peek(4)
    kind = int.from_bytes(start[:2])
    field, read = KNOWN.get(kind, ("tls.extension.other", _opaque))
    with stretch.within(field, 4 + int.from_bytes(start[2:4])) as inner:
        inner.value = EXTENSIONS.get(kind, f"0x{kind:04x}")
        inner.number("tls.extension.type", 2, EXTENSIONS)
        inner.number("tls.extension.length", 2)
        if inner:
            read(inner, message)


def _opaque(stretch: Stretch, _message: int) -> None:
    stretch.take("tls.extension.data", len(stretch))


def _server_name(stretch: Stretch, _message: int) -> None:
    with stretch.within("tls.list", stretch.number("tls.length", 2)) as inner:
        while inner:
            inner.number("tls.extension.server_name.type", 1, {0: "host_name"})
            inner.text("tls.extension.server_name.name", inner.number("tls.length", 2), "latin-1")


def _groups(stretch: Stretch, _message: int) -> None:
    numbers(stretch, ("tls.list", "tls.extension.supported_groups.group"), 2, GROUPS)


def _point_formats(stretch: Stretch, _message: int) -> None:
    names = ("tls.list", "tls.extension.ec_point_formats.format")
    numbers(stretch, names, 1, POINT_FORMATS, item=1)


def _schemes(stretch: Stretch, _message: int) -> None:
    scheme(stretch)


def _protocols(stretch: Stretch, _message: int) -> None:
    with stretch.within("tls.list", stretch.number("tls.length", 2)) as inner:
        while inner:
            inner.text("tls.extension.alpn.protocol", inner.number("tls.length", 1), "latin-1")


def _versions(stretch: Stretch, message: int) -> None:
    if message == messages.CLIENT_HELLO:
        names = ("tls.list", "tls.extension.supported_versions.version")
        numbers(stretch, names, 1, VERSIONS)
    else:
        stretch.number("tls.extension.supported_versions.selected", 2, VERSIONS, hexadecimal=True)


def _key_share(stretch: Stretch, message: int) -> None:
    if message == RETRY:
        stretch.number("tls.extension.key_share.selected", 2, GROUPS, hexadecimal=True)
    elif message == messages.CLIENT_HELLO:
        with stretch.within("tls.list", stretch.number("tls.length", 2)) as inner:
            while inner:
                _share(inner)
    else:
        _share(stretch)


def _share(stretch: Stretch) -> None:
    stretch.number("tls.extension.key_share.group", 2, GROUPS, hexadecimal=True)
    opaque(stretch, "tls.extension.key_share.key", 2)


def _psk_modes(stretch: Stretch, _message: int) -> None:
    names = ("tls.list", "tls.extension.psk_key_exchange_modes.mode")
    numbers(stretch, names, 1, PSK_MODES, item=1)


def _pre_shared_key(stretch: Stretch, message: int) -> None:
    if message != messages.CLIENT_HELLO:
        stretch.number("tls.extension.pre_shared_key.selected", 2)
        return
    with stretch.within("tls.extension.pre_shared_key.identities", stretch.number("tls.length", 2)) as inner:
        while inner:
            opaque(inner, "tls.extension.pre_shared_key.identity", 2)
            inner.number("tls.extension.pre_shared_key.ticket_age", 4)
    with stretch.within("tls.extension.pre_shared_key.binders", stretch.number("tls.length", 2)) as inner:
        while inner:
            opaque(inner, "tls.extension.pre_shared_key.binder", 1)


def _early_data(stretch: Stretch, _message: int) -> None:
    stretch.number("tls.extension.early_data.max_size", 4)


def _cookie(stretch: Stretch, _message: int) -> None:
    opaque(stretch, "tls.extension.cookie.value", 2)


def _authorities(stretch: Stretch, _message: int) -> None:
    with stretch.within("tls.certificate_authorities", stretch.number("tls.length", 2)) as inner:
        while inner:
            authority(inner)


def _session_ticket(stretch: Stretch, _message: int) -> None:
    stretch.take("tls.extension.session_ticket.ticket", len(stretch))


def _renegotiation(stretch: Stretch, _message: int) -> None:
    opaque(stretch, "tls.extension.renegotiation_info.verify_data", 1)


def _padding(stretch: Stretch, _message: int) -> None:
    stretch.take("tls.extension.padding.zeros", len(stretch), str(len(stretch)))


def _compressions(stretch: Stretch, _message: int) -> None:
    names = ("tls.list", "tls.extension.compress_certificate.algorithm")
    numbers(stretch, names, 1, COMPRESSIONS)


def _record_size(stretch: Stretch, _message: int) -> None:
    stretch.number("tls.extension.record_size_limit.size", 2)


KNOWN: dict[int, tuple[str, Read]] = {
    0: ("tls.extension.server_name", _server_name),
    5: ("tls.extension.status_request", _opaque),
    10: ("tls.extension.supported_groups", _groups),
    11: ("tls.extension.ec_point_formats", _point_formats),
    13: ("tls.extension.signature_algorithms", _schemes),
    16: ("tls.extension.alpn", _protocols),
    18: ("tls.extension.signed_certificate_timestamp", _opaque),
    21: ("tls.extension.padding", _padding),
    22: ("tls.extension.encrypt_then_mac", _opaque),
    23: ("tls.extension.extended_master_secret", _opaque),
    27: ("tls.extension.compress_certificate", _compressions),
    28: ("tls.extension.record_size_limit", _record_size),
    35: ("tls.extension.session_ticket", _session_ticket),
    41: ("tls.extension.pre_shared_key", _pre_shared_key),
    42: ("tls.extension.early_data", _early_data),
    43: ("tls.extension.supported_versions", _versions),
    44: ("tls.extension.cookie", _cookie),
    45: ("tls.extension.psk_key_exchange_modes", _psk_modes),
    47: ("tls.extension.certificate_authorities", _authorities),
    49: ("tls.extension.post_handshake_auth", _opaque),
    50: ("tls.extension.signature_algorithms_cert", _schemes),
    51: ("tls.extension.key_share", _key_share),
    65281: ("tls.extension.renegotiation_info", _renegotiation),
}
