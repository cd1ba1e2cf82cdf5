"""Times, quantities and names."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_engine.api import names, quantity, time

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


def test_times_are_written_to_the_second_and_micro_times_to_the_microsecond() -> None:
    assert time.rfc3339(NOON) == "2026-11-21T12:00:00Z"
    assert time.micro(NOON) == "2026-11-21T12:00:00.123456Z"
    assert time.parse(time.micro(NOON)) == NOON
    assert time.parse("2026-11-21T13:00:00+01:00") == NOON.replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21 12:00:00Z"])
def test_a_time_without_its_zone_or_its_t_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        time.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (187, "3m7s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (7 * 3600 + 60, "7h1m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (730 * 86400, "2y"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_an_age_has_at_most_two_units(seconds: int, text: str) -> None:
    assert time.age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("100m", "100m"),
        ("1000m", "1"),
        ("0.1", "100m"),
        ("1.5", "1500m"),
        ("1500", "1500"),
        ("2000", "2k"),
        ("64Mi", "64Mi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1023Ki", "1023Ki"),
        ("0.5Ki", "512"),
        ("0.9765625Ki", "1k"),
        ("1e3", "1e3"),
        ("12E", "12E"),
        ("-1", "-1"),
        ("1n", "1n"),
        ("0.1n", "1n"),
    ],
)
def test_a_quantity_has_one_spelling(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@given(st.integers(-(10**15), 10**15), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "u", "e2"]))
def test_the_canonical_spelling_means_the_same_and_is_its_own(number: int, suffix: str) -> None:
    canonical = quantity.canonical(f"{number}{suffix}")
    assert quantity.parse(canonical) == quantity.parse(f"{number}{suffix}")
    assert quantity.canonical(canonical) == canonical


@pytest.mark.parametrize("text", ["", "abc", "1x", "1 Mi", "0x10", "1e", "--1", "1.2.3", "Infinity"])
def test_what_is_no_quantity_is_refused_in_kubernetes_words(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        quantity.parse(text)


def test_quantities_are_exact() -> None:
    assert quantity.parse("0.1") + quantity.parse("0.2") == Decimal("0.3")


def test_a_generated_name_keeps_its_base_and_fits() -> None:
    rng = random.Random(1)
    assert names.generated("web-", rng)[:4] == "web-"
    long = names.generated("x" * 100, rng)
    assert len(long) == 63
    assert set(long[-5:]) <= set(names.ALPHABET)
    assert names.generated("a-", random.Random(7)) == names.generated("a-", random.Random(7))


def test_equal_templates_have_equal_hashes_whatever_the_order_of_their_keys() -> None:
    one = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {}}
    other = {"spec": {}, "metadata": {"labels": {"b": "2", "a": "1"}}}
    assert names.pod_template_hash(one) == names.pod_template_hash(other)
    assert names.pod_template_hash(one) != names.pod_template_hash(one, 1)
    assert names.pod_template_hash(one) != names.pod_template_hash({**one, "spec": {"x": 1}})
    assert set(names.pod_template_hash(one)) <= set(names.ALPHABET)


@pytest.mark.parametrize(
    ("text", "problems_of", "good"),
    [
        ("web", names.dns_label_problems, True),
        ("we.b", names.dns_label_problems, False),
        ("a" * 64, names.dns_label_problems, False),
        ("we.b", names.dns_subdomain_problems, True),
        ("we..b", names.dns_subdomain_problems, False),
        ("9web", names.dns_label_problems, True),
        ("9web", names.dns_1035_label_problems, False),
        ("app.kubernetes.io/name", names.qualified_name_problems, True),
        ("Name_1", names.qualified_name_problems, True),
        ("/name", names.qualified_name_problems, False),
        ("a/b/c", names.qualified_name_problems, False),
        ("", names.qualified_name_problems, False),
        ("", names.label_value_problems, True),
        ("-x", names.label_value_problems, False),
        ("system:node", names.path_segment_problems, True),
        ("a/b", names.path_segment_problems, False),
        ("..", names.path_segment_problems, False),
        ("http", names.port_name_problems, True),
        ("80", names.port_name_problems, False),
        ("a--b", names.port_name_problems, False),
        ("MY_VAR", names.env_name_problems, True),
        ("a=b", names.env_name_problems, False),
        ("key.name", names.config_key_problems, True),
        ("..data", names.config_key_problems, False),
        ("a b", names.config_key_problems, False),
    ],
)
def test_names_have_their_forms(text: str, problems_of: names.ProblemsOf, good: bool) -> None:
    assert (problems_of(text) == []) is good
