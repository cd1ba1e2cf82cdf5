"""The fields of TLS 1.2 and 1.3: records, handshake messages, alerts (RFC 8446, RFC 5246).

A record that is encrypted is two stretches: what stands on the wire, and what the keys make of it.

    17 03 03 00 35 │ 9a 4e … │ 16 bytes     `header`, then `protected_body`: ciphertext and authentication tag
    14 00 00 20 … │ 16                      `content`: Finished; `inner_type`: the type that was hidden, handshake

The lens reads the same messages for what an entry tells (`lens.handshake`), fast, at every handshake; here every byte
is read, when somebody looks. A test holds both to the same facts. Messages that are cut over several records are
handed over joined (`opened`).
"""

from collections.abc import Callable
from functools import partial

from cluster_engine.fields import tls_extensions
from cluster_engine.fields.field import Field
from cluster_engine.fields.stretch import Stretch, dissected
from cluster_engine.fields.tls_values import numbers, opaque, scheme
from cluster_engine.fields.x509 import certificate
from cluster_engine.lens import handshake as messages
from cluster_engine.lens.protection import TLS_1_3
from cluster_engine.lens.tls_names import ALERTS, GROUPS, HANDSHAKES, RECORD_TYPES, SUITE_NAMES, VERSIONS

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_CERTIFICATE_TYPES = {1: "rsa_sign", 2: "dss_sign", 64: "ecdsa_sign"}


def header(data: bytes) -> tuple[Field, ...]:
    """Dissect the five bytes that stand before every record's content."""
    return dissected(data, _header)


def protected_body(data: bytes, *, nonce_bytes: int, tag_bytes: int) -> tuple[Field, ...]:
    """Dissect what stands behind the header of an encrypted record; without keys nobody knows where the tag begins."""
    return dissected(data, partial(_protected_body, nonce_bytes=nonce_bytes, tag_bytes=tag_bytes))


def content(content_type: int, data: bytes, version: int) -> tuple[Field, ...]:
    """Dissect what records of this type carry, in the clear or decrypted; `version` is the negotiated one."""
    return dissected(data, partial(_content, content_type=content_type, version=version))


def inner_type(data: bytes) -> tuple[Field, ...]:
    """Dissect what TLS 1.3 puts behind the content before it encrypts: the real type, and padding."""
    return dissected(data, _inner_type)


def _header(stretch: Stretch) -> None:
    stretch.number("tls.record.type", 1, RECORD_TYPES)
    stretch.number("tls.record.version", 2, VERSIONS, hexadecimal=True)
    stretch.number("tls.record.length", 2)


def _protected_body(stretch: Stretch, *, nonce_bytes: int, tag_bytes: int) -> None:
    stretch.take("tls.record.explicit_nonce", nonce_bytes)
    stretch.take("tls.record.ciphertext", max(len(stretch) - tag_bytes, 0))
    stretch.take("tls.record.tag", len(stretch))


def _inner_type(stretch: Stretch) -> None:
    stretch.number("tls.record.inner_type", 1, RECORD_TYPES)
    stretch.take("tls.record.padding", len(stretch), str(len(stretch)))


def _content(stretch: Stretch, *, content_type: int, version: int) -> None:
    if content_type == HANDSHAKE:
        while stretch:
            _message(stretch, version)
    elif content_type == ALERT:
        stretch.number("tls.alert.level", 1, {1: "warning", 2: "fatal"})
        stretch.number("tls.alert.description", 1, ALERTS)
    elif content_type == CHANGE_CIPHER_SPEC:
        stretch.number("tls.change_cipher_spec", 1)
    else:
        stretch.take("any.payload", len(stretch))


def _message(stretch: Stretch, version: int) -> None:
    kind, length = stretch.peek(1)[0], int.from_bytes(stretch.peek(4)[1:])
    field, read = MESSAGES.get(kind, ("tls.handshake.other", _other))
    with stretch.within(field, 4 + length, HANDSHAKES.get(kind, str(kind))) as inner:
        inner.number("tls.handshake.type", 1, HANDSHAKES)
        inner.number("tls.handshake.length", 3)
        read(inner, version)


def _other(stretch: Stretch, _version: int) -> None:
    stretch.take("tls.handshake.body", len(stretch))


def _client_hello(stretch: Stretch, _version: int) -> None:
    stretch.number("tls.client_hello.version", 2, VERSIONS, hexadecimal=True)
    stretch.take("tls.client_hello.random", 32)
    opaque(stretch, "tls.session_id", 1)
    numbers(stretch, ("tls.cipher_suites", "tls.cipher_suite"), 2, SUITE_NAMES)
    numbers(stretch, ("tls.compression_methods", "tls.compression_method"), 1, {0: "null"}, item=1)
    tls_extensions.extensions(stretch, messages.CLIENT_HELLO)


