"""TLS's fields: RFC 8448's handshake byte by byte, and that they say what the lens reads from the same bytes."""

import pytest
import rfc8448

from cluster_engine.fields.field import UNREADABLE, Field, every
from cluster_engine.fields.tls import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, content, header, inner_type, protected_body
from cluster_engine.lens.handshake import parse
from cluster_engine.lens.protection import TLS_1_2, TLS_1_3


def found(fields: tuple[Field, ...], name: str) -> list[str]:
    return [field.value for field in every(fields) if field.name == name]


def uncovered(fields: tuple[Field, ...], begin: int, end: int) -> list[tuple[int, int]]:
    """Stretches between `begin` and `end` that no field covers."""
    gaps = []
    for field in fields:
        if field.begin > begin:
            gaps.append((begin, field.begin))
        begin = field.end
    return gaps + ([(begin, end)] if begin < end else [])


@pytest.mark.parametrize("name", rfc8448.MESSAGES)
def test_every_byte_of_rfc_8448s_messages_has_a_field(name):
    message = rfc8448.MESSAGES[name]
    (whole,) = content(HANDSHAKE, message, TLS_1_3)
    assert (whole.name, whole.begin, whole.end, whole.value) == (f"tls.{name}", 0, len(message), name)
    assert uncovered(whole.fields, 0, len(message)) == []
    assert found((whole,), UNREADABLE) == []


def test_a_client_hello_is_read_as_rfc_8448_prints_it():
    fields = content(HANDSHAKE, rfc8448.CLIENT_HELLO, TLS_1_3)
    random = next(field for field in every(fields) if field.name == "tls.client_hello.random")
    assert rfc8448.CLIENT_HELLO[random.begin : random.end].hex().startswith("cb34ecb1e78163ba")
    assert found(fields, "tls.cipher_suite") == [
        "0x1301 TLS_AES_128_GCM_SHA256",
        "0x1303 TLS_CHACHA20_POLY1305_SHA256",
        "0x1302 TLS_AES_256_GCM_SHA384",
    ]
    assert found(fields, "tls.extension.server_name.name") == ["server"]
    assert found(fields, "tls.extension.supported_versions.version") == ["0x0304 TLS 1.3"]
    assert found(fields, "tls.extension.psk_key_exchange_modes.mode") == ["1 psk_dhe_ke"]
    assert found(fields, "tls.extension.record_size_limit.size") == ["16385"]
    (share,) = (field for field in every(fields) if field.name == "tls.extension.key_share.key")
    assert rfc8448.CLIENT_HELLO[share.begin : share.end].hex().startswith("99381de560e4bd43")


def test_a_certificate_is_read_down_to_its_numbers():
    fields = content(HANDSHAKE, rfc8448.CERTIFICATE, TLS_1_3)
    assert found(fields, "tls.certificate.entry") == ["CN=rsa"]
    assert found(fields, "x509.serial") == ["2"]
    assert found(fields, "x509.validity") == ["2016-07-30T01:23:59Z – 2026-07-30T01:23:59Z"]
    assert found(fields, "x509.public_key_info") == ["rsaEncryption"]
    assert found(fields, "x509.public_key.rsa.exponent") == ["65537"]
    assert found(fields, "x509.key_usage") == ["digitalSignature, keyEncipherment"]
    (modulus,) = found(fields, "x509.public_key.rsa.modulus")
    assert modulus.startswith("0x00b4bb498f")


@pytest.mark.parametrize("name", rfc8448.MESSAGES)
def test_fields_and_the_lens_read_the_same_of_a_message(name):
    message = rfc8448.MESSAGES[name]
    facts = parse(message[0], message[4:], TLS_1_3).fields
    fields = content(HANDSHAKE, message, TLS_1_3)

    def named(*names: str) -> list[str]:
        return [value.split(" ", 1)[-1] for one in names for value in found(fields, one)]

    if name == "client_hello":
        assert facts["ciphers"] == named("tls.cipher_suite")
        assert facts["groups"] == named("tls.extension.supported_groups.group")
        assert facts["keyShares"] == named("tls.extension.key_share.group")
        assert len(facts["signatureSchemes"]) == len(named("tls.signature_scheme"))
        assert facts["extensions"] == [each.value for each in every(fields) if _is_extension(each)]
    if name == "server_hello":
        assert [facts["version"]] == named("tls.extension.supported_versions.selected")
        assert [facts["cipher"]] == named("tls.server_hello.cipher_suite")
    if name == "certificate":
        assert [facts["notAfter"]] == [found(fields, "x509.validity.not_after")[0]]
        assert facts["subject"] == found(fields, "x509.subject")[0]
    if name == "certificate_verify":
        assert [facts["signatureScheme"]] == named("tls.signature_scheme")


def _is_extension(field: Field) -> bool:
    return bool(field.fields) and field.fields[0].name == "tls.extension.type"


def test_a_record_is_header_ciphertext_and_tag():
    assert [field.value for field in header(bytes.fromhex("1703030035"))] == [
        "23 application_data",
        "0x0303 TLS 1.2",
        "53",
    ]
    sealed = protected_body(bytes(53), nonce_bytes=0, tag_bytes=16)
    assert [(field.name, field.begin, field.end) for field in sealed] == [
        ("tls.record.ciphertext", 0, 37),
        ("tls.record.tag", 37, 53),
    ]
    assert [field.end for field in protected_body(bytes(40), nonce_bytes=8, tag_bytes=16)] == [8, 24, 40]
    assert [field.end for field in protected_body(bytes(40), nonce_bytes=0, tag_bytes=0)] == [40]


def test_behind_the_content_stand_its_type_and_padding():
    assert inner_type(b"\x16\0\0\0") == (
        Field("tls.record.inner_type", 0, 1, "22 handshake"),
        Field("tls.record.padding", 1, 4, "3"),
    )


def test_a_hello_retry_request_is_told_from_a_server_hello():
    random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
    body = bytes.fromhex(f"0303{random}00130100000c002b0002030400330002001d")
    (whole,) = content(HANDSHAKE, b"\x02\0\0" + bytes([len(body)]) + body, TLS_1_3)
    assert whole.value == "hello_retry_request"
    assert found((whole,), "tls.extension.key_share.selected") == ["0x001d x25519"]
    assert found((whole,), UNREADABLE) == []


def test_messages_of_tls_1_2_are_read_in_their_form():
    exchange = bytes.fromhex("0c00000d" + "03001d02abcd" + "04030003010203")
    (server,) = content(HANDSHAKE, exchange, TLS_1_2)
    assert found((server,), "tls.server_key_exchange.named_curve") == ["0x001d x25519"]
    assert found((server,), "tls.server_key_exchange.signature") == ["01 02 03"]
    (curve,) = content(HANDSHAKE, bytes.fromhex("1000000302abcd"), TLS_1_2)
    assert curve.fields[-1] == Field("tls.client_key_exchange.public", 5, 7, "ab cd")
    (rsa,) = content(HANDSHAKE, bytes.fromhex("100000040002abcd"), TLS_1_2)
    assert rsa.fields[-1] == Field("tls.client_key_exchange.exchange_keys", 6, 8, "ab cd")
    (ticket,) = content(HANDSHAKE, bytes.fromhex("04000009000002580003aabbcc"), TLS_1_2)
    assert found((ticket,), "tls.new_session_ticket.lifetime") == ["600"]
    assert content(CHANGE_CIPHER_SPEC, b"\x01", TLS_1_2) == (Field("tls.change_cipher_spec", 0, 1, "1"),)
    assert content(ALERT, b"\x01\0", TLS_1_2)[1].value == "0 close_notify"
