"""Names, codes, limits and cells: what is let in and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.rooms import codes, names, protocol, results
from visualizer.rooms.models import NAME_MAX


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\u202eevil\u2066", "Adaevil"),
        ("A\x00d\x1ba\x7f", "Ada"),
        ("Ada\nLovelace", "Ada Lovelace"),
        ("Ada\u2028Byron", "Ada Byron"),
        ("\u200f\u200b\ufeff", ""),
        ("\u200d", ""),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("Zoe\u0308", "Zoë"),
        ("Z" + "\u0335" * 30, "Z" + "\u0335" * 4),
        ("محمد", "محمد"),
    ],
)
def test_of_a_name_is_kept_what_can_be_read_and_harms_nobody(typed, kept):
    assert names.clean(typed) == kept


def test_a_name_that_somebody_has_gets_the_next_number_whatever_its_case():
    assert names.unique("Ada", []) == "Ada"
    assert names.unique("ada", ["Ada"]) == "ada 2"
    assert names.unique("Ada", ["Ada", "ADA 2"]) == "Ada 3"


@given(st.text(max_size=60), st.lists(st.text(max_size=5)))
def test_a_numbered_name_is_new_and_no_longer_than_names_may_be(name, others):
    name = names.clean(name)[:NAME_MAX].strip() or "x"
    found = names.unique(name, [*others, name])
    assert len(found) <= NAME_MAX
    assert found.casefold() not in {one.casefold() for one in [*others, name]}


def test_codes_are_seven_characters_that_are_not_mixed_up():
    assert not set(codes.ALPHABET) & set("0O1IL5S2Z8BUV")
    made = {codes.new_code() for _ in range(500)}
    assert len(made) == 500
    assert all(codes.is_code(one) for one in made)


def test_a_code_may_be_typed_as_it_is_read_aloud():
    assert codes.normal(" acd-ef gh\n") == "ACDEFGH"


def test_the_qr_code_is_an_svg_that_says_what_it_is():
    svg = codes.qr_svg("http://localhost:8000/join/ACDEFGH/", 'QR <code> of "it"')
    assert svg.startswith("<svg ") and 'role="img"' in svg and 'class="qr"' in svg
    assert "QR &lt;code&gt;" in svg
    assert "style=" not in svg and "<script" not in svg  # the policy allows no inline style


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1"])
def test_a_cell_is_never_a_formula(cell):
    assert results.safe(cell) == "'" + cell


def test_numbers_and_nothing_stay_what_they_are():
    assert [results.safe(one) for one in (None, -3, 2.5, "a=b")] == ["", "-3", "2.5", "a=b"]


def test_a_table_is_written_as_rfc_4180_says_with_a_byte_order_mark():
    text = results.encoded([["Name", "Group"], ['Zoë "Z"', "a,b"]])
    assert text == b'\xef\xbb\xbfName,Group\r\n"Zo\xc3\xab ""Z""","a,b"\r\n'


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"break","id":"b","fault":{},"targets":{}}',
        '{"type":"break","id":"b","fault":{},"targets":{"all":true,"group":"A"}}',
        '{"type":"break","id":"b","fault":{},"targets":{"all":false}}',
        '{"type":"break","id":"b","fault":{},"targets":{"everybody":true}}',
        '{"type":"position","cluster":"c","cursor":-1}',
        '{"type":"position","cluster":"c","altitude":"moon"}',
        '{"type":"position","cluster":"c","focus":[' + ",".join(['"x"'] * 65) + "]}",
        '{"type":"diagnose","fault":"x","target":"' + "y" * 300 + '"}',
        '{"type":"help","on":1}',
        '{"type":"nothing"}',
    ],
)
def test_what_is_out_of_bounds_is_not_understood(text):
    with pytest.raises(Exception, match=r"."):
        protocol.decode(text.encode())
