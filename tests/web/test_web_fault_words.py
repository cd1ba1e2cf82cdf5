"""The page has words, in every language, for whatever the engine can break."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cluster_engine.cast import cast
from cluster_engine.faults import describe
from cluster_engine.words.languages import document, languages

ROOT = Path(__file__).resolve().parents[2]
NOT_ASKED = {"start", "end", "seed"}


@pytest.fixture(params=languages())
def words(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return document(request.param)


def test_every_fault_has_a_name_and_a_description_in_every_language(words: Mapping[str, str]) -> None:
    assert [one["name"] for one in describe() if not words.get(f"fault.{one['name']}.name")] == []
    assert [one["name"] for one in describe() if not words.get(f"fault.{one['name']}.text")] == []


def test_every_field_and_choice_of_a_fault_has_words_in_every_language(words: Mapping[str, str]) -> None:
    fields = [field for one in describe() for field in one["fields"] if field["name"] not in NOT_ASKED]
    assert [field["name"] for field in fields if not words.get(f"fault.field.{field['name']}")] == []
    choices = [value for field in fields for value in field.get("values", [])]
    assert [value for value in choices if not words.get(f"fault.choice.{value}")] == []


@pytest.mark.parametrize(("name", "served"), [("faults", describe()), ("cast", cast(2).describe())])
def test_the_page_is_tested_with_what_it_is_served(name: str, served: object) -> None:
    fixture = json.loads((ROOT / f"tests/js/fixtures/{name}.json").read_text(encoding="utf-8"))
    assert fixture == json.loads(json.dumps(served))
