"""Languages as they lie in this folder: every `<code>/*.toml` is read into one flat document.

What few readers ask for is a *part* of its own, a folder in that of the language, and is fetched when it is asked for:
`<code>/cards/*.toml` is `document(code, "cards")`.

A table's name and a key in it, joined by a dot, name a text: `[room]` and `"news.help_one" = "…"` make
`room.news.help_one`. The order of the files' lines is kept, for the renderer goes by it. Where a language lacks a text,
the English one stands in for it.

    languages()                      -> {"en": "English", "de": "Deutsch"}      English first
    document("de")["lanes.you"]      -> "du"
    missing("de")                    -> []
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ORIGIN = "en"
PLURAL_FORM = re.compile(r"_(zero|one|two|few|many|other)$")
PLACE = re.compile(r"\{\w+\}")


@cache
def languages(folder: Path = FOLDER) -> dict[str, str]:
    """Return the languages there are: code -> the name by which its speakers call it, English first."""
    codes = sorted((one.parent.name for one in folder.glob("*/page.toml")), key=lambda code: (code != ORIGIN, code))
    return {code: _texts(code, folder)["language.name"] for code in codes}


@cache
def document(language: str, part: str = "", folder: Path = FOLDER) -> Mapping[str, str]:
    """Return all texts of a language by key, or of a part; of a language that is not here, the English ones."""
    return {**_texts(ORIGIN, folder, part), **_texts(language, folder, part)}


def by_file(language: str, folder: Path = FOLDER) -> dict[str, dict[str, str]]:
    """Return the texts of `document(language)` by the name of the file they stand in."""
    files = sorted((folder / ORIGIN).glob("*.toml"))
    return {file.stem: _in_file(file) | _in_file(folder / language / file.name) for file in files}


def missing(language: str, part: str = "", folder: Path = FOLDER) -> list[str]:
    """Return the keys that English has and `language` lacks, or whose text has other places to fill.

    A counted text (`_one`, `_other`, …) needs the forms its own language has, and always `_other`. Sentences may
    leave a place out, so theirs are not compared.
    """
    wanted, found = _texts(ORIGIN, folder, part), _texts(language, folder, part)
    return [
        key
        for key in dict.fromkeys(PLURAL_FORM.sub("_other", key) for key in wanted)
        if key not in found or (not key.startswith("say.") and _places(found[key]) != _places(wanted[key]))
    ]


@cache
def _texts(language: str, folder: Path, part: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in sorted((folder / language / part).glob("*.toml")):
        texts |= _in_file(file)
    return texts


def _in_file(file: Path) -> dict[str, str]:
    return dict(_flat(tomllib.loads(file.read_text("utf-8")))) if file.exists() else {}


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _places(text: str) -> set[str]:
    return set(PLACE.findall(text))
