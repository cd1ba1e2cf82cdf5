"""The catalogue of fields: what each is called, what it is for, and where that is written.

catalogue("en")["tls.alert.level"]
-> Meaning(label="level", text="How severe …", source="RFC 8446, 6", url="https://www.rfc-editor.org/rfc/rfc8446#section-6")
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cluster_engine.words.languages import ORIGIN, document

PART, REASONS = "fields", "reasons"
SOURCES = Path(__file__).parent / "sources"


class Meaning(NamedTuple):
    """What a field is, in one language."""

    label: str
    text: str
    source: str
    url: str


@cache
def catalogue(language: str) -> Mapping[str, Meaning]:
    """Return all fields' meanings in a language, by name."""
    words = document(language, PART)
    return {name: Meaning(words[f"{name}.label"], words[f"{name}.text"], *_cited(at)) for name, at in sources().items()}


def reasons(language: str) -> Mapping[str, str]:
    """Return what a language says for each reason why bytes cannot be read; with places: "{count} bytes wanted"."""
    english, words = document(ORIGIN, REASONS), document(language, REASONS)
    return {text: words[key] for key, text in english.items()}


@cache
def sources() -> Mapping[str, str]:
    """Return where each field is described, as written, by the field's name."""
    files = sorted(SOURCES.glob("*.toml"))
    return {name: at for file in files for name, at in tomllib.loads(file.read_text("utf-8")).items()}


def _cited(at: str) -> tuple[str, str]:
    """Return title and URL of a source: "RFC 8446 5.1", "RFC 7541 B", or a title and a URL."""
    if not at.startswith("RFC "):
        title, _, url = at.rpartition(" ")
        return title, url
    _, number, section = at.split(" ")
    anchor = f"section-{section}" if section[0].isdigit() else f"appendix-{section}"
    return f"RFC {number}, {section}", f"https://www.rfc-editor.org/rfc/rfc{number}#{anchor}"
