"""The page's words as it loads them, made of `cluster_engine/words/<language>/*.toml`.

    en.json                 what every page needs at once
    explanations.en.json    what entries are, fetched when somebody opens one; so with each file of words that few need:
                            `faultform`, `lessons`, `rooms`, `state` (the page's side: `static/js/strings.js`, `need`)
    fault_cards.en.json     the cards of faults, fetched when somebody opens one
    fields.en.json          what fields of bytes are, fetched when somebody looks at bytes: label, sentence, source and
                            its URL, by the field's name, and why bytes cannot be read, by the English

What one object of a resource is called, which no language says otherwise, stands in the first: `kind.pods` is "Pod".

Written beside the page's other static files, so that they are served, compressed and revalidated as those are; made
again when a text has changed. They are not in the repository.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster_engine.fields.catalogue import catalogue, reasons
from cluster_engine.words.languages import languages
from cluster_engine.words.sentences import page_parts
from visualizer import fault_cards


def write_words(folder: Path) -> None:
    """Write the documents of every language, where they are missing or say something else."""
    folder.mkdir(exist_ok=True)
    for language in languages():
        for part, words in page_parts(language).items():
            _write(folder / f"{part}{part and '.'}{language}.json", words)
        _write(folder / f"fault_cards.{language}.json", fault_cards.page_document(language))
        _write(folder / f"fields.{language}.json", {"fields": catalogue(language), "reasons": reasons(language)})


def _write(target: Path, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).chmod(0o644)
    os.replace(fresh.name, target)  # noqa: PTH105
