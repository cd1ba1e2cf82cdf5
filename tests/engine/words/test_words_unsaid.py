"""Words that practitioners do not say, and claims that are false: none of them is in a language's texts."""

import re
import tomllib
from pathlib import Path

import pytest

from cluster_engine.words.languages import document

ROOT = Path(__file__).resolve().parents[3]
UNSAID = tomllib.loads((Path(__file__).parent / "unsaid.toml").read_text("utf-8"))
RULES = [(language, pattern, instead) for language, rules in UNSAID.items() for pattern, instead in rules.items()]


def texts(language: str) -> list[str]:
    catalog = ROOT / f"visualizer/locale/{language}/LC_MESSAGES/django.po"
    translated = re.findall(r'^msgstr.*"(.*)"$', catalog.read_text("utf-8"), re.MULTILINE) if catalog.exists() else []
    return [*document(language).values(), *document(language, "cards").values(), *translated]


@pytest.mark.parametrize(("language", "pattern", "instead"), RULES)
def test_what_is_not_to_be_said_is_in_no_text(language, pattern, instead):
    assert [text for text in texts(language) if re.search(pattern, text)] == [], f"say: {instead}"


def test_the_formal_address_is_told_from_a_pronoun_that_begins_a_sentence():
    formal = next(pattern for language, pattern, instead in RULES if instead == "du")
    assert re.search(formal, "Bitte versuchen Sie es") and re.search(formal, "er gehört Ihnen nicht")
    assert not re.search(formal, "Sie läuft. Sie ist da: Sie gehört zu sieben")
