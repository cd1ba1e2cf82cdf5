import pytest

from cluster_engine.api.quantity import BAD, canonical
from cluster_engine.api.selectors import parse_label
from cluster_engine.api.status import BadRequest
from cluster_engine.api.strconv import parse_int


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("-3", -3), ("+7", 7), ("007", 7), ("9223372036854775807", 2**63 - 1)]
)
def test_integers_are_read_as_go_reads_them(text, value):
    assert parse_int(text) == value


@pytest.mark.parametrize("text", ["", "-", "1_000", " 1", "1.0", "٣", "²", "0x1", "--1"])
def test_what_is_no_integer_is_a_syntax_error(text):
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_int(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 30_000])
def test_integers_beyond_64_bits_are_out_of_range(text):
    with pytest.raises(ValueError, match="value out of range"):
        parse_int(text)
    with pytest.raises(ValueError, match="value out of range"):
        parse_int("200", bits=8)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1e99999999", "9223372036854775807"),
        ("-1e99999999", "-9223372036854775807"),
        ("1e-99999999", "1e-9"),
        ("9" * 600, "9223372036854775807"),
        ("9Ei", "9223372036854775807"),
        ("0." + "0" * 900 + "1", "1n"),
        ("12E", "12E"),
        (10**300, "9223372036854775807"),
    ],
)
def test_quantities_are_capped_where_a_server_caps_them(text, spelling):
    assert canonical(text) == spelling


@pytest.mark.parametrize("text", ["9" * 30_000, "1e", "e5", "٣", "1e400m", float("inf"), float("nan")])
def test_what_is_no_quantity_is_said_in_kubernetes_words(text):
    with pytest.raises(ValueError) as refused:
        canonical(text)
    assert str(refused.value) == BAD


@pytest.mark.parametrize("text", ["a>²", "a>9" + "9" * 30, "a<1_0"])
def test_labels_are_compared_with_integers_only(text):
    with pytest.raises(BadRequest, match="must be an integer"):
        parse_label(text)
