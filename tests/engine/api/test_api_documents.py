"""Documents that others have written: what they mean, and what is too much."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api.documents import (
    BYTES_MAX,
    DEPTH_MAX,
    NODES_MAX,
    Unreadable,
    read_json,
    read_one_yaml,
    read_yaml,
    yaml_documents,
)

CPU_SECONDS_MAX = 10.0  # on a busy machine; the worst takes about one
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

# go-yaml's resolve.go, and sigs.k8s.io/yaml's way to JSON
MEANINGS = {
    "3": 3, "-3": -3, "+3": 3, "0x1F": 31, "0b101": 5, "0o17": 15, "017": 15, "089": 89, "1_000": 1000,
    "1e3": 1000, "1.5": 1.5, "3.0": 3, ".5": 0.5, "18446744073709551615": 2**64 - 1, "18446744073709551616": 2.0**64,
    "yes": True, "y": True, "On": True, "no": False, "N": False, "off": False, "oN": "oN",
    "~": None, "null": None, "": None, "Null": None, "2026-01-01": "2026-01-01",
    "2026-01-01T00:00:00Z": "2026-01-01T00:00:00Z",
    "12:30": "12:30", "1.2.3": "1.2.3", "1e400": "1e400", "9" * 30_000: "9" * 30_000, "0x" + "f" * 17: "0x" + "f" * 17,
    "!!str 5": "5", "!!int '5'": 5, "!!float 5": 5, "!!binary aGVsbG8=": "hello", "!mine 5": "5",
    "'5'": "5", '"yes"': "yes",
    "-": [None], "1-": "1-", "+": "+", ".": ".", "_1": "_1", "٣": "٣",
}  # fmt: skip


@pytest.mark.parametrize("text", MEANINGS, ids=lambda text: text[:24])
def test_a_word_of_yaml_means_what_it_means_to_go_yaml(text):
    found, wanted = read_one_yaml(text), MEANINGS[text]
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x [1, {b: 2}]\nc: *x\n", {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
        ("base: &b {x: 1, y: 2}\nz: {<<: *b, y: 3}\n", {"base": {"x": 1, "true": 2}, "z": {"x": 1, "true": 3}}),
        ("<<: [{a: 1}, {a: 2, b: 2}]\n", {"a": 1, "b": 2}),
        ("a: 1\na: 2\n", {"a": 2}),
        ("1: a\ntrue: b\n1.5: c\n", {"1": "a", "true": "b", "1.5": "c"}),
        ('{"<<": 1}', {"<<": 1}),
        ("- <<\n", ["<<"]),
    ],
)
def test_keys_aliases_and_merges_are_read_as_kubectl_reads_them(text, value):
    assert read_one_yaml(text) == value


def test_what_an_alias_stands_for_can_be_changed_alone():
    found = read_one_yaml("a: &x {b: [1]}\nc: *x\n")
    found["a"]["b"].append(2)
    assert found["c"] == {"b": [1]}


def test_keys_that_stand_twice_are_named_with_their_lines():
    (document,) = yaml_documents("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")
    assert document.doubled == ['line 4: key "c" already set in map', 'line 5: key "a" already set in map']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 30_000, f"exceeded max depth of {DEPTH_MAX}"),
        ("- " * 30_000, f"exceeded max depth of {DEPTH_MAX}"),
        ("{a: " * 30_000, f"exceeded max depth of {DEPTH_MAX}"),
        ("a: &a " + "[" * 150 + "]" * 150 + "\nb: " + "[" * 100 + "*a" + "]" * 100, "exceeded max depth"),
        (LAUGHS, "document contains excessive aliasing"),
        (f"x: &x '{'y' * 100_000}'\nz: [{'*x,' * 5_000}]", "document contains excessive aliasing"),
        ("&a [*a]", "anchor 'a' value contains itself"),
        ("*b", "unknown anchor 'b' referenced"),
        ("[" + "1," * NODES_MAX + "]", "document is too large"),
        ("---\n" * (NODES_MAX + 2), "document is too large"),
        ("x" * (BYTES_MAX + 1), "document is too large"),
        ("".join(f"%TAG !{at}! x\n" for at in range(100_000)) + "---\na\n", "too many directives"),
        ("a: .inf", "json: unsupported value: +Inf"),
        ("[.nan]", "json: unsupported value: NaN"),
        ("~: 1", "unsupported map key"),
        ("? [a]\n: b", "invalid map key"),
        ("<<: 1", "map merge requires map or sequence of maps as the value"),
        ("!!int x", "cannot decode !!str `x` as a !!int"),
        ("!!binary '%'", "!!binary value contains invalid base64 data"),
        ('"\\ud800"', "invalid Unicode character escape code"),
        ("\ud800", "invalid Unicode character"),
        ("a\0b", "control characters are not allowed"),
        ("a: b: c", "mapping values are not allowed in this context"),
    ],
    ids=lambda text: text[:24].encode("unicode_escape").decode(),
)
def test_too_much_or_nonsense_is_refused_in_words_and_soon(text, words):
    began = time.process_time()
    with pytest.raises(Unreadable) as refused:
        read_yaml(text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300
    assert time.process_time() - began < CPU_SECONDS_MAX


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "exceeded max depth"),
        ("[" * 300 + "]" * 300, "exceeded max depth"),
        ('{"a":' * 300 + "1" + "}" * 300, "exceeded max depth"),
        ("9" * 30_000, "out of range"),
        ("1e999", "out of range"),
        ('"\\ud800"', "truncated"),
        ("\ud800", "invalid Unicode character"),
        (b'"\xff"', "utf-8|UTF-8"),
        ("[1", "truncated"),
        (" " * (BYTES_MAX + 1), "document is too large"),
    ],
    ids=lambda text: repr(text[:16]),
)
def test_json_that_is_none_or_too_much_is_refused(text, words):
    with pytest.raises(Unreadable, match=words):
        read_json(text)


def test_json_may_be_as_deep_as_is_allowed_and_wide():
    deep = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    assert read_json(deep) == read_one_yaml(deep)
    assert len(read_json(f"[{'{},' * 10_000}{{}}]")) == 10_001


def test_integers_beyond_64_bits_are_floats_as_in_go():
    assert read_json(f'{{"a": {10**25}, "b": [{2**63 - 1}]}}') == {"a": 1e25, "b": [2**63 - 1]}
    assert type(read_json(str(10**25))) is float


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc:-#\"'", max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_yaml_and_both_doors_read_it_alike(value):
    import msgspec

    text = msgspec.json.encode(value)
    assert read_json(text) == value
    if "\x7f" not in text.decode() and "\ufeff" not in text.decode() and all(c < "\x80" for c in text.decode()):
        assert read_one_yaml(text) == value


@given(st.text("ab1:-?{}[],&*!|>'\"#%@ \n\t<~.", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        found = read_yaml(text)
    except Unreadable:
        return
    assert all(not isinstance(one, float) or math.isfinite(one) for one in found)
