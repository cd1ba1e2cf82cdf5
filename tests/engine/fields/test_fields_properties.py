"""Whatever the bytes are: no exception, fields in order inside their parents, nothing left out, work in proportion."""

import random
import sys

import pytest
import rfc8448
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.fields import tls
from cluster_engine.fields.field import VALUE_CHARS_MAX, Field, every
from cluster_engine.fields.stretch import DEPTH_MAX, FIELDS_MAX
from cluster_engine.fields.x509 import der_certificate
from cluster_engine.lens.protection import TLS_1_2, TLS_1_3

CERTIFICATE = rfc8448.CERTIFICATE[11:-2]
DISSECTORS = {
    "handshake 1.2": (lambda data: tls.content(tls.HANDSHAKE, data, TLS_1_2), b"".join(rfc8448.MESSAGES.values())),
    "handshake 1.3": (lambda data: tls.content(tls.HANDSHAKE, data, TLS_1_3), b"".join(rfc8448.MESSAGES.values())),
    "alert": (lambda data: tls.content(tls.ALERT, data, TLS_1_3), b"\x02\x30"),
    "header": (tls.header, b"\x16\x03\x03\x00\x20"),
    "inner type": (tls.inner_type, b"\x16\x00\x00"),
    "certificate": (der_certificate, CERTIFICATE),
}


def hold(fields: tuple[Field, ...], begin: int, end: int, depth: int = 0) -> None:
    """Fail unless fields lie in order between `begin` and `end`, and so do those in them."""
    assert depth <= DEPTH_MAX + 1
    for field in fields:
        assert begin <= field.begin < field.end <= end, field
        assert len(field.value) <= VALUE_CHARS_MAX + 1
        assert field.value.isprintable()
        hold(field.fields, field.begin, field.end, depth + 1)
        begin = field.end


def covers(fields: tuple[Field, ...], size: int) -> bool:
    at = 0
    for field in fields:
        if field.begin != at:
            return False
        at = field.end
    return at == size


def judge(fields: tuple[Field, ...], size: int) -> None:
    hold(fields, 0, size)
    assert covers(fields, size)
    assert sum(1 for _ in every(fields)) <= FIELDS_MAX + 2 * DEPTH_MAX + 100


@pytest.mark.parametrize("name", DISSECTORS)
@settings(max_examples=150)
@given(data=st.binary(max_size=400))
def test_any_bytes_become_fields(name, data):
    judge(DISSECTORS[name][0](data), len(data))


@pytest.mark.parametrize("name", DISSECTORS)
@settings(max_examples=150)
@given(seed=st.integers(0, 1 << 32))
def test_spoiled_messages_become_fields(name, seed):
    dissect, sample = DISSECTORS[name]
    chance = random.Random(seed)
    data = bytearray(sample)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        match chance.randint(0, 3):
            case 0:
                data[at] ^= 1 << chance.randint(0, 7)
            case 1:
                data[at] = chance.choice((0, 0x7F, 0x80, 0xFF))
            case 2 if len(data) > 1:
                del data[at : at + chance.randint(1, 9)]
            case 3:
                data[at:at] = chance.randbytes(chance.randint(1, 9))
        if not data:
            data = bytearray(b"\0")
    judge(dissect(bytes(data)), len(data))


def steps(dissect, data: bytes) -> int:
    """Count the lines that are run."""
    count = 0

    def trace(_frame, event, _arg):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        dissect(data)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", ["handshake 1.2", "handshake 1.3", "certificate"])
@pytest.mark.parametrize("unit", [b"\x30\x80", b"\x30\x82\xff\xff", b"\x01\0\0\0", b"\x0b\0\0\x03\0\0\0", b"\x31\0"])
def test_work_grows_no_faster_than_the_bytes(name, unit):
    dissect = DISSECTORS[name][0]
    few, many = (steps(dissect, unit * count) for count in (50, 400))
    assert many <= 10 * few + 1000


def test_hostile_nesting_ends():
    assert der_certificate(b"\x30\x80" * 5000)
    deep = b""
    for _ in range(200):
        deep = b"\x30\x82" + len(deep).to_bytes(2) + deep
    judge(der_certificate(deep), len(deep))
