"""What is read becomes fields, in order and in bounds; what cannot be read says so."""

from cluster_engine.fields.field import UNFINISHED, UNREADABLE, VALUE_CHARS_MAX, Field, every, moved, text_of
from cluster_engine.fields.stretch import DEPTH_MAX, FIELDS_MAX, dissected
from cluster_engine.fields.tls import ALERT, content
from cluster_engine.lens.protection import TLS_1_3


def alert(data):
    return content(ALERT, data, TLS_1_3)


def test_bytes_become_fields():
    level, description = alert(bytes([2, 48]))
    assert level == Field("tls.alert.level", 0, 1, "2 fatal")
    assert description == Field("tls.alert.description", 1, 2, "48 unknown_ca")


def test_what_is_cut_short_and_what_is_left_over_is_one_field_with_the_reason():
    assert alert(b"\x02")[1:] == ()
    assert [field.name for field in alert(b"\x02\x30\x00")] == ["tls.alert.level", "tls.alert.description", UNREADABLE]
    assert dissected(b"\0\0", lambda stretch: stretch.number("n", 4) and None) == (
        Field(UNREADABLE, 0, 2, "4 bytes wanted, 2 are here"),
    )


def test_reading_goes_on_behind_a_field_that_could_not_be_read():
    def read(stretch):
        with stretch.within("outer", 3, "three") as inner:
            inner.number("first", 1)
            inner.number("second", 4)
        stretch.number("last", 1)

    assert dissected(bytes([7, 8, 9, 5]), read) == (
        Field(
            "outer", 0, 3, "three", (Field("first", 0, 1, "7"), Field(UNREADABLE, 1, 3, "4 bytes wanted, 2 are here"))
        ),
        Field("last", 3, 4, "5"),
    )


def test_a_field_longer_than_its_bytes_says_so():
    def read(stretch):
        with stretch.within("outer", 9) as inner:
            inner.number("first", 1)

    (outer,) = dissected(bytes(3), read)
    assert outer.fields[1] == Field(UNFINISHED, 1, 3, "9 bytes announced, 3 are here")


def test_fields_and_depth_are_bounded():
    def many(stretch):
        while stretch:
            stretch.number("n", 1)

    def deep(stretch):
        with stretch.within("n", len(stretch)) as inner:
            deep(inner)

    fields = dissected(bytes(3 * FIELDS_MAX), many)
    assert len(fields) == FIELDS_MAX + 1
    assert fields[-1].name == UNREADABLE
    assert fields[-1].end == 3 * FIELDS_MAX
    assert len(list(every(dissected(bytes(8), deep)))) == DEPTH_MAX + 1


def test_values_are_short_and_printable():
    assert text_of("a\x1b[2Jb\u202e") == "a�[2Jb�"
    assert len(text_of("x" * 5000)) == VALUE_CHARS_MAX + 1
    assert text_of(bytes(range(3))) == "00 01 02"


def test_fields_are_moved_and_cut_at_the_end_of_a_stretch():
    whole = (Field("a", 0, 4, "", (Field("b", 0, 2, "x"), Field("c", 2, 4, "y"))), Field("d", 4, 6, "z"))
    assert moved(whole, -3, 0, 9) == (Field("a", 0, 1, "", (Field("c", 0, 1, "y"),)), Field("d", 1, 3, "z"))