def _server_hello(stretch: Stretch, _version: int) -> None:
    stretch.number("tls.server_hello.version", 2, VERSIONS, hexadecimal=True)
    retry = stretch.peek(32) == messages.RETRY_RANDOM
    if retry:
        stretch.value = "hello_retry_request"
        stretch.take("tls.server_hello.retry_random", 32)
    else:
        stretch.take("tls.server_hello.random", 32)
    opaque(stretch, "tls.session_id", 1)
    stretch.number("tls.server_hello.cipher_suite", 2, SUITE_NAMES, hexadecimal=True)
    stretch.number("tls.compression_method", 1, {0: "null"})
    tls_extensions.extensions(stretch, tls_extensions.RETRY if retry else messages.SERVER_HELLO)


def _encrypted_extensions(stretch: Stretch, _version: int) -> None:
    tls_extensions.extensions(stretch, messages.ENCRYPTED_EXTENSIONS)


def _certificate_request(stretch: Stretch, version: int) -> None:
    if version == TLS_1_3:
        opaque(stretch, "tls.certificate_request.context", 1)
        tls_extensions.extensions(stretch, messages.CERTIFICATE_REQUEST)
        return
    kinds = ("tls.certificate_request.types", "tls.certificate_request.certificate_type")
    numbers(stretch, kinds, 1, CLIENT_CERTIFICATE_TYPES, item=1)
    scheme(stretch)
    length = stretch.number("tls.length", 2)
    with stretch.within("tls.certificate_authorities", length) as names:
        while names:
            tls_extensions.authority(names)


def _certificate(stretch: Stretch, version: int) -> None:
    if version == TLS_1_3:
        opaque(stretch, "tls.certificate.context", 1)
    length = stretch.number("tls.length", 3)
    with stretch.within("tls.certificate.list", length) as entries:
        while entries:
            with entries.within("tls.certificate.entry", entries.number("tls.length", 3)) as entry:
                certificate(entry)
            if version == TLS_1_3:
                tls_extensions.extensions(entries, messages.CERTIFICATE)


def _certificate_verify(stretch: Stretch, _version: int) -> None:
    tls_extensions.signature_scheme(stretch)
    opaque(stretch, "tls.certificate_verify.signature", 2)


def _finished(stretch: Stretch, _version: int) -> None:
    stretch.take("tls.finished.verify_data", len(stretch))


def _new_session_ticket(stretch: Stretch, version: int) -> None:
    stretch.number("tls.new_session_ticket.lifetime", 4)
    if version == TLS_1_3:
        stretch.number("tls.new_session_ticket.age_add", 4, hexadecimal=True)
        opaque(stretch, "tls.new_session_ticket.nonce", 1)
    opaque(stretch, "tls.new_session_ticket.ticket", 2)
    if version == TLS_1_3:
        tls_extensions.extensions(stretch, messages.NEW_SESSION_TICKET)


def _key_update(stretch: Stretch, _version: int) -> None:
    stretch.number("tls.key_update.request", 1, {0: "update_not_requested", 1: "update_requested"})


def _server_key_exchange(stretch: Stretch, version: int) -> None:
    if stretch.peek(1) != b"\x03":
        _other(stretch, version)
        return
    stretch.number("tls.server_key_exchange.curve_type", 1, {3: "named_curve"})
    stretch.number("tls.server_key_exchange.named_curve", 2, GROUPS, hexadecimal=True)
    opaque(stretch, "tls.server_key_exchange.public", 1)
    tls_extensions.signature_scheme(stretch)
    opaque(stretch, "tls.server_key_exchange.signature", 2)


def _client_key_exchange(stretch: Stretch, _version: int) -> None:
    """Elliptic curves write the length of what follows in one byte, RSA and finite fields in two."""
    if stretch.peek(1) == bytes([(len(stretch) - 1) & 0xFF]):
        opaque(stretch, "tls.client_key_exchange.public", 1)
    else:
        opaque(stretch, "tls.client_key_exchange.exchange_keys", 2)


def _empty(_stretch: Stretch, _version: int) -> None:
    """Nothing stands in it."""


MESSAGES: dict[int, tuple[str, Callable[[Stretch, int], None]]] = {
    0: ("tls.hello_request", _empty),
    messages.CLIENT_HELLO: ("tls.client_hello", _client_hello),
    messages.SERVER_HELLO: ("tls.server_hello", _server_hello),
    messages.NEW_SESSION_TICKET: ("tls.new_session_ticket", _new_session_ticket),
    5: ("tls.end_of_early_data", _empty),
    messages.ENCRYPTED_EXTENSIONS: ("tls.encrypted_extensions", _encrypted_extensions),
    messages.CERTIFICATE: ("tls.certificate", _certificate),
    messages.SERVER_KEY_EXCHANGE: ("tls.server_key_exchange", _server_key_exchange),
    messages.CERTIFICATE_REQUEST: ("tls.certificate_request", _certificate_request),
    messages.SERVER_HELLO_DONE: ("tls.server_hello_done", _empty),
    messages.CERTIFICATE_VERIFY: ("tls.certificate_verify", _certificate_verify),
    messages.CLIENT_KEY_EXCHANGE: ("tls.client_key_exchange", _client_key_exchange),
    messages.FINISHED: ("tls.finished", _finished),
    messages.KEY_UPDATE: ("tls.key_update", _key_update),
}
