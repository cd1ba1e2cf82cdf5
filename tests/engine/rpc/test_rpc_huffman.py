"""Our Huffman code is hpack's: it writes the same, reads the same, and refuses the same."""

import random

import pytest
from hpack.exceptions import HPACKDecodingError
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_engine.rpc import huffman
from cluster_engine.rpc.huffman import REMEMBERED_BYTES_MAX, HuffmanError, decode, encode

theirs = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@pytest.mark.parametrize("length", [0, 1, 7, 100, 513, 1000, 5000])
@pytest.mark.parametrize("alphabet", [b"e", b"\0\xff", bytes(range(256))], ids=["short", "long", "all"])
def test_every_string_is_coded_as_hpack_does_and_read_again(length, alphabet):
    text = bytes(random.Random(length).choices(alphabet, k=length))
    coded = theirs.encode(text)
    assert encode(text) == coded
    assert decode(coded) == (text, True)


@settings(max_examples=500)
@given(st.binary(max_size=60), st.integers(0, 3))
def test_what_hpack_refuses_is_not_whole(data, ones):
    data += b"\xff" * ones
    try:
        expected = decode_huffman(data)
    except HPACKDecodingError:
        expected = None
    try:
        decoded = decode(data)
    except HuffmanError:
        decoded = None
    assert (decoded.text if decoded is not None and decoded.is_whole else None) == expected


def test_long_strings_are_not_remembered():
    before = huffman._remembered.cache_info().currsize
    decode(encode(b"e" * 8 * REMEMBERED_BYTES_MAX))
    decode(encode(b"\0\xff" * REMEMBERED_BYTES_MAX))
    assert huffman._remembered.cache_info().currsize == before
