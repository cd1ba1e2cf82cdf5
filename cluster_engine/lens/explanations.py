"""One or two true sentences about every kind of message, for learners: read from a data file for each language.

`explanation_texts/en.toml` is keyed by kind; a kind may have variants, chosen by one of the entry's fields. Adding a
language is adding a file. What is not explained there gets the explanation of its kind, else an empty string.

    explain({"kind": "watch.event", "fields": {"type": "BOOKMARK"}})   -> "A BOOKMARK carries nothing but …"
"""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

VARIANT_FIELDS = ("type", "method", "verb", "operation")


def explain(entry: dict[str, Any], language: str = "en") -> str:
    """Explain an entry's kind, in its variant where there is one."""
    known = load(language).get(entry["kind"])
    if known is None:
        return ""
    fields = entry["fields"]
    for field in VARIANT_FIELDS:
        variant = known.get(str(fields.get(field, "")))
        if variant is not None:
            return variant
    return known["text"]


@cache
def load(language: str) -> dict[str, dict[str, str]]:
    """Read a language's explanations: kind -> {"text": …, variant: …}. A language not there is read in English."""
    texts = resources.files("cluster_engine.lens").joinpath("explanation_texts")
    file = texts.joinpath(f"{language}.toml")
    if not file.is_file():
        file = texts.joinpath("en.toml")
    return tomllib.loads(file.read_text("utf-8"))["explanation"]  # type: ignore[no-any-return]
